#include "pipeline/vision/settings.h"

#include "base/strings.h"

namespace polaris {
namespace {

struct Text {
  std::string operator()(std::int64_t x) const { return std::to_string(x); }
  std::string operator()(double x) const { return format_f64(x); }
  std::string operator()(bool x) const { return x ? "true" : "false"; }
  std::string operator()(const std::string& x) const { return x; }
  std::string operator()(const std::vector<double>& list) const {
    std::string out;
    for (const double x : list) out += (out.empty() ? "" : ",") + format_f64(x);
    return out;
  }
};

struct Write {
  JsonWriter& json;
  template <class T>
  void operator()(const T& x) const {
    json.value(x);
  }
  void operator()(const std::vector<double>& list) const {
    json.begin_array();
    for (const double x : list) json.value(x);
    json.end_array();
  }
};

}  // namespace

std::string settings_text(std::span<const Setting> settings) {
  std::string out;
  for (const Setting& setting : settings) {
    if (!out.empty()) out += ", ";
    out += setting.key + " " + std::visit(Text{}, setting.value);
  }
  return out;
}

void write_settings(JsonWriter& json, std::span<const Setting> settings) {
  json.begin_object();
  for (const Setting& setting : settings) {
    json.key(setting.key);
    std::visit(Write{json}, setting.value);
  }
  json.end_object();
}

}  // namespace polaris
