#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/json_writer.h"

namespace polaris {

/// One choice that a pipeline works by, whoever made it: under the key that a model's card has for
/// it, where it has one.
struct Setting {
  std::string key;
  std::variant<std::int64_t, double, bool, std::string, std::vector<double>> value;
};
using Settings = std::vector<Setting>;

/// "resize 256, mean 0.485,0.456,0.406, bgr"
std::string settings_text(std::span<const Setting> settings);
/// {"resize": 256, "mean": [0.485, 0.456, 0.406], "bgr": true}
void write_settings(JsonWriter& json, std::span<const Setting> settings);

}  // namespace polaris
