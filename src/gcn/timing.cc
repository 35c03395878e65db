#include "gcn/timing.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "gcn/cost.h"
#include "gcn/memory_system.h"
#include "gcn/trace.h"

namespace polaris::gcn {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr std::int64_t kSamples = 8;
constexpr double kBoundFrom = 0.6;  // a part busier than this is what binds, else latency does

int up(int value, int step) { return (value + step - 1) / step * step; }

struct Group {
  explicit Group(const Program& program, int waves) : trace(program, waves), left(waves) {}
  Trace trace;
  int left;
  int at_barrier = 0;
};

/// A wave under way: where it is, when it may go on, what it waits for.
struct Runner {
  std::shared_ptr<Group> group;
  const std::vector<Trace::Step>* steps = nullptr;
  std::size_t at = 0;
  double ready = 0;
  std::deque<double> vm;  // when each comes back, in order
  std::deque<double> lgkm;
};

struct Cu {
  Cu() : l1(Chip::kL1Bytes, Chip::kL1Ways), scalar(Chip::kScalarBytes, Chip::kL1Ways) {}
  std::array<std::vector<Runner>, Chip::kSimds> simd;
  std::array<double, Chip::kSimds> valu_free = {};
  double vmem_free = 0;
  double lds_free = 0;
  double smem_free = 0;
  double port_free = 0;
  CacheTags l1;
  CacheTags scalar;
  int groups = 0;
};

class Simulation {
 public:
  Simulation(const Program& program, const Memory& memory, const Launch& launch,
             const TimingOptions& options)
      : program_(program),
        launch_(launch),
        options_(options),
        machine_(program, memory, launch),
        occupancy_(occupancy(program)),
        executed_(program.code.size()) {
    for (const Instruction& in : program_.code) valu_.push_back(valu_cycles(*in.op));
    total_ = std::int64_t{launch.grid[0]} * launch.grid[1] * launch.grid[2];
  }

  Timing run() {
    plan();
    double now = 0;
    while (live_ > 0 || (more() && next_group_ < part_)) {
      if (machine_.report().faults.stopped()) break;
      dispatch(now);
      const double next = turn(now);
      now = std::max(now + Chip::kTurn, std::floor(next / Chip::kTurn) * Chip::kTurn);
      if (next == kNever && live_ > 0) break;
    }
    return result();
  }

 private:
  bool more() const { return traced_ < options_.instructions_max || next_group_ < least_groups_; }

  std::array<std::uint32_t, 3> place(std::int64_t number) const {
    const auto n = static_cast<std::uint64_t>(number);
    const std::uint64_t x = launch_.grid[0];
    const std::uint64_t y = launch_.grid[1];
    return {static_cast<std::uint32_t>(n % x), static_cast<std::uint32_t>(n / x % y),
            static_cast<std::uint32_t>(n / x / y)};
  }

  /// Instructions of a workgroup, by some from all over the grid: causal attention's first ones
  /// have next to nothing to do.
  double instructions_of_group() {
    const std::int64_t samples = std::min(total_, kSamples);
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < samples; ++i) {
      Group one(program_, machine_.waves());
      machine_.run_group(place((2 * i + 1) * total_ / (2 * samples)), &one.trace);
      sum += one.trace.size();
    }
    return static_cast<double>(std::max<std::int64_t>(sum, 1)) / static_cast<double>(samples);
  }

  /// How much of the card is simulated: all of it, or as many CUs as the budget fills three times,
  /// with the middle of the grid.
  void plan() {
    group_instructions_ = instructions_of_group();
    const auto budget = static_cast<double>(options_.instructions_max);
    cus_ = options_.chip.cus;
    if (group_instructions_ * static_cast<double>(total_) > budget) {
      const double fits = budget / (3 * occupancy_.groups * group_instructions_);
      cus_ = static_cast<int>(std::clamp<double>(fits, 1, options_.chip.cus));
    }
    part_ = (total_ * cus_ + options_.chip.cus - 1) / options_.chip.cus;
    least_groups_ = std::min<std::int64_t>(part_, std::int64_t{2} * cus_ * occupancy_.groups);
    const auto wanted = static_cast<std::int64_t>(std::ceil(budget / group_instructions_));
    first_group_ = (total_ - std::clamp(wanted, least_groups_, part_)) / 2;
    cu_ = std::vector<Cu>(static_cast<std::size_t>(cus_));
    const double share = static_cast<double>(cus_) / options_.chip.cus;
    shared_ = std::make_unique<SharedMemory>(options_.chip, share);
    wave_cycles_ = 1.0 / (Chip::kEngines * share);
  }

