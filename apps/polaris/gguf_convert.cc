#include "gguf_convert.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "base/os/clock.h"
#include "interrupt.h"
#include "lora_options.h"
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

double bits_per_weight(const QuantizeReport& report) {
  std::int64_t bytes = 0;
  for (const QuantizedTensor& tensor : report.tensors) bytes += tensor.bytes_after;
  return report.elements > 0
             ? 8.0 * static_cast<double>(bytes) / static_cast<double>(report.elements)
             : 0.0;
}

void warn(const Common& common, const QuantizeReport& report) {
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

void print_text_report(const Common& common, const GgufConversion& what,
                       const QuantizeReport& report, double ms) {
  char line[512];
  for (const QuantizedTensor& tensor : report.tensors) {
    if (common.quiet) break;
    if (tensor.from == tensor.to) continue;
    const std::string wanted =
        tensor.wanted.empty() ? "" : "  in place of " + std::string(tensor.wanted);
    std::snprintf(line, sizeof line, "%-40.200s %6s -> %-6s  off by %.3g %%%s", tensor.name.c_str(),
                  std::string(tensor.from).c_str(), std::string(tensor.to).c_str(),
                  100 * tensor.relative_error, wanted.c_str());
    print_line(line);
  }
  std::snprintf(line, sizeof line, "%s -> %s, %.3f bits a weight, in %.1f s",
                bytes_text(report.bytes_before).c_str(), bytes_text(report.bytes_after).c_str(),
                bits_per_weight(report), ms / 1000);
  print_line(what.output + ": " + line);
}

void print_json(const GgufConversion& what, const QuantizeReport& report, double ms) {
  JsonWriter json;
  json.begin_object().field("file", what.output).field("scheme", what.scheme);
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

}  // namespace

CLI::Option* declare_gguf_options(CLI::App& app, GgufConversion& what, const std::string& label) {
  app.add_flag("--allow-requantize", what.allow_requantize,
               label + "take weights that are quantized already: their errors add to the new ones");
  return app.add_option("--scheme", what.scheme,
                        label + "how its matrices are stored: " + scheme_names() +
                            "; copy leaves them as they are, and makes one file of several");
}

Status convert_gguf(const Common& common, const GgufConversion& what) {
  const QuantScheme* scheme = find_quant_scheme(what.scheme);
  if (scheme == nullptr) {
    return common.usage_error("--scheme, got '" + what.scheme + "', wanted one of " +
                              scheme_names());
  }
  const auto adapters = load_adapters(common, what.loras);
  if (!adapters) return adapters.error();
  const std::int64_t start = monotonic_ns();
  CancelOnInterrupt interrupt;
  Progress progress(common);
  QuantizeOptions options;
  options.scheme = scheme;
  options.allow_requantize = what.allow_requantize;
  options.adapters = adapters->get();
  options.threads = common.threads;
  options.cancel = interrupt.token();
  options.progress = [&](std::int64_t done, std::int64_t all) {
    progress.show("weights", bytes_text(done), bytes_text(all));
  };
  const auto report = quantize_gguf(what.model, what.output, options);
  progress.clear();
  if (!report) return report.error();
  if (common.json) {
    print_json(what, *report, elapsed_ms(start));
    return Status::success();
  }
  warn(common, *report);
  print_text_report(common, what, *report, elapsed_ms(start));
  return Status::success();
}

}  // namespace polaris::cli
