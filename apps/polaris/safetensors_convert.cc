#include "safetensors_convert.h"

#include <cstdio>

#include "base/os/clock.h"
#include "base/os/output_file.h"
#include "interrupt.h"
#include "model_io.h"
#include "output.h"
#include "progress.h"
#include "save/safetensors/safetensors_writer.h"

namespace polaris::cli {

Status convert_safetensors(const Common& common, const std::string& model,
                           const std::string& output) {
  const std::int64_t start = monotonic_ns();
  const auto opened = open_model(common, model);
  if (!opened) return opened.error();
  if (const auto target = identity_of(output)) {
    bool own = target == identity_of(model);
    for (const Weight& weight : opened->model.weights) {
      if (!weight.constant || !weight.constant->file) continue;
      own = own || identity_of(*weight.constant->file) == target;
    }
    if (own) {
      return Error::invalid("[convert] '" + output +
                            "' is a file of the model itself, wanted another");
    }
  }
  CancelOnInterrupt interrupt;
  Progress progress(common);
  SafetensorsWriteOptions options;
  options.stop = [&] { return interrupt.interrupted(); };
  options.progress = [&](std::int64_t done, std::int64_t all) {
    progress.show("written", bytes_text(done), bytes_text(all));
  };
  const auto report = write_safetensors(opened->model, output, options);
  progress.clear();
  if (!report) return report.error().with_context("'" + model + "'");
  const double ms = elapsed_ms(start);
  if (common.json) {
    JsonWriter json;
    json.begin_object().field("file", output).field("format", "safetensors");
    json.field("tensors", report->tensors).field("decoded", report->decoded);
    json.field("bytes", report->bytes).field("wall_ms", ms).end_object();
    print_line(json.text());
    return Status::success();
  }
  char line[256];
  std::snprintf(line, sizeof line, "%lld tensors, %s in %.1f s",
                static_cast<long long>(report->tensors), bytes_text(report->bytes).c_str(),
                ms / 1000);
  if (!common.quiet) print_line(output + ": " + line);
  return Status::success();
}

}  // namespace polaris::cli
