// Loops of integer operations and comparisons.
#include "backend/cpu/elementwise.h"

#include <utility>

#include "tensor/element.h"

namespace polaris::cpu {
namespace {

template <class T>
T power(T base, T exponent) {
  // A negative exponent of an integer: 1, -1 and 0 keep meaning, all else truncates to 0.
  if constexpr (std::is_signed_v<T>) {
    if (exponent < 0) {
      if (base == 1) return 1;
      if (base == -1) return (exponent & 1) != 0 ? T{-1} : T{1};
      return 0;
    }
  }
  std::uint64_t out = 1;
  auto square = static_cast<std::uint64_t>(base);
  for (auto e = static_cast<std::uint64_t>(exponent); e != 0; e >>= 1) {
    if ((e & 1) != 0) out *= square;
    square *= square;
  }
  return static_cast<T>(out);
}

template <class T>
T divide(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return static_cast<T>(0 - static_cast<std::uint64_t>(a));  // the smallest wraps
  }
  return static_cast<T>(a / b);
}

template <class T, bool kSignOfDivisor>
T modulo(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return 0;
    const T r = static_cast<T>(a % b);
    return kSignOfDivisor && r != 0 && (r < 0) != (b < 0) ? static_cast<T>(r + b) : r;
  } else {
    return static_cast<T>(a % b);
  }
}

/// One function an opcode; one that elementwise.inc says takes integers and is not here does not
/// compile.
template <Opcode kOp, class T>
T apply(T a, T b) {
  using U = std::uint64_t;
  [[maybe_unused]] const auto ua = static_cast<U>(a);
  [[maybe_unused]] const auto ub = static_cast<U>(b);
  if constexpr (kOp == kOpAdd) {
    return static_cast<T>(ua + ub);
  } else if constexpr (kOp == kOpSub) {
    return static_cast<T>(ua - ub);
  } else if constexpr (kOp == kOpMul) {
    return static_cast<T>(ua * ub);
  } else if constexpr (kOp == kOpDiv) {
    return divide(a, b);
  } else if constexpr (kOp == kOpMod) {
    return modulo<T, true>(a, b);
  } else if constexpr (kOp == kOpFmod) {
    return modulo<T, false>(a, b);
  } else if constexpr (kOp == kOpMin) {
    return b < a ? b : a;
  } else if constexpr (kOp == kOpMax) {
    return a < b ? b : a;
  } else if constexpr (kOp == kOpPow) {
    return power(a, b);
  } else if constexpr (kOp == kOpAnd) {
    return static_cast<T>(ua & ub);
  } else if constexpr (kOp == kOpOr) {
    return static_cast<T>(ua | ub);
  } else if constexpr (kOp == kOpXor) {
    return static_cast<T>(ua ^ ub);
  } else if constexpr (kOp == kOpShiftLeft) {
    return ub < 64 ? static_cast<T>(ua << ub) : T{0};
  } else if constexpr (kOp == kOpShiftRight) {
    return ub < 64 ? static_cast<T>(ua >> ub) : T{0};
  } else if constexpr (kOp == kOpNot || kOp == kOpBitNot) {
    return static_cast<T>(~ua);
  } else if constexpr (kOp == kOpNeg) {
    return static_cast<T>(0 - ua);
  } else if constexpr (kOp == kOpAbs) {
    return a < T{0} ? static_cast<T>(0 - ua) : a;
  } else if constexpr (kOp == kOpSign) {
    return static_cast<T>((T{0} < a ? 1 : 0) - (a < T{0} ? 1 : 0));
  } else if constexpr (kOp == kOpRelu) {
    return a < T{0} ? T{0} : a;
  } else if constexpr (kOp == kOpPRelu) {
    return a < T{0} ? static_cast<T>(ua * ub) : a;
  } else {
    static_assert(kOp == kOpIdentity, "no integer function of this opcode");
    return a;
  }
}

template <Opcode kOp, class T>
void loop(const std::byte* a, std::int64_t a_step, const std::byte* b, std::int64_t b_step,
          std::byte* y, std::int64_t n) {
  const auto* pa = reinterpret_cast<const T*>(a);
  const auto* pb = reinterpret_cast<const T*>(b);
  auto* py = reinterpret_cast<T*>(y);
  for (std::int64_t i = 0; i < n; ++i) py[i] = apply<kOp, T>(pa[i * a_step], pb[i * b_step]);
}

