#include "gcn/machine.h"

#include <algorithm>
#include <utility>

namespace polaris::gcn {
namespace {

constexpr std::int64_t kShare = 100000;  // instructions of a wave before another has its turn
// Word 3 of a raw buffer: x, y, z, w in place, a float of 32 bits.
constexpr std::uint32_t kRawBuffer = 4 | 5 << 3 | 6 << 6 | 7 << 9 | 7 << 12 | 4 << 15;

}  // namespace

Machine::Machine(const Program& program, const Memory& memory, const Launch& launch)
    : program_(program), launch_(launch), memory_(memory) {
  for (const Binding& b : launch_.bindings) {
    descriptors_.insert(descriptors_.end(), {static_cast<std::uint32_t>(b.address),
                                             static_cast<std::uint32_t>(b.address >> 32) & 0xFFFF,
                                             b.bytes, kRawBuffer});
  }
  std::copy_n(launch_.push.begin(), std::min(launch_.push.size(), push_.size()), push_.begin());
  descriptors_at_ = memory_.map(std::as_writable_bytes(std::span(descriptors_)), true);
  push_at_ = memory_.map(std::as_writable_bytes(std::span(push_)), true);
  grid_at_ = memory_.map(std::as_writable_bytes(std::span(launch_.grid)), true);
  lds_.resize(program_.lds_bytes);
  const std::uint32_t threads = program_.local[0] * program_.local[1] * program_.local[2];
  const std::uint32_t count = (threads + kLanes - 1) / kLanes;
  waves_.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    waves_.emplace_back(std::max(program_.vgprs, 3), memory_, lds_, report_.faults);
  }
}

void Machine::run() {
  for (std::uint32_t z = 0; z < launch_.grid[2]; ++z) {
    for (std::uint32_t y = 0; y < launch_.grid[1]; ++y) {
      for (std::uint32_t x = 0; x < launch_.grid[0]; ++x) {
        run_group({x, y, z});
        if (report_.faults.stopped()) return;
      }
    }
  }
}

void Machine::start_wave(Wave& wave, std::uint32_t id, const std::array<std::uint32_t, 3>& group) {
  const std::uint32_t threads = program_.local[0] * program_.local[1] * program_.local[2];
  const std::uint32_t left = threads - id * kLanes;
  const std::uint64_t lanes = left >= kLanes ? ~0ULL : (1ULL << left) - 1;
  wave.start(group, id, lanes, program_.mode);
  const Arguments& a = program_.arguments;
  const auto put = [&](int at, std::uint64_t value) {
    if (at >= 0) wave.put_scalar(static_cast<std::uint16_t>(at), static_cast<std::uint32_t>(value));
  };
  put(a.descriptors, descriptors_at_);
  put(a.push_pointer, push_at_);
  int at = a.push_words;
  for (std::uint32_t i = 0; i < push_.size(); ++i) {
    if (((a.push_mask >> i) & 1) != 0) put(at++, push_[i]);
  }
  put(a.grid_pointer, grid_at_);
  if (a.grid_pointer >= 0) put(a.grid_pointer + 1, grid_at_ >> 32);
  for (std::size_t i = 0; i < 3; ++i) put(a.workgroup[i], group[i]);
  // The number of waves, and from bit 6 which of them this is.
  put(a.group_size, waves_.size() | std::uint64_t{id} << 6);
  for (int i = 0; i < kLanes; ++i) {
    const std::uint32_t thread = id * kLanes + static_cast<std::uint32_t>(i);
    wave.vgpr(0).at[i] = thread % program_.local[0];
    wave.vgpr(1).at[i] = thread / program_.local[0] % program_.local[1];
    wave.vgpr(2).at[i] = thread / program_.local[0] / program_.local[1];
  }
  for (int i = 0; i < 3; ++i) wave.mark_vgpr(i, lanes);
}

bool Machine::advance(Wave& wave) {
  const std::int64_t before = report_.instructions;
  std::int64_t vectors = 0;
  std::int64_t done = 0;
  while (!wave.ended && !wave.at_barrier && done < kShare && !report_.faults.stopped()) {
    if (wave.next >= program_.code.size()) {
      wave.fault(program_.code.back(), FaultKind::kUnsupported, "the program has no end here");
      break;
    }
    const Instruction& in = program_.code[wave.next];
    if (wave.observer != nullptr) wave.observer->instruction(wave, wave.next);
    ++wave.next;
    ++done;
    const bool vector = in.unit == Unit::kValu || in.unit == Unit::kVmem || in.unit == Unit::kLds;
    vectors += vector ? 1 : 0;
    in.op->run(wave, in);
  }
  wave.clock += static_cast<std::uint64_t>(done);
  report_.instructions = before + done;
  report_.vector_instructions += vectors;
  if (report_.instructions > launch_.instructions_max) {
    wave.fault(program_.code[std::min<std::size_t>(wave.next, program_.code.size() - 1)],
               FaultKind::kTooLong, std::to_string(report_.instructions) + " instructions");
  }
  return !report_.faults.stopped();
}

bool Machine::release_barrier() {
  const auto waits = [](const Wave& w) { return w.at_barrier; };
  if (!std::any_of(waves_.begin(), waves_.end(), waits)) return false;
  const auto held = [](const Wave& w) { return w.at_barrier || w.ended; };
  if (!std::all_of(waves_.begin(), waves_.end(), held)) return true;  // others have their turn yet
  const auto early = std::find_if(waves_.begin(), waves_.end(), [](auto& w) { return w.ended; });
  const auto late = std::find_if(waves_.begin(), waves_.end(), waits);
  if (early != waves_.end()) {
    late->fault(program_.code[late->next - 1], FaultKind::kBarrierDivergence,
                "wave " + std::to_string(early->id) + " has ended");
  }
  for (Wave& w : waves_) w.at_barrier = false;
  lds_.barrier();
  return true;
}

void Machine::run_group(const std::array<std::uint32_t, 3>& group, Observer* observer) {
  lds_.reset();
  for (std::uint32_t i = 0; i < waves_.size(); ++i) {
    start_wave(waves_[i], i, group);
    waves_[i].observer = observer;
  }
  bool running = true;
  while (running) {
    running = false;
    for (Wave& wave : waves_) {
      if (wave.ended || wave.at_barrier) continue;
      if (!advance(wave)) return;
      running = running || (!wave.ended && !wave.at_barrier);
    }
    if (!running) running = release_barrier();
  }
}

}  // namespace polaris::gcn
