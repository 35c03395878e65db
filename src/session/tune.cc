#include "session/tune.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <utility>

#include "base/os/clock.h"

namespace polaris {
namespace {

constexpr double kFasterBy = 0.97;
constexpr int kComparisons = 3;  // of whole runs, usual and tuned in turn

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(std::lround(q * static_cast<double>(values.size() - 1)))];
}
double median(const std::vector<double>& values) { return quantile(values, 0.5); }

/// Nodes of one key: what they were offered, and how long each kernel's launches took, a number a
/// run.
struct Measured {
  std::string op;
  std::string node;
  std::vector<std::string> kernels;
  std::map<std::string, std::vector<double>> times_us;
};
/// By device id, then node key.
using Key = std::pair<std::string, std::string>;

class Tuner {
 public:
  Tuner(Runtime& runtime, FunctionRef<void()> drop_plans, TunedRun run, std::vector<Tuning>& known,
        const TuneOptions& options)
      : runtime_(runtime), drop_plans_(drop_plans), run_(run), known_(known), options_(options) {}

  Result<TuneReport> tune();

 private:
  using Tables = std::map<std::string, Tuning>;  // by device id

  void use(const Tables& tables);
  Status measure(const Tables& tables);
  Result<double> whole_ms(const Tables& tables);
  Tables trial(std::size_t nth) const;
  Tables winners(TuneReport& report) const;
  Status compare(const Tables& tables, TuneReport& report);
  void keep(const Tables& tables);

  Runtime& runtime_;
  FunctionRef<void()> drop_plans_;
  TunedRun run_;
  std::vector<Tuning>& known_;
  const TuneOptions& options_;
  std::map<Key, Measured> nodes_;
};

void Tuner::use(const Tables& tables) {
  for (Device* device : runtime_.devices()) {
    const auto found = tables.find(device->info().id);
    device->set_tuning(found == tables.end() ? nullptr
                                             : std::make_shared<const Tuning>(found->second));
  }
  drop_plans_();
}

/// Runs with a set of kernels, and adds the times of every node that has a choice.
Status Tuner::measure(const Tables& tables) {
  use(tables);
  RunOptions plain;
  plain.cancel = options_.cancel;
  if (auto status = run_(plain); !status) return status;  // plans, weights, pipelines
  for (std::int32_t r = 0; r < options_.runs; ++r) {
    std::vector<NodeTime> times;
    RunOptions profiled = plain;
    profiled.profile = &times;
    if (auto status = run_(profiled); !status) return status;
    std::map<std::pair<Key, std::string>, double> sums;
    for (const NodeTime& time : times) {
      if (time.choice == nullptr) continue;
      const Key key{time.device, time.choice->node};
      Measured& node = nodes_[key];
      if (node.kernels.empty()) {
        node = {time.op, time.node, time.choice->kernels, {}};
      }
      sums[{key, time.chosen}] += time.us;
    }
    for (const auto& [at, us] : sums) nodes_[at.first].times_us[at.second].push_back(us);
  }
  return Status::success();
}

/// The `nth` kernel of every node that was offered so many, of others the usual one.
Tuner::Tables Tuner::trial(std::size_t nth) const {
  Tables tables;
  for (const auto& [key, node] : nodes_) {
    if (nth < node.kernels.size()) tables[key.first].set(key.second, node.kernels[nth]);
  }
  return tables;
}

Tuner::Tables Tuner::winners(TuneReport& report) const {
  Tables tables;
  for (const auto& [key, node] : nodes_) {
    const auto usual = node.times_us.find(node.kernels.front());
    if (usual == node.times_us.end()) continue;
    TunedNode row{key.first,
                  key.second,
                  node.op,
                  node.node,
                  node.kernels.front(),
                  node.kernels.front(),
                  median(usual->second),
                  median(usual->second)};
    for (const auto& [kernel, times] : node.times_us) {
      if (median(times) >= row.fastest_us || !is_faster(times, usual->second)) continue;
      row.fastest = kernel;
      row.fastest_us = median(times);
    }
    if (row.fastest != row.usual) tables[key.first].set(key.second, row.fastest);
    report.nodes.push_back(std::move(row));
  }
  return tables;
}

Result<double> Tuner::whole_ms(const Tables& tables) {
  use(tables);
  RunOptions plain;
  plain.cancel = options_.cancel;
  if (auto status = run_(plain); !status) return status.error();
  std::vector<double> times;
  for (std::int32_t r = 0; r < options_.runs; ++r) {
    const std::int64_t start = monotonic_ns();
    if (auto status = run_(plain); !status) return status.error();
    times.push_back(static_cast<double>(monotonic_ns() - start) * 1e-6);
  }
  return median(times);
}

/// Whole runs of both, in turn, so that a machine that warms up or gets busy harms them alike.
Status Tuner::compare(const Tables& tables, TuneReport& report) {
  std::vector<double> usual;
  std::vector<double> tuned;
  for (int i = 0; i < kComparisons; ++i) {
    const auto before = whole_ms({});
    if (!before) return before.error();
    const auto after = whole_ms(tables);
    if (!after) return after.error();
    usual.push_back(*before);
    tuned.push_back(*after);
  }
  report.usual_ms = median(usual);
  report.tuned_ms = median(tuned);
  return Status::success();
}

void Tuner::keep(const Tables& tables) {
  const auto devices = runtime_.devices();
  for (std::size_t d = 0; d < devices.size() && d < known_.size(); ++d) {
    for (const auto& [key, node] : nodes_) {
      if (key.first == devices[d]->info().id) known_[d].erase(key.second);
    }
    const auto found = tables.find(devices[d]->info().id);
    if (found == tables.end()) continue;
    for (const auto& [node, kernel] : found->second.all()) known_[d].set(node, kernel);
  }
}

Result<TuneReport> Tuner::tune() {
  TuneReport report;
  if (auto status = measure({}); !status) return status.error();
  std::size_t most = 1;
  for (const auto& [key, node] : nodes_) most = std::max(most, node.kernels.size());
  // A trial's kernels, then the usual ones again, so that both are measured all the time.
  for (std::size_t nth = 1; nth < most; ++nth) {
    const Status tried = measure(trial(nth));
    if (!tried && tried.error().code() == ErrorCode::kCancelled) return tried.error();
    report.trials += 1;
    if (!tried) report.failed += 1;
    if (auto status = measure({}); !status) return status.error();
    if (options_.progress) options_.progress(nth, most - 1);
  }
  Tables tables = winners(report);
  if (auto status = compare(tables, report); !status) return status.error();
  report.kept = !tables.empty() && report.tuned_ms < report.usual_ms;
  if (!report.kept) tables.clear();
  keep(tables);
  const auto devices = runtime_.devices();
  for (std::size_t d = 0; d < devices.size() && d < known_.size(); ++d) {
    devices[d]->set_tuning(std::make_shared<const Tuning>(known_[d]));
  }
  drop_plans_();
  return report;
}

}  // namespace

bool is_faster(const std::vector<double>& times, const std::vector<double>& usual) {
  if (times.empty() || usual.empty()) return false;
  return median(times) < kFasterBy * median(usual) && quantile(times, 0.75) < quantile(usual, 0.25);
}

Result<TuneReport> tune(Runtime& runtime, FunctionRef<void()> drop_plans, TunedRun run,
                        std::vector<Tuning>& known, const TuneOptions& options) {
  return Tuner(runtime, drop_plans, run, known, options).tune();
}

}  // namespace polaris
