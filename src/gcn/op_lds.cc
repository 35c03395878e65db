#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>

#include "gcn/wave.h"

/// Local memory. Facts: reference guide, chapter 10 and the DS opcodes of chapter 12.
namespace polaris::gcn {
namespace {

using U32 = std::uint32_t;
using U64 = std::uint64_t;
using S32 = std::int32_t;

/// Notes the access of one lane; null where it is out of bounds.
std::byte* touch(Wave& w, const Instruction& in, U32 address, U32 bytes, Lds::Access kind) {
  const Lds::Finding found = w.lds.access(address, bytes, w.id, kind);
  if (found.any()) {
    const std::string where = "byte " + std::to_string(address) + " of " +
                              std::to_string(w.lds.bytes()) + ", " + std::to_string(bytes) +
                              " bytes";
    if (found.bounds) w.fault(in, FaultKind::kLdsBounds, where);
    if (found.unwritten) w.fault(in, FaultKind::kUnwrittenLds, where);
    if (found.race) w.fault(in, FaultKind::kLdsRace, where);
  }
  return found.bounds ? nullptr : w.lds.at(address);
}

/// What all accesses share: the addresses' register and M0, which bounds them.
bool begin(Wave& w, const Instruction& in) {
  const U32 limit = w.scalar(in, kM0);
  if (limit < w.lds.bytes()) {
    w.fault(in, FaultKind::kUnsupported, "m0 " + std::to_string(limit) + " below the LDS size");
    return false;
  }
  return w.check_vgpr(in, in.src[0] - kVgpr0, w.exec);
}

void observe(Wave& w, const Instruction& in, U32 offset, U32 bytes) {
  if (w.observer == nullptr) return;
  std::array<U64, kLanes> addresses;
  const Lanes& base = w.vgpr(in.src[0] - kVgpr0);
  for (std::size_t i = 0; i < kLanes; ++i) addresses[i] = base.at[i] + offset;
  w.observer->memory(w, addresses, w.exec, bytes);
}

/// `Count` values of T at one place a lane, or at two (Step > 0: offsets in steps of that many).
template <class T, int Count, int Step>
void read(Wave& w, const Instruction& in) {
  if (!begin(w, in)) return;
  constexpr int kPlaces = Step > 0 ? 2 : 1;
  constexpr U32 kBytes = sizeof(T) * Count;
  for (int r = 0; r < kPlaces * Count; ++r) {
    if (!w.reach_load(in, in.dst + r, Wave::Counter::kLds)) return;
  }
  // The addresses may stand where results go.
  const Lanes base = w.vgpr(in.src[0] - kVgpr0);
  for (int p = 0; p < kPlaces; ++p) {
    const U32 offset = Step == 0 ? static_cast<U32>(in.immediate)
                                 : static_cast<U32>(p == 0 ? in.offset0 : in.offset1) * Step;
    observe(w, in, offset, kBytes);
    for (U64 left = w.exec; left != 0; left &= left - 1) {
      const int i = std::countr_zero(left);
      const U32 address = base.at[i] + offset;
      if (address % kBytes != 0) {
        w.fault(in, FaultKind::kLdsBounds, "misaligned byte " + std::to_string(address));
      }
      const std::byte* host = touch(w, in, address, kBytes, Lds::Access::kRead);
      for (int c = 0; c < Count; ++c) {
        T value = 0;
        if (host != nullptr) std::memcpy(&value, host + c * sizeof(T), sizeof(T));
        w.vgpr(in.dst + p * Count + c).at[i] = static_cast<U32>(static_cast<S32>(value));
      }
    }
  }
  for (int r = 0; r < kPlaces * Count; ++r) w.mark_vgpr(in.dst + r, w.exec);
  w.issue(Wave::Counter::kLds, false, in.dst, kPlaces * Count);
}

template <class T, int Count, int Step>
void write(Wave& w, const Instruction& in) {
  if (!begin(w, in)) return;
  constexpr int kPlaces = Step > 0 ? 2 : 1;
  constexpr U32 kBytes = sizeof(T) * Count;
  for (int p = 0; p < kPlaces; ++p) {
    const int data = p == 0 ? in.data : in.data1;
    const U32 offset = Step == 0 ? static_cast<U32>(in.immediate)
                                 : static_cast<U32>(p == 0 ? in.offset0 : in.offset1) * Step;
    observe(w, in, offset, kBytes);
    for (int c = 0; c < Count; ++c) {
      if (!w.check_vgpr(in, data + c, w.exec)) return;
    }
    for (U64 left = w.exec; left != 0; left &= left - 1) {
      const int i = std::countr_zero(left);
      const U32 address = w.vgpr(in.src[0] - kVgpr0).at[i] + offset;
      if (address % kBytes != 0) {
        w.fault(in, FaultKind::kLdsBounds, "misaligned byte " + std::to_string(address));
      }
      std::byte* host = touch(w, in, address, kBytes, Lds::Access::kWrite);
      for (int c = 0; c < Count && host != nullptr; ++c) {
        const auto value = static_cast<T>(w.vgpr(data + c).at[i]);
        std::memcpy(host + c * sizeof(T), &value, sizeof(T));
      }
    }
  }
  w.issue(Wave::Counter::kLds, false, 0, 0);
}

template <auto F, bool Return>
void atomic(Wave& w, const Instruction& in) {
  if (!begin(w, in) || !w.check_vgpr(in, in.data, w.exec)) return;
  if (Return && !w.reach_load(in, in.dst, Wave::Counter::kLds)) return;
  observe(w, in, static_cast<U32>(in.immediate), 4);
  const Lanes base = w.vgpr(in.src[0] - kVgpr0);
  for (U64 left = w.exec; left != 0; left &= left - 1) {
    const int i = std::countr_zero(left);
    const U32 address = base.at[i] + static_cast<U32>(in.immediate);
    std::byte* host = touch(w, in, address, 4, Lds::Access::kAtomic);
    if (host == nullptr) continue;
    U32 old = 0;
    std::memcpy(&old, host, 4);
    const U32 now = F(old, w.vgpr(in.data).at[i]);
    std::memcpy(host, &now, 4);
    if (Return) w.vgpr(in.dst).at[i] = old;
  }
  if (Return) w.mark_vgpr(in.dst, w.exec);
  w.issue(Wave::Counter::kLds, false, in.dst, Return ? 1 : 0);
}

/// Values from other lanes, no memory: lanes off read as 0.
void bpermute(Wave& w, const Instruction& in) {
  const int address = in.src[0] - kVgpr0;
  if (!w.check_vgpr(in, address, w.exec) || !w.reach_vgpr(in, in.data, 0) ||
      !w.reach_load(in, in.dst, Wave::Counter::kLds)) {
    return;
  }
  const Lanes from = w.vgpr(in.data);
  const Lanes at = w.vgpr(address);
  std::uint64_t needed = 0;
  for (U64 left = w.exec; left != 0; left &= left - 1) {
    const int i = std::countr_zero(left);
    const int source = static_cast<int>((at.at[i] + static_cast<U32>(in.immediate)) / 4 % kLanes);
    const bool on = ((w.exec >> source) & 1) != 0;
    if (on) needed |= U64{1} << source;
    w.vgpr(in.dst).at[i] = on ? from.at[source] : 0;
  }
  if (!w.check_vgpr(in, in.data, needed)) return;
  w.mark_vgpr(in.dst, w.exec);
  w.issue(Wave::Counter::kLds, false, in.dst, 1);
}

/// Groups of four by a table, or groups of 32 by and, or, xor masks.
int swizzle_source(U32 offset, int lane) {
  if ((offset & 0x8000) != 0) {
    return (lane & ~3) | static_cast<int>((offset >> (2 * (lane & 3))) & 3);
  }
  const auto in_group = static_cast<U32>(lane & 31);
  const U32 to = ((in_group & (offset & 31)) | ((offset >> 5) & 31)) ^ ((offset >> 10) & 31);
  return (lane & 32) | static_cast<int>(to);
}

void swizzle(Wave& w, const Instruction& in) {
  const int reg = in.src[0] - kVgpr0;
  if (!w.reach_vgpr(in, reg, 0) || !w.reach_load(in, in.dst, Wave::Counter::kLds)) return;
  const Lanes from = w.vgpr(reg);
  std::uint64_t needed = 0;
  for (U64 left = w.exec; left != 0; left &= left - 1) {
    const int i = std::countr_zero(left);
    const int source = swizzle_source(static_cast<U32>(in.immediate), i);
    const bool on = ((w.exec >> source) & 1) != 0;
    if (on) needed |= U64{1} << source;
    w.vgpr(in.dst).at[i] = on ? from.at[source] : 0;
  }
  if (!w.check_vgpr(in, reg, needed)) return;
  w.mark_vgpr(in.dst, w.exec);
  w.issue(Wave::Counter::kLds, false, in.dst, 1);
}

constexpr auto add = [](U32 a, U32 b) { return a + b; };
constexpr auto sub = [](U32 a, U32 b) { return a - b; };
constexpr auto min_i = [](U32 a, U32 b) {
  return static_cast<S32>(a) < static_cast<S32>(b) ? a : b;
};
constexpr auto max_i = [](U32 a, U32 b) {
  return static_cast<S32>(a) > static_cast<S32>(b) ? a : b;
};
constexpr auto min_u = [](U32 a, U32 b) { return std::min(a, b); };
constexpr auto max_u = [](U32 a, U32 b) { return std::max(a, b); };
constexpr auto and_ = [](U32 a, U32 b) { return a & b; };
constexpr auto or_ = [](U32 a, U32 b) { return a | b; };
constexpr auto xor_ = [](U32 a, U32 b) { return a ^ b; };
constexpr auto exchange = [](U32, U32 b) { return b; };

/// `loaded` and `stored`: dwords of all places.
constexpr Op row(std::uint16_t number, const char* name, Run run, int loaded, int stored,
                 int places = 1) {
  Op op{.number = number, .name = name, .run = run};
  op.sources = static_cast<std::uint8_t>(places);
  op.dst_dwords = static_cast<std::uint8_t>(loaded);
  op.src_dwords = {static_cast<std::uint8_t>(stored), 0, 0};
  return op;
}

constexpr Op kOps[] = {
    row(0, "ds_add_u32", atomic<add, false>, 0, 1),
    row(1, "ds_sub_u32", atomic<sub, false>, 0, 1),
    row(5, "ds_min_i32", atomic<min_i, false>, 0, 1),
    row(6, "ds_max_i32", atomic<max_i, false>, 0, 1),
    row(7, "ds_min_u32", atomic<min_u, false>, 0, 1),
    row(8, "ds_max_u32", atomic<max_u, false>, 0, 1),
    row(9, "ds_and_b32", atomic<and_, false>, 0, 1),
    row(10, "ds_or_b32", atomic<or_, false>, 0, 1),
    row(11, "ds_xor_b32", atomic<xor_, false>, 0, 1),
    row(13, "ds_write_b32", write<U32, 1, 0>, 0, 1),
    row(14, "ds_write2_b32", write<U32, 1, 4>, 0, 1, 2),
    row(15, "ds_write2st64_b32", write<U32, 1, 256>, 0, 1, 2),
    row(30, "ds_write_b8", write<std::uint8_t, 1, 0>, 0, 1),
    row(31, "ds_write_b16", write<std::uint16_t, 1, 0>, 0, 1),
    row(32, "ds_add_rtn_u32", atomic<add, true>, 1, 1),
    row(33, "ds_sub_rtn_u32", atomic<sub, true>, 1, 1),
    row(37, "ds_min_rtn_i32", atomic<min_i, true>, 1, 1),
    row(38, "ds_max_rtn_i32", atomic<max_i, true>, 1, 1),
    row(39, "ds_min_rtn_u32", atomic<min_u, true>, 1, 1),
    row(40, "ds_max_rtn_u32", atomic<max_u, true>, 1, 1),
    row(41, "ds_and_rtn_b32", atomic<and_, true>, 1, 1),
    row(42, "ds_or_rtn_b32", atomic<or_, true>, 1, 1),
    row(43, "ds_xor_rtn_b32", atomic<xor_, true>, 1, 1),
    row(45, "ds_wrxchg_rtn_b32", atomic<exchange, true>, 1, 1),
    row(54, "ds_read_b32", read<U32, 1, 0>, 1, 0),
    row(55, "ds_read2_b32", read<U32, 1, 4>, 2, 0, 2),
    row(56, "ds_read2st64_b32", read<U32, 1, 256>, 2, 0, 2),
    row(57, "ds_read_i8", read<std::int8_t, 1, 0>, 1, 0),
    row(58, "ds_read_u8", read<std::uint8_t, 1, 0>, 1, 0),
    row(59, "ds_read_i16", read<std::int16_t, 1, 0>, 1, 0),
    row(60, "ds_read_u16", read<std::uint16_t, 1, 0>, 1, 0),
    row(61, "ds_swizzle_b32", swizzle, 1, 0),
    row(63, "ds_bpermute_b32", bpermute, 1, 1),
    row(77, "ds_write_b64", write<U32, 2, 0>, 0, 2),
    row(78, "ds_write2_b64", write<U32, 2, 8>, 0, 2, 2),
    row(79, "ds_write2st64_b64", write<U32, 2, 512>, 0, 2, 2),
    row(118, "ds_read_b64", read<U32, 2, 0>, 2, 0),
    row(119, "ds_read2_b64", read<U32, 2, 8>, 4, 0, 2),
    row(120, "ds_read2st64_b64", read<U32, 2, 512>, 4, 0, 2),
    row(223, "ds_write_b128", write<U32, 4, 0>, 0, 4),
    row(255, "ds_read_b128", read<U32, 4, 0>, 4, 0),
};

}  // namespace

std::span<const Op> ds_ops() { return kOps; }

}  // namespace polaris::gcn
