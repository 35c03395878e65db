#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "session/runtime.h"
#include "session/value_ref.h"

namespace polaris {

/// Values that a session keeps under names, where runs left them. One that is read on another
/// device is brought there once. Not thread-safe.
class KeptValues {
 public:
  explicit KeptValues(Runtime& runtime) : runtime_(runtime) {}
  /// In place of what had the name.
  void put(std::string_view name, ValueRef value);
  /// The value on `device` if it is on any, else where it is. Errors: not_found.
  Result<ValueRef> get(std::string_view name, DeviceIndex device);
  /// False where nothing has the name.
  bool drop(std::string_view name);
  void clear() { values_.clear(); }

 private:
  Runtime& runtime_;
  std::map<std::string, std::vector<ValueRef>, std::less<>> values_;  // each one's places
};

}  // namespace polaris
