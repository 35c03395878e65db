#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>

#include "gcn/wave.h"

/// Scalar loads, buffer and flat accesses. Facts: reference guide, chapters 7 to 9.
namespace polaris::gcn {
namespace {

using U32 = std::uint32_t;
using U64 = std::uint64_t;
using S32 = std::int32_t;

/// A buffer resource as it stands in four scalar registers.
struct Resource {
  U64 base = 0;
  U32 stride = 0;
  U32 records = 0;  // bytes where the stride is 0
  bool swizzled = false;
};

Resource resource(Wave& w, const Instruction& in) {
  std::array<U32, 4> word = {};
  for (std::size_t i = 0; i < word.size(); ++i) {
    word[i] = w.scalar(in, static_cast<std::uint16_t>(in.base + i));
  }
  Resource r;
  r.base = word[0] | U64{word[1] & 0xFFFF} << 32;
  r.stride = (word[1] >> 16) & 0x3FFF;
  r.records = word[2];
  r.swizzled = (word[1] >> 31) != 0 || ((word[3] >> 23) & 1) != 0;
  return r;
}

std::string at(U64 address) { return "address " + std::to_string(address); }

template <int Count>
void load_scalars(Wave& w, const Instruction& in, U64 address, U64 readable) {
  const std::byte* host = readable == 0 ? nullptr : w.memory.find(address, readable);
  if (readable != 0 && host == nullptr) w.fault(in, FaultKind::kOutOfBounds, at(address));
  for (int i = 0; i < Count; ++i) {
    U32 value = 0;
    const bool there = host != nullptr && static_cast<U64>(i) * 4 + 4 <= readable;
    if (there) std::memcpy(&value, host + static_cast<std::ptrdiff_t>(i) * 4, 4);
    const auto to = static_cast<std::uint16_t>(in.dst + i);
    w.set_scalar(in, to, value);
    // Loads come in powers of two: what lies beyond the resource must not be used.
    w.mark_scalar(to, there ? ~0U : 0);
  }
  w.issue(Wave::Counter::kScalarMemory, true, in.dst, Count);
}

void observe_scalar(Wave& w, U64 address, U32 bytes) {
  if (w.observer == nullptr) return;
  std::array<U64, kLanes> addresses = {};
  addresses[0] = address;
  w.observer->memory(w, addresses, 1, bytes);
}

U32 scalar_offset(Wave& w, const Instruction& in) {
  return in.immediate_offset ? static_cast<U32>(in.immediate) : w.scalar(in, in.offset);
}

template <int Count>
void s_load(Wave& w, const Instruction& in) {
  const U64 base = w.scalar64(in, in.base);
  const U64 address = (base + scalar_offset(w, in)) & ~U64{3};
  observe_scalar(w, address, Count * 4);
  load_scalars<Count>(w, in, address, Count * 4);
}

template <int Count>
void s_buffer_load(Wave& w, const Instruction& in) {
  const Resource r = resource(w, in);
  const U64 offset = scalar_offset(w, in) & ~3U;
  const U64 limit = r.stride == 0 ? r.records : U64{r.stride} * r.records;
  observe_scalar(w, r.base + offset, Count * 4);
  const U64 readable = offset >= limit ? 0 : std::min<U64>(Count * 4, (limit - offset) & ~U64{3});
  load_scalars<Count>(w, in, r.base + offset, readable);
}

void s_memtime(Wave& w, const Instruction& in) {
  w.set_scalar64(in, in.dst, w.clock);
  w.issue(Wave::Counter::kScalarMemory, true, in.dst, 2);
}

void s_cache(Wave&, const Instruction&) {}

/// Where each lane's access lies: addresses of lanes on, and the bytes it may touch there.
struct Places {
  std::array<U64, kLanes> address = {};
  std::array<U64, kLanes> readable = {};  // flat: everything
};

bool buffer_places(Wave& w, const Instruction& in, Places& out) {
  const Resource r = resource(w, in);
  if (r.stride != 0 || r.swizzled || in.index_enable) {
    w.fault(in, FaultKind::kUnsupported, "a structured buffer");
    return false;
  }
  const U32 scalar = w.scalar(in, in.offset);
  const auto immediate = static_cast<U32>(in.immediate);
  Lanes offsets = {};
  if (in.offset_enable) {
    if (!w.check_vgpr(in, in.src[0] - kVgpr0, w.exec)) return false;
    offsets = w.vgpr(in.src[0] - kVgpr0);
  }
  for (std::size_t i = 0; i < kLanes; ++i) {
    const U64 offset = U64{offsets.at[i]} + immediate;
    out.address[i] = r.base + scalar + offset;
    out.readable[i] = offset + scalar < r.records ? r.records - offset - scalar : 0;
  }
  return true;
}

bool flat_places(Wave& w, const Instruction& in, Places& out) {
  const int reg = in.src[0] - kVgpr0;
  if (!w.check_vgpr(in, reg, w.exec) || !w.check_vgpr(in, reg + 1, w.exec)) return false;
  for (std::size_t i = 0; i < kLanes; ++i) {
    out.address[i] = w.vgpr(reg).at[i] | U64{w.vgpr(reg + 1).at[i]} << 32;
    out.readable[i] = ~U64{0};
  }
  return true;
}

/// Host bytes of lane `i`, or null (a fault) where they are not all in reach.
std::byte* reach(Wave& w, const Instruction& in, const Places& places, std::size_t i, U32 bytes) {
  if (places.readable[i] >= bytes) {
    if (std::byte* host = w.memory.find(places.address[i], bytes)) return host;
  }
  w.fault(in, FaultKind::kOutOfBounds,
          "lane " + std::to_string(i) + ", " + at(places.address[i]) + ", " +
              std::to_string(places.readable[i]) + " bytes left, wanted " + std::to_string(bytes));
  return nullptr;
}

using FindPlaces = bool (*)(Wave&, const Instruction&, Places&);

template <FindPlaces Find>
constexpr Wave::Counter kCounter = Find == flat_places ? Wave::Counter::kFlat : Wave::Counter::kVm;

/// Dwords or narrower values into registers. T is what memory holds.
template <FindPlaces Find, class T, int Count>
void load(Wave& w, const Instruction& in) {
  Places places;
  if (!Find(w, in, places)) return;
  constexpr U32 kBytes = sizeof(T) * Count;
  if (w.observer != nullptr) w.observer->memory(w, places.address, w.exec, kBytes);
  for (int c = 0; c < Count; ++c) {
    if (!w.reach_load(in, in.dst + c, kCounter<Find>)) return;
  }
  for (U64 left = w.exec; left != 0; left &= left - 1) {
    const auto i = static_cast<std::size_t>(std::countr_zero(left));
    const std::byte* host = reach(w, in, places, i, kBytes);
    for (int c = 0; c < Count; ++c) {
      T value = 0;
      if (host != nullptr) std::memcpy(&value, host + c * sizeof(T), sizeof(T));
      w.vgpr(in.dst + c).at[i] = static_cast<U32>(static_cast<S32>(value));
    }
  }
  for (int c = 0; c < Count; ++c) w.mark_vgpr(in.dst + c, w.exec);
  w.issue(kCounter<Find>, false, in.dst, Count);
}

template <FindPlaces Find, class T, int Count>
void store(Wave& w, const Instruction& in) {
  Places places;
  if (!Find(w, in, places)) return;
  constexpr U32 kBytes = sizeof(T) * Count;
  if (w.observer != nullptr) w.observer->memory(w, places.address, w.exec, kBytes);
  for (int c = 0; c < Count; ++c) {
    if (!w.check_vgpr(in, in.data + c, w.exec)) return;
  }
  for (U64 left = w.exec; left != 0; left &= left - 1) {
    const auto i = static_cast<std::size_t>(std::countr_zero(left));
    std::byte* host = reach(w, in, places, i, kBytes);
    for (int c = 0; c < Count && host != nullptr; ++c) {
      const auto value = static_cast<T>(w.vgpr(in.data + c).at[i]);
      std::memcpy(host + c * sizeof(T), &value, sizeof(T));
    }
  }
  w.issue(kCounter<Find>, false, 0, 0);
}

/// Read, change, write; the old value comes back where asked for. Lanes go in their order.
template <FindPlaces Find, auto F>
void atomic(Wave& w, const Instruction& in) {
  Places places;
  if (!Find(w, in, places)) return;
  if (w.observer != nullptr) w.observer->memory(w, places.address, w.exec, 4);
  if (!w.check_vgpr(in, in.data, w.exec)) return;
  for (U64 left = w.exec; left != 0; left &= left - 1) {
    const auto i = static_cast<std::size_t>(std::countr_zero(left));
    std::byte* host = reach(w, in, places, i, 4);
    if (host == nullptr) continue;
    U32 old = 0;
    std::memcpy(&old, host, 4);
    const U32 now = F(old, w.vgpr(in.data).at[i]);
    std::memcpy(host, &now, 4);
    if (in.glc) w.vgpr(in.dst).at[i] = old;
  }
  if (in.glc) w.mark_vgpr(in.dst, w.exec);
  w.issue(kCounter<Find>, false, in.dst, in.glc ? 1 : 0);
}

/// Compare and swap: the new value, then what it is compared with, in two registers.
template <FindPlaces Find>
void compare_swap(Wave& w, const Instruction& in) {
  Places places;
  if (!Find(w, in, places)) return;
  if (w.observer != nullptr) w.observer->memory(w, places.address, w.exec, 4);
  if (!w.check_vgpr(in, in.data, w.exec) || !w.check_vgpr(in, in.data + 1, w.exec)) return;
  for (U64 left = w.exec; left != 0; left &= left - 1) {
    const auto i = static_cast<std::size_t>(std::countr_zero(left));
    std::byte* host = reach(w, in, places, i, 4);
    if (host == nullptr) continue;
    U32 old = 0;
    std::memcpy(&old, host, 4);
    if (old == w.vgpr(in.data + 1).at[i]) std::memcpy(host, &w.vgpr(in.data).at[i], 4);
    if (in.glc) w.vgpr(in.dst).at[i] = old;
  }
  if (in.glc) w.mark_vgpr(in.dst, w.exec);
  w.issue(kCounter<Find>, false, in.dst, in.glc ? 1 : 0);
}

constexpr auto swap = [](U32, U32 b) { return b; };
constexpr auto add = [](U32 a, U32 b) { return a + b; };
constexpr auto sub = [](U32 a, U32 b) { return a - b; };
constexpr auto smin = [](U32 a, U32 b) {
  return static_cast<S32>(a) < static_cast<S32>(b) ? a : b;
};
constexpr auto umin = [](U32 a, U32 b) { return std::min(a, b); };
constexpr auto smax = [](U32 a, U32 b) {
  return static_cast<S32>(a) > static_cast<S32>(b) ? a : b;
};
constexpr auto umax = [](U32 a, U32 b) { return std::max(a, b); };
constexpr auto and_ = [](U32 a, U32 b) { return a & b; };
constexpr auto or_ = [](U32 a, U32 b) { return a | b; };
constexpr auto xor_ = [](U32 a, U32 b) { return a ^ b; };

constexpr Op row(std::uint16_t number, const char* name, Run run, int loaded, int stored = 0) {
  Op op{.number = number, .name = name, .run = run};
  op.dst_dwords = static_cast<std::uint8_t>(loaded);
  op.src_dwords = {static_cast<std::uint8_t>(stored), 0, 0};
  return op;
}

constexpr Op kSmem[] = {
    row(0, "s_load_dword", s_load<1>, 1),
    row(1, "s_load_dwordx2", s_load<2>, 2),
    row(2, "s_load_dwordx4", s_load<4>, 4),
    row(3, "s_load_dwordx8", s_load<8>, 8),
    row(4, "s_load_dwordx16", s_load<16>, 16),
    row(8, "s_buffer_load_dword", s_buffer_load<1>, 1),
    row(9, "s_buffer_load_dwordx2", s_buffer_load<2>, 2),
    row(10, "s_buffer_load_dwordx4", s_buffer_load<4>, 4),
    row(11, "s_buffer_load_dwordx8", s_buffer_load<8>, 8),
    row(12, "s_buffer_load_dwordx16", s_buffer_load<16>, 16),
    row(32, "s_dcache_inv", s_cache, 0),
    row(33, "s_dcache_wb", s_cache, 0),
    row(36, "s_memtime", s_memtime, 2),
};

constexpr Op kBuffer[] = {
    row(16, "buffer_load_ubyte", load<buffer_places, std::uint8_t, 1>, 1),
    row(17, "buffer_load_sbyte", load<buffer_places, std::int8_t, 1>, 1),
    row(18, "buffer_load_ushort", load<buffer_places, std::uint16_t, 1>, 1),
    row(19, "buffer_load_sshort", load<buffer_places, std::int16_t, 1>, 1),
    row(20, "buffer_load_dword", load<buffer_places, U32, 1>, 1),
    row(21, "buffer_load_dwordx2", load<buffer_places, U32, 2>, 2),
    row(22, "buffer_load_dwordx3", load<buffer_places, U32, 3>, 3),
    row(23, "buffer_load_dwordx4", load<buffer_places, U32, 4>, 4),
    row(24, "buffer_store_byte", store<buffer_places, std::uint8_t, 1>, 0, 1),
    row(26, "buffer_store_short", store<buffer_places, std::uint16_t, 1>, 0, 1),
    row(28, "buffer_store_dword", store<buffer_places, U32, 1>, 0, 1),
    row(29, "buffer_store_dwordx2", store<buffer_places, U32, 2>, 0, 2),
    row(30, "buffer_store_dwordx3", store<buffer_places, U32, 3>, 0, 3),
    row(31, "buffer_store_dwordx4", store<buffer_places, U32, 4>, 0, 4),
    row(64, "buffer_atomic_swap", atomic<buffer_places, swap>, 1, 1),
    row(65, "buffer_atomic_cmpswap", compare_swap<buffer_places>, 1, 2),
    row(66, "buffer_atomic_add", atomic<buffer_places, add>, 1, 1),
    row(67, "buffer_atomic_sub", atomic<buffer_places, sub>, 1, 1),
    row(68, "buffer_atomic_smin", atomic<buffer_places, smin>, 1, 1),
    row(69, "buffer_atomic_umin", atomic<buffer_places, umin>, 1, 1),
    row(70, "buffer_atomic_smax", atomic<buffer_places, smax>, 1, 1),
    row(71, "buffer_atomic_umax", atomic<buffer_places, umax>, 1, 1),
    row(72, "buffer_atomic_and", atomic<buffer_places, and_>, 1, 1),
    row(73, "buffer_atomic_or", atomic<buffer_places, or_>, 1, 1),
    row(74, "buffer_atomic_xor", atomic<buffer_places, xor_>, 1, 1),
};

constexpr Op kFlat[] = {
    row(16, "flat_load_ubyte", load<flat_places, std::uint8_t, 1>, 1),
    row(17, "flat_load_sbyte", load<flat_places, std::int8_t, 1>, 1),
    row(18, "flat_load_ushort", load<flat_places, std::uint16_t, 1>, 1),
    row(19, "flat_load_sshort", load<flat_places, std::int16_t, 1>, 1),
    row(20, "flat_load_dword", load<flat_places, U32, 1>, 1),
    row(21, "flat_load_dwordx2", load<flat_places, U32, 2>, 2),
    row(22, "flat_load_dwordx3", load<flat_places, U32, 3>, 3),
    row(23, "flat_load_dwordx4", load<flat_places, U32, 4>, 4),
    row(24, "flat_store_byte", store<flat_places, std::uint8_t, 1>, 0, 1),
    row(26, "flat_store_short", store<flat_places, std::uint16_t, 1>, 0, 1),
    row(28, "flat_store_dword", store<flat_places, U32, 1>, 0, 1),
    row(29, "flat_store_dwordx2", store<flat_places, U32, 2>, 0, 2),
    row(30, "flat_store_dwordx3", store<flat_places, U32, 3>, 0, 3),
    row(31, "flat_store_dwordx4", store<flat_places, U32, 4>, 0, 4),
    row(64, "flat_atomic_swap", atomic<flat_places, swap>, 1, 1),
    row(65, "flat_atomic_cmpswap", compare_swap<flat_places>, 1, 2),
    row(66, "flat_atomic_add", atomic<flat_places, add>, 1, 1),
    row(72, "flat_atomic_and", atomic<flat_places, and_>, 1, 1),
    row(73, "flat_atomic_or", atomic<flat_places, or_>, 1, 1),
};

}  // namespace

std::span<const Op> smem_ops() { return kSmem; }
std::span<const Op> buffer_ops() { return kBuffer; }
std::span<const Op> flat_ops() { return kFlat; }

}  // namespace polaris::gcn
