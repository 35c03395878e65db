#include <CLI/CLI.hpp>
#include <cstdio>
#include <span>
#include <string>

#include "base/os/clock.h"
#include "command.h"
#include "interrupt.h"
#include "media_options.h"
#include "output.h"
#include "pipeline/vision/classifier.h"

namespace polaris::cli {
namespace {

class Classify final : public Action {
 public:
  void declare(CLI::App& app) override {
    command_.declare(
        app, kForClassify,
        "pictures (PNG, JPEG, BMP, PNM) or recordings (WAV, FLAC), as the model takes");
  }

  Status run(const Common& common) override {
    auto ready = command_.open(common);
    if (!ready) return ready.error();
    auto classifier =
        Classifier::create(ready->opened.runtime, ready->opened.model, ready->options);
    if (!classifier) return classifier.error().with_context("'" + command_.model() + "'");
    const std::string device = device_text(*ready->opened.runtime);
    print_settings(common, classifier->settings());
    CancelOnInterrupt interrupt;
    RunOptions options;
    options.cancel = interrupt.token();
    return command_.each_file([&](const std::string& name, std::span<const std::byte> bytes) {
      const std::int64_t start = monotonic_ns();
      const auto answer = classifier->classify(bytes, options);
      if (!answer) return Status(answer.error());
      const double wall_ms = elapsed_ms(start);
      if (common.json) {
        print_line(json_of(name, *answer, wall_ms, device, classifier->settings()));
      } else {
        print(common, name, *answer, wall_ms, device);
      }
      return Status::success();
    });
  }

 private:
  static std::string json_of(const std::string& name, const Classification& answer, double wall_ms,
                             const std::string& device, const Settings& settings) {
    JsonWriter json;
    json.begin_object().field("file", name).key("classes").begin_array();
    for (const ScoredClass& one : answer.classes) {
      json.begin_object().field("index", one.index).field("label", one.label);
      json.field("score", one.score).end_object();
    }
    json.end_array().field("rows", answer.rows);
    if (answer.samples_found > 0) {
      json.field("samples_found", answer.samples_found);
      json.field("samples_taken", answer.samples_taken);
    }
    json.field("wall_ms", wall_ms).field("device", device).key("settings");
    write_settings(json, settings);
    json.end_object();
    return json.take();
  }

  static void print(const Common& common, const std::string& name, const Classification& answer,
                    double wall_ms, const std::string& device) {
    std::string title = name;
    if (answer.samples_taken < answer.samples_found) {
      title += ", the first " + std::to_string(answer.samples_taken) + " of " +
               std::to_string(answer.samples_found) + " samples";
    } else if (answer.samples_found > 0) {
      title += ", " + std::to_string(answer.samples_found) + " samples";
    }
    if (answer.rows > 1) title += ", mean of " + std::to_string(answer.rows) + " rows of scores";
    char text[96];
    if (!common.quiet) {
      std::snprintf(text, sizeof text, " (%.1f ms on ", wall_ms);
      title += text + device + ")";
    }
    print_line(title);
    for (const ScoredClass& one : answer.classes) {
      std::snprintf(text, sizeof text, "  %9.6f  %5lld", one.score,
                    static_cast<long long>(one.index));
      print_line(one.label.empty() ? text : text + ("  " + one.label));
    }
  }

  MediaCommand command_;
};

}  // namespace

extern const Command command_classify;
constinit const Command command_classify{"classify", "what pictures or recordings show",
                                         make_action<Classify>};

}  // namespace polaris::cli
