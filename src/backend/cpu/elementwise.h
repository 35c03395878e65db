#pragma once
#include <cstddef>
#include <cstdint>

#include "backend/cpu/simd/simd.h"
#include "backend/elementwise.h"

namespace polaris::cpu {

/// Vector functions, or null where an opcode has none.
inline Simd::UnaryFn unary_fn(const Simd& simd, Opcode op) {
  return op < kUnaryCodes ? simd.unary[op] : nullptr;
}
inline Simd::BinaryFn binary_fn(const Simd& simd, Opcode op) {
  return op >= kUnaryCodes && op < kUnaryCodes + kBinaryCodes ? simd.binary[op - kUnaryCodes]
                                                              : nullptr;
}

/// Loops over a run; a step is 0 or 1 elements. Integers wrap to the type's width. Null where the
/// type has no such operation.
using BinaryLoop = void (*)(const std::byte* a, std::int64_t a_step, const std::byte* b,
                            std::int64_t b_step, std::byte* y, std::int64_t n);
BinaryLoop integer_loop(Opcode op, DType dtype);
/// For float32, float64, integers and bool; y is bool. Null where the opcode compares nothing.
BinaryLoop compare_loop(Opcode op, DType dtype);

}  // namespace polaris::cpu
