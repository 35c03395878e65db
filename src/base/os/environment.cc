#include "base/os/environment.h"

#include <cstdlib>

namespace polaris {

std::string environment(const char* name) {
  // Nothing of ours writes the environment once threads run (EnvironmentSetting), so reading it
  // from several is safe.
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value != nullptr ? value : "";
}

std::string user_cache_folder() {
  // The standard has relative paths ignored.
  if (std::string cache = environment("XDG_CACHE_HOME"); cache.starts_with('/')) return cache;
  const std::string home = environment("HOME");
  return home.starts_with('/') ? home + "/.cache" : std::string();
}

}  // namespace polaris
