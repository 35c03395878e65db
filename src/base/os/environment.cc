#include "base/os/environment.h"

#include <cstdlib>

namespace polaris {

std::string environment(const char* name) {
  // Nothing of ours writes the environment, so reading it from several threads is safe.
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value != nullptr ? value : "";
}

}  // namespace polaris
