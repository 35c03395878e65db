#pragma once
#include <optional>
#include <string>

namespace polaris {

/// An environment variable that has another value for a while. Other threads must not read the
/// environment meanwhile: for the start of a program, before they run.
class EnvironmentSetting {
 public:
  EnvironmentSetting(const char* name, const std::string& value);
  ~EnvironmentSetting();
  EnvironmentSetting(const EnvironmentSetting&) = delete;
  EnvironmentSetting& operator=(const EnvironmentSetting&) = delete;

 private:
  const char* name_;
  std::optional<std::string> old_;
};

}  // namespace polaris