  /// Workgroups go to the CUs in turn, wherever there is room.
  void dispatch(double now) {
    int full = 0;
    while (full < cus_ && next_group_ < part_ && more() && launch_free_ <= now + Chip::kTurn) {
      Cu& cu = cu_[static_cast<std::size_t>(next_cu_)];
      next_cu_ = (next_cu_ + 1) % cus_;
      if (cu.groups == occupancy_.groups) {
        ++full;
        continue;
      }
      full = 0;
      start(cu, now);
    }
  }

  void start(Cu& cu, double now) {
    auto group = std::make_shared<Group>(program_, machine_.waves());
    machine_.run_group(place(first_group_ + next_group_++), &group->trace);
    traced_ += group->trace.size();
    launch_free_ = std::max(launch_free_, now);
    for (const auto& steps : group->trace.waves()) {
      for (const Trace::Step& step : steps) ++executed_[step.instruction];
      const auto simd =
          std::min_element(cu.simd.begin(), cu.simd.end(),
                           [](const auto& a, const auto& b) { return a.size() < b.size(); });
      launch_free_ += wave_cycles_;
      Runner runner;
      runner.group = group;
      runner.steps = &steps;
      runner.ready = launch_free_ + Chip::kLaunchLatency;
      simd->push_back(std::move(runner));
      ++live_;
    }
    ++cu.groups;
  }

  /// One turn of every SIMD; when the next may do something.
  double turn(double now) {
    double next = more() && next_group_ < part_ && room() ? launch_free_ : kNever;
    for (Cu& cu : cu_) {
      for (std::size_t s = 0; s < cu.simd.size(); ++s) {
        next = std::min(next, simd_turn(cu, s, now + static_cast<double>(s)));
      }
    }
    return next;
  }

  bool room() const {
    return std::any_of(cu_.begin(), cu_.end(),
                       [&](const Cu& cu) { return cu.groups < occupancy_.groups; });
  }

  double simd_turn(Cu& cu, std::size_t s, double now) {
    double next = kNever;
    std::uint32_t used = 0;  // kinds, by Unit
    std::vector<Runner>& runners = cu.simd[s];
    for (Runner& r : runners) {
      if (r.ready <= now) step(cu, s, r, now, used);
      next = std::min(next, r.ready);
    }
    const std::size_t before = runners.size();
    std::erase_if(runners, [](const Runner& r) { return r.at == r.steps->size(); });
    live_ -= static_cast<std::int64_t>(before - runners.size());
    return next;
  }

  void step(Cu& cu, std::size_t s, Runner& r, double now, std::uint32_t& used) {
    const Trace::Step& step = (*r.steps)[r.at];
    const Instruction& in = program_.code[step.instruction];
    const std::uint32_t kind = 1U << static_cast<int>(in.unit);
    if (in.unit == Unit::kInternal) {
      internal(cu, r, in, now);
      return;
    }
    if ((used & kind) != 0 || !issue(cu, s, r, step, in, now)) return;
    used |= kind;
    ++r.at;
    end_ = std::max(end_, now + Chip::kTurn);
  }

  void internal(Cu& cu, Runner& r, const Instruction& in, double now) {
    if (in.op->number == 12) {  // s_waitcnt
      const int vm = in.immediate & 15;
      const int lgkm = (in.immediate >> 8) & 15;
      const double until = std::max(vm == 15 ? 0 : when(r.vm, static_cast<std::size_t>(vm)),
                                    lgkm == 15 ? 0 : when(r.lgkm, static_cast<std::size_t>(lgkm)));
      if (until > now) {
        r.ready = until;
        return;
      }
    }
    ++r.at;
    r.ready = now + Chip::kTurn;
    end_ = std::max(end_, now);
    Group& group = *r.group;
    if (in.op->number == 10) {  // s_barrier
      r.ready = kNever;
      if (++group.at_barrier == group.left) release(cu, group, now);
    }
    if (in.op->number == 1) {  // s_endpgm
      if (--group.left == 0) {
        --cu.groups;
        finished_.push_back(now);
      } else if (group.at_barrier == group.left && group.left > 0) {
        release(cu, group, now);
      }
    }
  }

  static void release(Cu& cu, Group& group, double now) {
    group.at_barrier = 0;
    for (auto& simd : cu.simd) {
      for (Runner& other : simd) {
        if (other.group.get() == &group && other.ready == kNever) other.ready = now + Chip::kTurn;
      }
    }
  }

  /// When at most `left` operations are under way.
  static double when(std::deque<double>& list, std::size_t left) {
    double until = 0;
    while (list.size() > left) {
      until = std::max(until, list.front());
      if (list.size() == left + 1) break;
      list.pop_front();
    }
    return until;
  }

