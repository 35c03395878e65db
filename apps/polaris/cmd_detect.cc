#include <CLI/CLI.hpp>
#include <cstdio>
#include <span>
#include <string>

#include "base/os/clock.h"
#include "command.h"
#include "interrupt.h"
#include "media_options.h"
#include "output.h"
#include "pipeline/vision/detector.h"

namespace polaris::cli {
namespace {

class Detect final : public Action {
 public:
  void declare(CLI::App& app) override {
    command_.declare(app, kForDetect, "pictures: PNG, JPEG, BMP, PNM");
  }

  Status run(const Common& common) override {
    auto ready = command_.open(common);
    if (!ready) return ready.error();
    auto detector = Detector::create(ready->opened.runtime, ready->opened.model, ready->options);
    if (!detector) return detector.error().with_context("'" + command_.model() + "'");
    const std::string device = device_text(*ready->opened.runtime);
    print_settings(common, detector->settings());
    CancelOnInterrupt interrupt;
    RunOptions options;
    options.cancel = interrupt.token();
    return command_.each_file([&](const std::string& name, std::span<const std::byte> bytes) {
      const std::int64_t start = monotonic_ns();
      const auto found = detector->detect(bytes, options);
      if (!found) return Status(found.error());
      const double wall_ms = elapsed_ms(start);
      if (common.json) {
        print_line(json_of(name, *found, wall_ms, device, detector->settings()));
      } else {
        print(common, name, *found, wall_ms, device);
      }
      return Status::success();
    });
  }

 private:
  static std::string json_of(const std::string& name, const FoundObjects& found, double wall_ms,
                             const std::string& device, const Settings& settings) {
    JsonWriter json;
    json.begin_object().field("file", name).field("width", found.width);
    json.field("height", found.height).key("detections").begin_array();
    for (const FoundObject& one : found.objects) {
      json.begin_object().field("index", one.box.index).field("label", one.label);
      json.field("score", one.box.score).key("box").begin_array();
      for (const double side : {one.box.x0, one.box.y0, one.box.x1, one.box.y1}) json.value(side);
      json.end_array().end_object();
    }
    json.end_array().field("wall_ms", wall_ms).field("device", device).key("settings");
    write_settings(json, settings);
    json.end_object();
    return json.take();
  }

  static void print(const Common& common, const std::string& name, const FoundObjects& found,
                    double wall_ms, const std::string& device) {
    char text[128];
    std::snprintf(text, sizeof text, ", %lld x %lld: %zu found",
                  static_cast<long long>(found.width), static_cast<long long>(found.height),
                  found.objects.size());
    std::string title = name + text;
    if (!common.quiet) {
      std::snprintf(text, sizeof text, " (%.1f ms on ", wall_ms);
      title += text + device + ")";
    }
    print_line(title);
    for (const FoundObject& one : found.objects) {
      const Detection& box = one.box;
      std::snprintf(text, sizeof text, "  %8.6f  %4lld  %8.1f %8.1f %8.1f %8.1f", box.score,
                    static_cast<long long>(box.index), box.x0, box.y0, box.x1, box.y1);
      print_line(one.label.empty() ? text : text + ("  " + one.label));
    }
  }

  MediaCommand command_;
};

}  // namespace

extern const Command command_detect;
constinit const Command command_detect{"detect", "where things are in pictures",
                                       make_action<Detect>};

}  // namespace polaris::cli
