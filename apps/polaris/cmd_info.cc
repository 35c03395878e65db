#include <CLI/CLI.hpp>
#include <string>

#include "command.h"
#include "model_io.h"

namespace polaris::cli {
namespace {

void write_json(JsonWriter& json, const DeviceInfo& info) {
  json.begin_object().field("id", info.id).field("backend", info.backend).field("name", info.name);
  json.field("driver", info.driver).field("software", info.software);
  json.field("memory_bytes", info.memory_bytes).field("budget_bytes", info.budget_bytes);
  json.field("allocation_bytes_max", info.allocation_bytes_max);
  json.field("binding_bytes_max", info.binding_bytes_max);
  json.key("features").begin_array();
  for (const std::string& feature : info.features) json.value(feature);
  json.end_array().key("limits").begin_array();
  for (const std::string& limit : info.limits) json.value(limit);
  json.end_array().end_object();
}

void print(const DeviceInfo& info) {
  print_line(info.id + "  " + info.name + (info.software ? "  (software rasterizer)" : ""));
  if (!info.driver.empty()) print_line("  driver    " + info.driver);
  print_line("  memory    " + bytes_text(info.memory_bytes) + ", of which we may use " +
             bytes_text(info.budget_bytes));
  print_line("  at most   " + bytes_text(info.allocation_bytes_max) + " an allocation, " +
             bytes_text(info.binding_bytes_max) + " a binding");
  std::string features;
  for (const std::string& feature : info.features) features += " " + feature;
  if (!features.empty()) print_line("  features " + features);
  for (const std::string& limit : info.limits) print_line("  limit     " + limit);
}

class Info final : public Action {
 public:
  void declare(CLI::App&) override {}

  Status run(const Common& common) override {
    auto devices = list_devices(common.threads);
    if (!devices) return devices.error();
    if (!common.json) {
      for (const DeviceInfo& info : *devices) print(info);
      return Status::success();
    }
    JsonWriter json;
    json.begin_object().field("version", POLARIS_VERSION).key("devices").begin_array();
    for (const DeviceInfo& info : *devices) write_json(json, info);
    json.end_array().end_object();
    print_line(json.text());
    return Status::success();
  }
};

}  // namespace

extern const Command command_info;
constinit const Command command_info{"info", "devices, drivers, features, and what limits each",
                                     make_action<Info>};

}  // namespace polaris::cli
