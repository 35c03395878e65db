#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "base/os/clock.h"
#include "command.h"
#include "interrupt.h"
#include "model_io.h"
#include "output.h"
#include "progress.h"
#include "quant/quantize_gguf.h"

namespace polaris::cli {
namespace {

std::string scheme_names() {
  std::string out;
  for (const QuantScheme& scheme : quant_schemes()) {
    out += (out.empty() ? "" : ", ") + std::string(scheme.name);
  }
  return out;
}

class Quantize final : public Action {
 public:
  void declare(CLI::App& app) override {
    app.add_option("model", model_, "GGUF file, or the first of several")->required();
    app.add_option("-o,--output", output_, "GGUF file to write")->required();
    app.add_option("--scheme", scheme_,
                   "how its matrices are stored: " + scheme_names() +
                       "; copy leaves them as they are, and makes one file of several")
        ->required();
    app.add_flag("--allow-requantize", allow_requantize_,
                 "take weights that are quantized already: their errors add to the new ones");
  }

  Status run(const Common& common) override {
    const QuantScheme* scheme = find_quant_scheme(scheme_);
    if (scheme == nullptr) {
      return common.usage_error("--scheme, got '" + scheme_ + "', wanted one of " + scheme_names());
    }
    const std::int64_t start = monotonic_ns();
    CancelOnInterrupt interrupt;
    Progress progress(common);
    QuantizeOptions options;
    options.scheme = scheme;
    options.allow_requantize = allow_requantize_;
    options.threads = common.threads;
    options.cancel = interrupt.token();
    options.progress = [&](std::int64_t done, std::int64_t all) {
      progress.show("weights", bytes_text(done), bytes_text(all));
    };
    const auto report = quantize_gguf(model_, output_, options);
    progress.clear();
    if (!report) return report.error();
    if (common.json) {
      print_json(*report, *scheme, elapsed_ms(start));
      return Status::success();
    }
    warn(common, *report);
    print_text_report(common, *report, elapsed_ms(start));
    return Status::success();
  }

 private:
  static double bits_per_weight(const QuantizeReport& report) {
    std::int64_t bytes = 0;
    for (const QuantizedTensor& tensor : report.tensors) bytes += tensor.bytes_after;
    return report.elements > 0
               ? 8.0 * static_cast<double>(bytes) / static_cast<double>(report.elements)
               : 0.0;
  }

  static void warn(const Common& common, const QuantizeReport& report) {
    const auto fell_back = [](const QuantizedTensor& tensor) { return !tensor.wanted.empty(); };
    const auto& all = report.tensors;
    const auto first = std::find_if(all.begin(), all.end(), fell_back);
    if (common.quiet || first == all.end()) return;
    common.logger().warning(
        std::to_string(std::count_if(all.begin(), all.end(), fell_back)) +
        " tensors have rows that are no whole blocks of what the scheme says, such as '" +
        first->name + "' with rows of " + std::to_string(first->shape.back()) + ": stored as " +
        std::string(first->to) + " in place of " + std::string(first->wanted));
  }

  void print_text_report(const Common& common, const QuantizeReport& report, double ms) const {
    char line[512];
    for (const QuantizedTensor& tensor : report.tensors) {
      if (common.quiet) break;
      if (tensor.from == tensor.to) continue;
      const std::string wanted =
          tensor.wanted.empty() ? "" : "  in place of " + std::string(tensor.wanted);
      std::snprintf(line, sizeof line, "%-40.200s %6s -> %-6s  off by %.3g %%%s",
                    tensor.name.c_str(), std::string(tensor.from).c_str(),
                    std::string(tensor.to).c_str(), 100 * tensor.relative_error, wanted.c_str());
      print_line(line);
    }
    std::snprintf(line, sizeof line, "%s -> %s, %.3f bits a weight, in %.1f s",
                  bytes_text(report.bytes_before).c_str(), bytes_text(report.bytes_after).c_str(),
                  bits_per_weight(report), ms / 1000);
    print_line(output_ + ": " + line);
  }

  void print_json(const QuantizeReport& report, const QuantScheme& scheme, double ms) const {
    JsonWriter json;
    json.begin_object().field("file", output_).field("scheme", scheme.name);
    json.field("bytes_before", report.bytes_before).field("bytes_after", report.bytes_after);
    json.field("bits_per_weight", bits_per_weight(report)).field("wall_ms", ms);
    json.key("tensors").begin_array();
    for (const QuantizedTensor& tensor : report.tensors) {
      json.begin_object().field("name", tensor.name).key("shape").begin_array();
      for (const std::int64_t dim : tensor.shape) json.value(dim);
      json.end_array().field("from", tensor.from).field("to", tensor.to);
      if (!tensor.wanted.empty()) json.field("wanted", tensor.wanted);
      json.field("bytes", tensor.bytes_after).field("relative_error", tensor.relative_error);
      json.end_object();
    }
    json.end_array().end_object();
    print_line(json.text());
  }

  std::string model_;
  std::string output_;
  std::string scheme_;
  bool allow_requantize_ = false;
};

}  // namespace

extern const Command command_quantize;
constinit const Command command_quantize{"quantize", "write a GGUF model with smaller weights",
                                         make_action<Quantize>};

}  // namespace polaris::cli
