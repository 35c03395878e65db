#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace polaris::gcn {

/// What a program did that the chip would not forgive, or that only luck makes right.
enum class FaultKind : std::uint8_t {
  kOutOfBounds,        // memory: beyond its resource or where nothing lies
  kUnwrittenRegister,  // read of a register or lane that nothing wrote
  kUnwrittenLds,       // read of LDS bytes that this workgroup did not write
  kLdsRace,            // two waves touch the same LDS bytes between two barriers, one writes
  kLdsBounds,          // LDS: beyond what was allocated, or misaligned
  kMissingWait,        // use of a register whose load may still be under way
  kBarrierDivergence,  // a wave ended while others wait at a barrier
  kUnsupported,        // this model does not know it; execution stops
  kTooLong,            // more instructions than allowed; execution stops
};
inline constexpr int kFaultKinds = 9;
const char* fault_name(FaultKind kind);

struct Fault {
  FaultKind kind = FaultKind::kUnsupported;
  std::uint32_t address = 0;  // of the instruction
  std::array<std::uint32_t, 3> workgroup = {};
  std::uint32_t wave = 0;
  std::int64_t count = 0;
  std::string text;  // of the first
};

/// Faults of a dispatch, one entry a kind and instruction.
class Faults {
 public:
  void add(Fault fault);
  bool stopped() const { return stopped_; }
  const std::vector<Fault>& all() const { return all_; }
  bool has(FaultKind kind) const;
  /// One line each: `missing-wait at 0x40 (12 times): v3 ...`.
  std::string text() const;

 private:
  std::vector<Fault> all_;
  bool stopped_ = false;
};

}  // namespace polaris::gcn
