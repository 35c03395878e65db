#pragma once
#include <string>

namespace polaris {

/// The value of an environment variable, empty where it is not set.
std::string environment(const char* name);

/// Where the user's caches are kept ($XDG_CACHE_HOME, else ~/.cache), empty where there is no such
/// place.
std::string user_cache_folder();

}  // namespace polaris
