#include "model.h"

#include <algorithm>

namespace polaris::audit {
namespace {

// Latencies in cycles: a hit in L2, in the scalar cache, in LDS. A taken branch refetches.
constexpr double kVmemLatency = 350;
constexpr double kSmemLatency = 100;
constexpr double kLdsLatency = 64;
constexpr double kBranchCycles = 16;
constexpr double kTripsMin = 16;  // a hot loop is taken to run at least this often
constexpr double kIssueCycles = 4;
constexpr std::array<const char*, kPipes> kPipeNames = {"valu", "salu", "vmem", "smem", "lds"};

std::vector<Range> loops(std::span<const Instruction> program) {
  std::vector<Range> out;
  for (std::size_t i = 0; i < program.size(); ++i) {
    const int target = program[i].target;
    if (target < 0 || target > program[i].block) continue;
    std::size_t first = i;
    while (first > 0 && program[first - 1].block >= target) --first;
    const auto same =
        std::find_if(out.begin(), out.end(), [&](const Range& r) { return r.first == first; });
    if (same == out.end()) {
      out.push_back({first, i, true});
    } else {
      same->last = i;  // a `continue` goes back to the same header
    }
  }
  return out;
}

bool within(const Range& inner, const Range& outer) {
  return outer.first <= inner.first && inner.last <= outer.last &&
         (inner.first != outer.first || inner.last != outer.last);
}

double own_cost(std::span<const Instruction> program, std::span<const Range> all,
                const Range& loop) {
  double cost = 0;
  for (std::size_t i = loop.first; i <= loop.last; ++i) {
    const bool nested = std::any_of(all.begin(), all.end(), [&](const Range& other) {
      return within(other, loop) && other.first <= i && i <= other.last;
    });
    if (!nested && program[i].pipe != Pipe::kWait) cost += program[i].cycles;
  }
  return cost;
}

/// When the operations in flight come back, oldest first.
struct InFlight {
  std::vector<double> done;
  void wait(int left, double& now) {
    if (left < 0) return;
    while (done.size() > static_cast<std::size_t>(left)) {
      now = std::max(now, done.front());
      done.erase(done.begin());
    }
  }
};

double walk(std::span<const Instruction> body, bool repeats) {
  InFlight vmem;
  InFlight lgkm;
  double now = 0;
  double trip_start = 0;
  // The second trip is the steady one: the first has nothing in flight at its start.
  for (int trip = 0; trip < (repeats ? 2 : 1); ++trip) {
    trip_start = now;
    for (const Instruction& at : body) {
      switch (at.pipe) {
        case Pipe::kValu: now += at.cycles; break;
        case Pipe::kVmem: vmem.done.push_back(now + kVmemLatency); break;
        case Pipe::kSmem: lgkm.done.push_back(now + kSmemLatency); break;
        case Pipe::kLds: lgkm.done.push_back(now + kLdsLatency); break;
        case Pipe::kWait:
          vmem.wait(at.vmem_left, now);
          lgkm.wait(at.lgkm_left, now);
          break;
        case Pipe::kBranch:
          now += at.target >= 0 && at.target <= at.block ? kBranchCycles : 0;
          break;
        case Pipe::kSalu: break;
      }
      if (at.pipe != Pipe::kValu) now += kIssueCycles;
    }
  }
  return now - trip_start;
}

}  // namespace

Range hot_loop(std::span<const Instruction> program) {
  const std::vector<Range> all = loops(program);
  const Range whole{0, program.empty() ? 0 : program.size() - 1, false};
  Range best = whole;
  double best_cost = -1;
  for (const Range& loop : all) {
    const double cost = own_cost(program, all, loop);
    if (cost > best_cost) {
      best = loop;
      best_cost = cost;
    }
  }
  // Straight code that outweighs the loop even then is where the time goes.
  if (best.loop && own_cost(program, all, whole) > kTripsMin * best_cost) return whole;
  return best;
}

Modelled model(std::span<const Instruction> program, int waves) {
  Modelled out;
  if (program.empty()) return out;
  const Range range = hot_loop(program);
  const auto body = program.subspan(range.first, range.last - range.first + 1);
  out.loop = range.loop;
  for (const Instruction& at : body) {
    const auto pipe = static_cast<std::size_t>(at.pipe);
    if (pipe >= kPipes) continue;
    ++out.count[pipe];
    out.cycles[pipe] += at.cycles;
  }
  out.alone_cycles = walk(body, range.loop);
  const auto busiest = std::max_element(out.cycles.begin(), out.cycles.end());
  const double shared = out.alone_cycles / std::max(1, waves);
  out.trip_cycles = std::max<double>(*busiest, shared);
  out.bound = shared > *busiest
                  ? "latency"
                  : kPipeNames[static_cast<std::size_t>(busiest - out.cycles.begin())];
  return out;
}

}  // namespace polaris::audit