  bool issue(Cu& cu, std::size_t s, Runner& r, const Trace::Step& step, const Instruction& in,
             double now) {
    r.ready = now + Chip::kTurn;
    switch (in.unit) {
      case Unit::kValu: {
        if (cu.valu_free[s] > now) return r.ready = cu.valu_free[s], false;
        const int cycles = valu_[step.instruction];
        cu.valu_free[s] = r.ready = now + cycles;
        busy(Part::kValu, cycles);
        return true;
      }
      case Unit::kSalu: busy(Part::kSalu, 1); return true;
      case Unit::kBranch: {
        const bool last = r.at + 1 == r.steps->size();
        const bool taken = !last && (*r.steps)[r.at + 1].instruction != step.instruction + 1;
        r.ready = now + (taken ? Chip::kBranchTaken : Chip::kTurn);
        return true;
      }
      case Unit::kVmem: return vector_memory(cu, r, step, in, now);
      case Unit::kLds: {
        if (cu.lds_free > now) return r.ready = cu.lds_free, false;
        const double cycles =
            step.access == Trace::kNone ? Chip::kTurn : r.group->trace.access(step.access).cycles;
        cu.lds_free = now + cycles;
        busy(Part::kLds, cycles);
        r.lgkm.push_back(std::max(now + cycles + Chip::kLdsLatency, back(r.lgkm)));
        return true;
      }
      case Unit::kSmem: return scalar_memory(cu, r, step, now);
      case Unit::kInternal: break;
    }
    return true;
  }

  static double back(const std::deque<double>& list) { return list.empty() ? 0 : list.back(); }

  /// A line through a CU's port to the second level: when it is there.
  double beyond(Cu& cu, std::uint64_t line, double now) {
    constexpr double kCycles = double{Chip::kLine} / Chip::kL2PortBytes;
    cu.port_free = std::max(cu.port_free, now) + kCycles;
    return shared_->read(line, cu.port_free) + Chip::kL2Latency;
  }

  bool vector_memory(Cu& cu, Runner& r, const Trace::Step& step, const Instruction& in,
                     double now) {
    if (cu.vmem_free > now) return r.ready = cu.vmem_free, false;
    const Trace::Access access =
        step.access == Trace::kNone ? Trace::Access{} : r.group->trace.access(step.access);
    const double cycles = std::max<double>(access.cycles, Chip::kTurn);
    cu.vmem_free = now + cycles;
    busy(Part::kVmem, cycles);
    const std::uint64_t* lines = r.group->trace.lines(access);
    const bool stores = in.op->dst_dwords == 0;
    const bool atomic = in.op->src_dwords[0] > 0 && !stores;
    double done = now + cycles + Chip::kL1Latency;
    for (std::uint32_t i = 0; i < access.count; ++i) {
      const double asked = now + i;
      if (stores || atomic) {
        shared_->write(lines[i], asked);
        done = std::max(done, asked + Chip::kL2Latency);
      } else if (in.glc || !cu.l1.touch(lines[i], false).hit) {
        // A load marked glc asks the second level, whatever the first holds.
        done = std::max(done, beyond(cu, lines[i], asked));
      }
    }
    r.vm.push_back(std::max(done, back(r.vm)));
    return true;
  }

  bool scalar_memory(Cu& cu, Runner& r, const Trace::Step& step, double now) {
    if (cu.smem_free > now) return r.ready = cu.smem_free, false;
    const Trace::Access access =
        step.access == Trace::kNone ? Trace::Access{} : r.group->trace.access(step.access);
    const double cycles = std::max<double>(access.cycles, 1);
    cu.smem_free = now + cycles;
    busy(Part::kSmem, cycles);
    const std::uint64_t* lines = r.group->trace.lines(access);
    double done = now + cycles + Chip::kScalarLatency;
    for (std::uint32_t i = 0; i < access.count; ++i) {
      if (!cu.scalar.touch(lines[i], false).hit) done = std::max(done, beyond(cu, lines[i], now));
    }
    r.lgkm.push_back(std::max(done, back(r.lgkm)));
    return true;
  }

  void busy(Part part, double cycles) { busy_[static_cast<std::size_t>(part)] += cycles; }

