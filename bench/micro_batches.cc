// A prompt over several devices, cut into 1, 2, 4 and 8 micro-batches: what it takes, how long each
// device is at work, and how long more than one is.
//
//   bench_micro_batches MODEL DEVICE,DEVICE [prompt tokens] [runs]

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/os/clock.h"
#include "base/strings.h"
#include "load/load.h"
#include "pipeline/generation.h"
#include "session/open_devices.h"

namespace polaris {
namespace {

/// Microseconds in which at least so many devices are at work.
double busy_us(const std::vector<TraceEvent>& events, std::size_t devices) {
  std::vector<std::pair<double, std::pair<std::int32_t, int>>> changes;
  for (const TraceEvent& event : events) {
    if (event.what == "transfer") continue;
    changes.push_back({event.begin_us, {event.device_index, 1}});
    changes.push_back({event.end_us, {event.device_index, -1}});
  }
  std::sort(changes.begin(), changes.end());
  std::map<std::int32_t, int> at_work;
  double sum = 0;
  double last = 0;
  for (const auto& [time, change] : changes) {
    const auto busy =
        std::ranges::count_if(at_work, [](const auto& one) { return one.second > 0; });
    if (static_cast<std::size_t>(busy) >= devices) sum += time - last;
    at_work[change.first] += change.second;
    last = time;
  }
  return sum;
}

Status prompt(Batcher& batcher, std::int64_t tokens, int seed, const RunOptions& options) {
  GenerateRequest request;
  for (std::int64_t i = 0; i < tokens; ++i) {
    request.prompt.push_back(static_cast<TokenId>((i * 7919 + seed) % batcher.model().vocabulary));
  }
  request.max_new_tokens = 1;
  request.sampler.temperature = 0;
  auto id = batcher.add(std::move(request));
  if (!id) return id.error();
  while (!batcher.idle()) {
    auto events = batcher.step(options);
    if (!events) return events.error();
  }
  return Status::success();
}

Status measure(const std::string& path, const std::string& devices, std::int64_t tokens,
               std::int64_t runs) {
  for (const std::int64_t count : {1, 2, 4, 8}) {
    DeviceOptions options;
    options.devices.clear();
    for (const std::string_view name : split(devices, ',')) options.devices.emplace_back(name);
    auto runtime = open_runtime(options);
    if (!runtime) return runtime.error();
    GenerationOptions generation;
    generation.batcher.share_prefixes = false;
    generation.batcher.micro_batches = {count, 1};
    LoadOptions load;
    load.arch = generator_arch_options(generation);
    auto model = load_model(path, (*runtime)->ops(), load);
    if (!model) return model.error();
    auto batcher = make_batcher(*runtime, *model, {}, generation);
    if (!batcher) return batcher.error();
    // Brings weights and plans.
    if (auto status = prompt(**batcher, tokens, 0, {}); !status) return status;
    std::vector<double> times_ms;
    double one = 0;
    double two = 0;
    for (std::int64_t r = 1; r <= runs; ++r) {
      Trace trace;
      RunOptions run;
      run.trace = &trace;
      const std::int64_t start = monotonic_ns();
      if (auto status = prompt(**batcher, tokens, static_cast<int>(r), run); !status) {
        return status;
      }
      times_ms.push_back(elapsed_ms(start));
      one += busy_us(trace.events(), 1);
      two += busy_us(trace.events(), 2);
    }
    std::sort(times_ms.begin(), times_ms.end());
    const double median_ms = times_ms[times_ms.size() / 2];
    std::printf(
        "%lld micro-batches: %.1f ms, %.1f tokens/s, two devices at work %.0f %% of the "
        "time that one is\n",
        static_cast<long long>(count), median_ms, static_cast<double>(tokens) * 1000 / median_ms,
        one > 0 ? 100 * two / one : 0);
  }
  return Status::success();
}

}  // namespace
}  // namespace polaris

int main(int argc, char** argv) {
  const auto tokens = polaris::parse_i64(argc > 3 ? argv[3] : "512");
  const auto runs = polaris::parse_i64(argc > 4 ? argv[4] : "5");
  if (argc < 3 || !tokens || *tokens < 1 || !runs || *runs < 1) {
    std::fprintf(stderr, "usage: bench_micro_batches MODEL DEVICE,DEVICE [tokens] [runs]\n");
    return 2;
  }
  const auto status = polaris::measure(argv[1], argv[2], *tokens, *runs);
  if (!status) std::fprintf(stderr, "%s\n", status.error().message().c_str());
  return status ? 0 : 1;
}