/// bool is stored as 0 or 1; any other byte counts as true.
template <Opcode kOp>
void bool_loop(const std::byte* a, std::int64_t a_step, const std::byte* b, std::int64_t b_step,
               std::byte* y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    const bool pa = a[i * a_step] != std::byte{0};
    const bool pb = b[i * b_step] != std::byte{0};
    bool out = pa;
    if constexpr (kOp == kOpAnd) out = pa && pb;
    if constexpr (kOp == kOpOr) out = pa || pb;
    if constexpr (kOp == kOpXor) out = pa != pb;
    if constexpr (kOp == kOpNot) out = !pa;
    y[i] = out ? std::byte{1} : std::byte{0};
  }
}

template <Opcode kOp>
BinaryLoop loop_of(DType dtype) {
  switch (dtype) {
    case DType::kI8: return loop<kOp, std::int8_t>;
    case DType::kU8: return loop<kOp, std::uint8_t>;
    case DType::kI16: return loop<kOp, std::int16_t>;
    case DType::kU16: return loop<kOp, std::uint16_t>;
    case DType::kI32: return loop<kOp, std::int32_t>;
    case DType::kU32: return loop<kOp, std::uint32_t>;
    case DType::kI64: return loop<kOp, std::int64_t>;
    case DType::kU64: return loop<kOp, std::uint64_t>;
    default: return nullptr;
  }
}

BinaryLoop bool_loop_of(Opcode op) {
  switch (op) {
    case kOpAnd: return bool_loop<kOpAnd>;
    case kOpOr: return bool_loop<kOpOr>;
    case kOpXor: return bool_loop<kOpXor>;
    case kOpNot: return bool_loop<kOpNot>;
    case kOpIdentity: return bool_loop<kOpIdentity>;
    default: return nullptr;
  }
}

template <Opcode kOp, class T>
void compare(const std::byte* a, std::int64_t a_step, const std::byte* b, std::int64_t b_step,
             std::byte* y, std::int64_t n) {
  const auto* pa = reinterpret_cast<const T*>(a);
  const auto* pb = reinterpret_cast<const T*>(b);
  for (std::int64_t i = 0; i < n; ++i) {
    const T u = pa[i * a_step];
    const T v = pb[i * b_step];
    bool out = false;
    if constexpr (kOp == kOpEqual) out = u == v;
    if constexpr (kOp == kOpGreater) out = u > v;
    if constexpr (kOp == kOpGreaterOrEqual) out = u >= v;
    if constexpr (kOp == kOpLess) out = u < v;
    if constexpr (kOp == kOpLessOrEqual) out = u <= v;
    y[i] = out ? std::byte{1} : std::byte{0};
  }
}

template <Opcode kOp>
BinaryLoop compare_of(DType dtype) {
  switch (dtype) {
    case DType::kF32: return compare<kOp, float>;
    case DType::kF64: return compare<kOp, double>;
    case DType::kI8: return compare<kOp, std::int8_t>;
    case DType::kU8:
    case DType::kBool: return compare<kOp, std::uint8_t>;
    case DType::kI16: return compare<kOp, std::int16_t>;
    case DType::kU16: return compare<kOp, std::uint16_t>;
    case DType::kI32: return compare<kOp, std::int32_t>;
    case DType::kU32: return compare<kOp, std::uint32_t>;
    case DType::kI64: return compare<kOp, std::int64_t>;
    case DType::kU64: return compare<kOp, std::uint64_t>;
    default: return nullptr;
  }
}

constexpr bool is_comparison(std::size_t code) {
  return code >= kOpEqual && code <= kOpLessOrEqual;
}

using LoopOf = BinaryLoop (*)(DType);
template <std::size_t kCode>
constexpr LoopOf integer_loop_of() {
  if constexpr (kCpuCodes[kCode].ints && !is_comparison(kCode)) {
    return loop_of<static_cast<Opcode>(kCode)>;
  } else {
    return nullptr;
  }
}
template <std::size_t... kCodes>
constexpr std::array<LoopOf, sizeof...(kCodes)> integer_loops(std::index_sequence<kCodes...>) {
  return {integer_loop_of<kCodes>()...};
}
constexpr auto kIntegerLoops = integer_loops(std::make_index_sequence<kOpcodes>());

}  // namespace

BinaryLoop integer_loop(Opcode op, DType dtype) {
  if (dtype == DType::kBool) return bool_loop_of(op);
  return kIntegerLoops[op] == nullptr ? nullptr : kIntegerLoops[op](dtype);
}

BinaryLoop compare_loop(Opcode op, DType dtype) {
  switch (op) {
    case kOpEqual: return compare_of<kOpEqual>(dtype);
    case kOpGreater: return compare_of<kOpGreater>(dtype);
    case kOpGreaterOrEqual: return compare_of<kOpGreaterOrEqual>(dtype);
    case kOpLess: return compare_of<kOpLess>(dtype);
    case kOpLessOrEqual: return compare_of<kOpLessOrEqual>(dtype);
    default: return nullptr;
  }
}

}  // namespace polaris::cpu
