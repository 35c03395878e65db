#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "gcn/fault.h"
#include "gcn/instruction.h"
#include "gcn/lds.h"
#include "gcn/memory.h"

namespace polaris::gcn {

inline constexpr int kLanes = 64;
inline constexpr int kScalars = 128;

struct alignas(64) Lanes {
  std::uint32_t at[kLanes];
};
struct alignas(64) WideLanes {
  std::uint64_t at[kLanes];
};

/// A scalar's value and which of its bits are defined.
struct Bits64 {
  std::uint64_t value = 0;
  std::uint64_t defined = ~0ULL;
};

/// What a timing model wants to know of the run. Called before the instruction has its effect.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void instruction(const Wave& wave, std::uint32_t index) = 0;
  /// A memory instruction's addresses: lanes in `mask` touch `bytes` each (scalar loads: one lane).
  virtual void memory(const Wave& wave, const std::array<std::uint64_t, kLanes>& addresses,
                      std::uint64_t mask, std::uint32_t bytes) = 0;
};

/// Floating-point modes of a program, as the MODE register holds them.
struct FloatMode {
  bool keep_denorm32 = false;
  bool keep_denorm16_64 = true;
  std::uint8_t round32 = 0;  // 0 nearest even, 1 up, 2 down, 3 toward zero
  std::uint8_t round16_64 = 0;
};

/// One wave of 64 lanes: its registers and what it has under way.
class Wave {
 public:
  Wave(int vgprs, Memory& memory, Lds& lds, Faults& faults);

  /// Ready for a workgroup: nothing written, all lanes of `exec` on.
  void start(const std::array<std::uint32_t, 3>& workgroup, std::uint32_t id, std::uint64_t lanes,
             const FloatMode& mode);

  // Scalars, by code. Reads check that something was written and has arrived.
  std::uint32_t scalar(const Instruction& in, std::uint16_t code);
  std::uint64_t scalar64(const Instruction& in, std::uint16_t code);
  void set_scalar(const Instruction& in, std::uint16_t code, std::uint32_t value);
  void set_scalar64(const Instruction& in, std::uint16_t code, std::uint64_t value);
  /// Without a check: argument setup, moves.
  void put_scalar(std::uint16_t code, std::uint32_t value);
  /// Bits of a scalar whose value stems from written registers.
  std::uint32_t written_bits(std::uint16_t code) const {
    return code >= kScalars || code == kExecLo || code == kExecHi ? ~0U : sgpr_written_[code];
  }
  void mark_scalar(std::uint16_t code, std::uint32_t written) {
    if (code < kScalars) sgpr_written_[code] = written;
  }
  /// A scalar as it stands, for what keeps track of undefined bits itself; it must have arrived.
  Bits64 scalar_bits(const Instruction& in, std::uint16_t code, bool wide);

  // Vectors. `fetch` gives a source's 64 values as they stand, or widened and permuted in scratch.
  const Lanes& fetch(const Instruction& in, int source, Lanes& scratch);
  void fetch64(const Instruction& in, int source, WideLanes& out);
  /// One lane mask (carry, condition), which must be defined where lanes are on.
  std::uint64_t mask_source(const Instruction& in);
  /// Lanes that a vector instruction writes.
  std::uint64_t write_mask(const Instruction& in) const;
  void store(const Instruction& in, const Lanes& values) { store(in, values, ~0ULL); }
  /// `defined`: lanes whose value stems from written registers.
  void store(const Instruction& in, const Lanes& values, std::uint64_t defined);
  void store64(const Instruction& in, const WideLanes& values);
  /// The lane mask results of comparisons and carries: lanes off give 0.
  void store_mask(const Instruction& in, std::uint64_t mask);
  const Lanes& vgpr(int index) const { return vgpr_[static_cast<std::size_t>(index)]; }
  Lanes& vgpr(int index) { return vgpr_[static_cast<std::size_t>(index)]; }
  int vgprs() const { return static_cast<int>(vgpr_.size()); }
  void mark_vgpr(int index, std::uint64_t lanes) {
    vgpr_written_[static_cast<std::size_t>(index)] |= lanes;
  }
  std::uint64_t written_lanes(int index) const {
    return vgpr_written_[static_cast<std::size_t>(index)];
  }
  /// Checks a register before `lanes` of it are read; false where there is no such register.
  bool check_vgpr(const Instruction& in, int index, std::uint64_t lanes) {
    return reach_vgpr(in, index, lanes) && written_vgpr(in, index, lanes);
  }
  /// The same before they are written or copied: nothing may be under way to them.
  bool reach_vgpr(const Instruction& in, int index, std::uint64_t lanes);

  // Waits. An operation under way will write the registers [first, first + count), of vectors the
  // lanes that are on now.
  enum class Counter : std::uint8_t { kVm, kScalarMemory, kLds, kFlat };
  /// The same before a load writes them: another of its kind may be under way there, where the kind
  /// comes back in order. A branch that no lane took leaves such, which waits for what it loaded.
  bool reach_load(const Instruction& in, int index, Counter counter);
  void issue(Counter counter, bool scalar, int first, int count);
  void wait(int vm_left, int lgkm_left);

  void fault(const Instruction& in, FaultKind kind, const std::string& text);

  std::uint64_t exec = 0;
  bool scc = false;
  std::uint32_t next = 0;  // index of the next instruction
  FloatMode mode;
  bool ended = false;
  bool at_barrier = false;
  std::uint32_t id = 0;  // in its workgroup
  std::array<std::uint32_t, 3> workgroup = {};
  Memory& memory;
  Lds& lds;
  Observer* observer = nullptr;
  std::uint64_t clock = 0;  // instructions so far, what s_memtime shows

 private:
  struct UnderWay {
    Counter counter = Counter::kVm;
    bool scalar = false;
    std::uint16_t first = 0;
    std::uint16_t count = 0;
    std::uint64_t lanes = 0;
    bool finished = false;
  };
  bool written_vgpr(const Instruction& in, int index, std::uint64_t lanes);
  void add_pending(const UnderWay& op);
  void clear_pending(const UnderWay& op);
  void finish(std::vector<UnderWay>& list, std::size_t left);
  std::uint32_t inline_constant(const Instruction& in, std::uint16_t code) const;
  std::uint32_t special(std::uint16_t code) const;
  void land(std::uint16_t dst, const Lanes& values, std::uint64_t mask, std::uint64_t defined);

  Faults& faults_;
  std::vector<Lanes> vgpr_;
  std::vector<std::uint64_t> vgpr_written_;
  std::vector<std::uint64_t> vgpr_pending_;
  std::array<std::uint32_t, kScalars> sgpr_ = {};
  std::array<std::uint32_t, kScalars> sgpr_written_ = {};  // a bit a bit
  std::array<bool, kScalars> sgpr_pending_ = {};
  std::vector<UnderWay> vm_;
  std::vector<UnderWay> lgkm_;
};

/// As faults name registers: v3, s17, vcc_lo.
std::string vector_name(int index);
std::string scalar_name(std::uint16_t code);

}  // namespace polaris::gcn
