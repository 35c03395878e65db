// Two sessions on one device: one with a job of some seconds, one with short steps. How long do the
// steps wait? A step that is alone takes some time by itself; what it takes more while the job runs
// is its wait. The device gives way after a unit of work.
//   bench_fairness [device] [seconds of the job] [steps]
#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/clock.h"
#include "base/os/thread.h"
#include "ir/text/text.h"
#include "session/open_devices.h"
#include "session/program.h"
#include "session/session.h"

namespace {

using namespace polaris;
using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

double quantile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto last = static_cast<double>(values.size() - 1);
  return values[static_cast<std::size_t>(std::lround(part * last))];
}

void check(const Status& status) {
  if (status) return;
  std::fprintf(stderr, "fairness: %s\n", status.error().message().c_str());
  std::exit(1);
}

template <class T>
T must(Result<T> result) {
  if (!result) check(result.error());
  return result.take();
}

/// `count` products of a [n, n] matrix with itself, each scaled back by a softmax.
std::string products(std::int64_t n, std::int64_t count) {
  const std::string type = "float32[" + std::to_string(n) + ", " + std::to_string(n) + "]";
  std::string text = "graph g {\n input %v0 : " + type + "\n";
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string at = std::to_string(i);
    text += " %p" + at + " = MatMul(%v" + at + ", %v" + at + ")\n";
    text += " %v" + std::to_string(i + 1) + " = Softmax(%p" + at + ", axis = 1)\n";
  }
  return text + " output %v" + std::to_string(count) + "\n}\n";
}

/// A program of its own with one session.
struct Work {
  std::unique_ptr<Session> session;
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;

  Work(const std::shared_ptr<Runtime>& runtime, std::int64_t n, std::int64_t count) {
    auto graph = must(parse_graph(products(n, count), runtime->ops()));
    session = must(Session::create(must(Program::compile(runtime, std::move(graph)))));
    auto x = must(Tensor::allocate(DType::kF32, {n, n}));
    for (std::int64_t i = 0; i < n * n; ++i) {
      x.mutable_data<float>()[i] = static_cast<float>(i % 17) / 17.0f;
    }
    inputs.push_back(std::move(x));
  }
  double run() {
    const auto begin = Clock::now();
    check(session->run(inputs, outputs));
    return ms_since(begin);
  }
};

/// The number of products that take about `ms` on the device.
std::int64_t count_for(const std::shared_ptr<Runtime>& runtime, std::int64_t n, double ms) {
  std::int64_t count = 4;
  while (true) {
    Work probe(runtime, n, count);
    (void)probe.run();
    const double took = std::min(probe.run(), probe.run());
    if (took > ms / 8 || count > 4096) {
      return std::max<std::int64_t>(static_cast<std::int64_t>(ms / took * count), 1);
    }
    count *= 4;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string device_name = argc > 1 ? argv[1] : "auto";
  const auto number = [&](int at, double otherwise) {
    double value = otherwise;
    if (argc > at) {
      const std::string_view text = argv[at];
      std::from_chars(text.data(), text.data() + text.size(), value);
    }
    return value;
  };
  const double job_s = number(2, 3);
  const auto steps = static_cast<std::size_t>(number(3, 200));
  DeviceOptions options;
  options.devices = {device_name};
  auto runtime = must(open_runtime(options));
  Device& device = runtime->device(0);
  const bool slow = device.info().host_memory || device.info().software;
  const std::int64_t n = slow ? 384 : 4096;

  Work step(runtime, slow ? 64 : 512, 4);
  Work job(runtime, n, count_for(runtime, n, job_s * 1e3));
  // The first runs calibrate.
  for (int i = 0; i < 4; ++i) (void)step.run();
  double job_alone_ms = 0;
  for (int i = 0; i < 3; ++i) job_alone_ms = job.run();
  std::vector<double> alone;
  for (std::size_t i = 0; i < steps; ++i) alone.push_back(step.run());
  const double alone_ms = quantile(alone, 0.5);

  std::atomic<bool> stop{false};
  std::atomic<int> jobs{0};
  auto thread = must(Thread::start([&] {
    while (!stop) {
      (void)job.run();
      ++jobs;
    }
  }));
  // Units are cut by what was measured once somebody waits: the first runs beside each other
  // calibrate too.
  while (jobs < 3) (void)step.run();
  std::vector<double> waits;
  const auto begin = Clock::now();
  while (waits.size() < steps || ms_since(begin) < job_alone_ms) {
    waits.push_back(std::max(step.run() - alone_ms, 0.0));
    // Steps that come at any time of the job's units.
    sleep_ns(static_cast<std::int64_t>(1 + waits.size() * 7 % 23) * 1'000'000);
  }
  stop = true;
  thread.join();

  const DeviceCounters counters = device.counters();
  const double unit_ms = static_cast<double>(counters.longest_unit_us) * 1e-3;
  const double p99 = quantile(waits, 0.99);
  std::printf("device          %s (%s)\n", device.info().id.c_str(), device.info().name.c_str());
  std::printf("job alone       %.0f ms\n", job_alone_ms);
  std::printf("step alone      median %.2f ms, p99 %.2f ms\n", alone_ms, quantile(alone, 0.99));
  std::printf("unit            longest measured %.1f ms, at most %.0f ms wanted\n", unit_ms,
              Device::kUnitUs * 1e-3);
  std::printf("steps beside it %zu; wait median %.1f ms, p90 %.1f ms, p99 %.1f ms, most %.1f ms\n",
              waits.size(), quantile(waits, 0.5), quantile(waits, 0.9), p99, quantile(waits, 1));
  std::printf("p99 in units    %.2f\n", unit_ms > 0 ? p99 / unit_ms : 0.0);
  std::printf("turns given     %lld\n", static_cast<long long>(counters.turns_given));
  if (const std::string slow_kernel = device.slow_kernel(); !slow_kernel.empty()) {
    std::printf("too long        %s\n", slow_kernel.c_str());
  }
  const double limit = unit_ms + 10;
  std::printf("p99 wait %s one unit and 10 ms (%.1f ms)\n", p99 <= limit ? "within" : "OVER",
              limit);
  return 0;
}
