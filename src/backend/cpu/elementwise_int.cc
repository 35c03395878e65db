// Loops of integer operations and comparisons.
#include "backend/cpu/elementwise.h"
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

template <IntOp kOp, class T>
T apply(T a, T b) {
  using U = std::uint64_t;
  const auto ua = static_cast<U>(a);
  const auto ub = static_cast<U>(b);
  switch (kOp) {
    case IntOp::kNone: break;
    case IntOp::kAdd: return static_cast<T>(ua + ub);
    case IntOp::kSub: return static_cast<T>(ua - ub);
    case IntOp::kMul: return static_cast<T>(ua * ub);
    case IntOp::kDiv: return divide(a, b);
    case IntOp::kMod: return modulo<T, true>(a, b);
    case IntOp::kFMod: return modulo<T, false>(a, b);
    case IntOp::kMin: return b < a ? b : a;
    case IntOp::kMax: return a < b ? b : a;
    case IntOp::kPow: return power(a, b);
    case IntOp::kAnd: return static_cast<T>(ua & ub);
    case IntOp::kOr: return static_cast<T>(ua | ub);
    case IntOp::kXor: return static_cast<T>(ua ^ ub);
    case IntOp::kShiftLeft: return ub < 64 ? static_cast<T>(ua << ub) : T{0};
    case IntOp::kShiftRight: return ub < 64 ? static_cast<T>(ua >> ub) : T{0};
    case IntOp::kNot: return static_cast<T>(~ua);
    case IntOp::kNeg: return static_cast<T>(0 - ua);
    case IntOp::kAbs: return a < T{0} ? static_cast<T>(0 - ua) : a;
    case IntOp::kSign: return static_cast<T>((T{0} < a ? 1 : 0) - (a < T{0} ? 1 : 0));
    case IntOp::kRelu: return a < T{0} ? T{0} : a;
    case IntOp::kPRelu: return a < T{0} ? static_cast<T>(ua * ub) : a;
    case IntOp::kIdentity: return a;
  }
  return a;
}

template <IntOp kOp, class T>
void loop(const std::byte* a, std::int64_t a_step, const std::byte* b, std::int64_t b_step,
          std::byte* y, std::int64_t n) {
  const auto* pa = reinterpret_cast<const T*>(a);
  const auto* pb = reinterpret_cast<const T*>(b);
  auto* py = reinterpret_cast<T*>(y);
  for (std::int64_t i = 0; i < n; ++i) py[i] = apply<kOp, T>(pa[i * a_step], pb[i * b_step]);
}

/// bool is stored as 0 or 1; any other byte counts as true.
template <IntOp kOp>
void bool_loop(const std::byte* a, std::int64_t a_step, const std::byte* b, std::int64_t b_step,
               std::byte* y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    const bool pa = a[i * a_step] != std::byte{0};
    const bool pb = b[i * b_step] != std::byte{0};
    bool out = pa;
    if constexpr (kOp == IntOp::kAnd) out = pa && pb;
    if constexpr (kOp == IntOp::kOr) out = pa || pb;
    if constexpr (kOp == IntOp::kXor) out = pa != pb;
    if constexpr (kOp == IntOp::kNot) out = !pa;
    y[i] = out ? std::byte{1} : std::byte{0};
  }
}

template <IntOp kOp>
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

BinaryLoop bool_loop_of(IntOp op) {
  switch (op) {
    case IntOp::kAnd: return bool_loop<IntOp::kAnd>;
    case IntOp::kOr: return bool_loop<IntOp::kOr>;
    case IntOp::kXor: return bool_loop<IntOp::kXor>;
    case IntOp::kNot: return bool_loop<IntOp::kNot>;
    case IntOp::kIdentity: return bool_loop<IntOp::kIdentity>;
    default: return nullptr;
  }
}

template <Compare kOp, class T>
void compare(const std::byte* a, std::int64_t a_step, const std::byte* b, std::int64_t b_step,
             std::byte* y, std::int64_t n) {
  const auto* pa = reinterpret_cast<const T*>(a);
  const auto* pb = reinterpret_cast<const T*>(b);
  for (std::int64_t i = 0; i < n; ++i) {
    const T u = pa[i * a_step];
    const T v = pb[i * b_step];
    bool out = false;
    if constexpr (kOp == Compare::kEqual) out = u == v;
    if constexpr (kOp == Compare::kGreater) out = u > v;
    if constexpr (kOp == Compare::kGreaterOrEqual) out = u >= v;
    if constexpr (kOp == Compare::kLess) out = u < v;
    if constexpr (kOp == Compare::kLessOrEqual) out = u <= v;
    y[i] = out ? std::byte{1} : std::byte{0};
  }
}

template <Compare kOp>
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

}  // namespace

BinaryLoop integer_loop(IntOp op, DType dtype) {
  if (dtype == DType::kBool) return bool_loop_of(op);
  switch (op) {
    case IntOp::kNone: break;
    case IntOp::kAdd: return loop_of<IntOp::kAdd>(dtype);
    case IntOp::kSub: return loop_of<IntOp::kSub>(dtype);
    case IntOp::kMul: return loop_of<IntOp::kMul>(dtype);
    case IntOp::kDiv: return loop_of<IntOp::kDiv>(dtype);
    case IntOp::kMod: return loop_of<IntOp::kMod>(dtype);
    case IntOp::kFMod: return loop_of<IntOp::kFMod>(dtype);
    case IntOp::kMin: return loop_of<IntOp::kMin>(dtype);
    case IntOp::kMax: return loop_of<IntOp::kMax>(dtype);
    case IntOp::kPow: return loop_of<IntOp::kPow>(dtype);
    case IntOp::kAnd: return loop_of<IntOp::kAnd>(dtype);
    case IntOp::kOr: return loop_of<IntOp::kOr>(dtype);
    case IntOp::kXor: return loop_of<IntOp::kXor>(dtype);
    case IntOp::kShiftLeft: return loop_of<IntOp::kShiftLeft>(dtype);
    case IntOp::kShiftRight: return loop_of<IntOp::kShiftRight>(dtype);
    case IntOp::kNot: return loop_of<IntOp::kNot>(dtype);
    case IntOp::kNeg: return loop_of<IntOp::kNeg>(dtype);
    case IntOp::kAbs: return loop_of<IntOp::kAbs>(dtype);
    case IntOp::kSign: return loop_of<IntOp::kSign>(dtype);
    case IntOp::kRelu: return loop_of<IntOp::kRelu>(dtype);
    case IntOp::kPRelu: return loop_of<IntOp::kPRelu>(dtype);
    case IntOp::kIdentity: return loop_of<IntOp::kIdentity>(dtype);
  }
  return nullptr;
}

BinaryLoop compare_loop(Compare op, DType dtype) {
  switch (op) {
    case Compare::kNone: break;
    case Compare::kEqual: return compare_of<Compare::kEqual>(dtype);
    case Compare::kGreater: return compare_of<Compare::kGreater>(dtype);
    case Compare::kGreaterOrEqual: return compare_of<Compare::kGreaterOrEqual>(dtype);
    case Compare::kLess: return compare_of<Compare::kLess>(dtype);
    case Compare::kLessOrEqual: return compare_of<Compare::kLessOrEqual>(dtype);
  }
  return nullptr;
}

}  // namespace polaris::cpu
