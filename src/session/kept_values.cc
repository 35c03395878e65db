#include "session/kept_values.h"

#include <utility>

#include "session/value_move.h"

namespace polaris {

void KeptValues::put(std::string_view name, ValueRef value) {
  std::vector<ValueRef> places;
  places.push_back(std::move(value));
  values_.insert_or_assign(std::string(name), std::move(places));
}

Result<ValueRef> KeptValues::get(std::string_view name, DeviceIndex device) {
  const auto found = values_.find(name);
  if (found == values_.end()) {
    return Error::not_found("[session] a kept value, got the name '" + std::string(name) +
                            "', wanted one that an earlier run kept");
  }
  std::vector<ValueRef>& places = found->second;
  for (const ValueRef& place : places) {
    if (place.device == device) return place;
  }
  if (device == kHost || is_host_only(places.front().type)) return places.front();
  auto copy = copy_to(runtime_, places.front(), device);
  if (!copy) return copy.error();
  places.push_back(*copy);
  return copy;
}

bool KeptValues::drop(std::string_view name) {
  const auto found = values_.find(name);
  if (found == values_.end()) return false;
  values_.erase(found);
  return true;
}

}  // namespace polaris