  Timing result() {
    Timing out;
    out.occupancy = occupancy_;
    out.groups = total_;
    out.groups_simulated = static_cast<std::int64_t>(finished_.size());
    out.cus_simulated = cus_;
    out.faults = machine_.report().faults;
    const double cycles = std::max(end_, 1.0);
    const double cus = cus_;
    const std::array<double, kParts> units = {
        cus * Chip::kSimds, cus, cus, cus, cus, Chip::kL2Slices, Chip::kChannels};
    busy_[static_cast<std::size_t>(Part::kL2)] = shared_->slice_busy;
    busy_[static_cast<std::size_t>(Part::kDram)] = shared_->channel_busy;
    for (std::size_t i = 0; i < kParts; ++i) out.busy[i] = busy_[i] / units[i] / cycles;
    const auto most = std::max_element(out.busy.begin(), out.busy.end());
    out.share = *most;
    out.bound =
        *most >= kBoundFrom ? part_name(static_cast<Part>(most - out.busy.begin())) : "latency";
    const auto left = static_cast<double>(part_ - out.groups_simulated);
    out.us = (cycles + left * cycles_per_group() * rest_of_group()) / options_.chip.mhz;
    const double scale = static_cast<double>(total_) /
                         static_cast<double>(std::max<std::int64_t>(out.groups_simulated, 1));
    out.executed = executed_;
    for (double& count : out.executed) count *= scale;
    out.dram_bytes = static_cast<double>(shared_->dram_lines) * Chip::kLine * scale;
    out.l2_hit_rate = shared_->reads == 0 ? 0
                                          : static_cast<double>(shared_->hits) /
                                                static_cast<double>(shared_->reads);
    return out;
  }

  /// Instructions of a workgroup that is not simulated, over those of one that is.
  double rest_of_group() const {
    const auto simulated = static_cast<double>(finished_.size());
    const double all = group_instructions_ * static_cast<double>(total_);
    const auto traced = static_cast<double>(traced_);
    const double rest = static_cast<double>(total_) - simulated;
    if (rest <= 0 || traced <= 0) return 1;
    return std::max(all - traced, 0.0) / rest / (traced / simulated);
  }

  /// Of the simulated part of the card while it was full: from the end of its first filling to the
  /// end of the last but one. Workgroups that started together end together, so only whole
  /// fillings tell a rate.
  double cycles_per_group() const {
    const std::size_t n = finished_.size();
    const auto filling =
        static_cast<std::size_t>(cus_) * static_cast<std::size_t>(occupancy_.groups);
    if (n == 0) return 0;
    if (n < 2 * filling) return end_ / static_cast<double>(n);
    const std::size_t first = n < 3 * filling ? n - filling : filling;
    const std::size_t last = n < 3 * filling ? n : n - filling;
    const std::size_t whole = (last - first) / filling * filling;
    return (finished_[first + whole - 1] - finished_[first - 1]) / static_cast<double>(whole);
  }

  const Program& program_;
  const Launch& launch_;
  const TimingOptions& options_;
  Machine machine_;
  Occupancy occupancy_;
  double group_instructions_ = 0;  // of all waves of one
  std::vector<double> executed_;   // by instruction
  std::vector<int> valu_;
  std::vector<Cu> cu_;
  std::unique_ptr<SharedMemory> shared_;
  std::array<double, kParts> busy_ = {};
  std::vector<double> finished_;
  std::int64_t total_ = 0;
  std::int64_t part_ = 0;  // of those, the share of the CUs that are simulated
  std::int64_t least_groups_ = 0;
  std::int64_t first_group_ = 0;
  std::int64_t next_group_ = 0;  // behind it
  std::int64_t traced_ = 0;
  std::int64_t live_ = 0;
  int cus_ = 0;
  int next_cu_ = 0;
  double launch_free_ = 0;
  double wave_cycles_ = 0;
  double end_ = 0;
};

}  // namespace

const char* part_name(Part part) {
  constexpr std::array<const char*, kParts> kNames = {"valu", "salu", "vmem", "lds",
                                                      "smem", "l2",   "dram"};
  return kNames[static_cast<std::size_t>(part)];
}

Occupancy occupancy(const Program& program) {
  const int threads = static_cast<int>(program.local[0] * program.local[1] * program.local[2]);
  const int waves = (threads + kLanes - 1) / kLanes;
  const int vgprs = Chip::kVgprs / std::max(up(program.vgprs, Chip::kVgprStep), 1);
  const int sgprs = Chip::kSgprs / std::max(up(program.sgprs, Chip::kSgprStep), 1);
  Occupancy out;
  const auto hold = [&](int groups, const char* limit) {
    if (out.limit.empty() || groups < out.groups) {
      out.groups = groups;
      out.limit = limit;
    }
  };
  hold(Chip::kWavesPerSimd * Chip::kSimds / waves, "waves");
  hold(vgprs * Chip::kSimds / waves, "vgprs");
  hold(sgprs * Chip::kSimds / waves, "sgprs");
  if (waves > 1) hold(Chip::kGroupsPerCu, "groups");
  if (program.lds_bytes > 0) {
    hold(Chip::kLdsBytes / up(static_cast<int>(program.lds_bytes), Chip::kLdsStep), "lds");
  }
  out.groups = std::max(out.groups, 1);
  out.waves_per_simd = (out.groups * waves + Chip::kSimds - 1) / Chip::kSimds;
  return out;
}

Timing simulate(const Program& program, const Memory& memory, const Launch& launch,
                const TimingOptions& options) {
  return Simulation(program, memory, launch, options).run();
}

}  // namespace polaris::gcn
