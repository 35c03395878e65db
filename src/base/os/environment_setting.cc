#include "base/os/environment_setting.h"

#include <cstdlib>

namespace polaris {

// NOLINTBEGIN(concurrency-mt-unsafe): used before other threads start

EnvironmentSetting::EnvironmentSetting(const char* name, const std::string& value) : name_(name) {
  if (const char* old = std::getenv(name)) old_ = old;
  setenv(name, value.c_str(), 1);
}

EnvironmentSetting::~EnvironmentSetting() {
  if (old_) {
    setenv(name_, old_->c_str(), 1);
  } else {
    unsetenv(name_);
  }
}

// NOLINTEND(concurrency-mt-unsafe)

}  // namespace polaris
