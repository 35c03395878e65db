#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "backend/cpu/simd/simd.h"
#include "ir/op_def.h"

namespace polaris::cpu {

/// Integer operations on one or two operands; results wrap to the type's width.
enum class IntOp : std::uint8_t {
  kNone,
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kFMod,
  kMin,
  kMax,
  kPow,
  kAnd,
  kOr,
  kXor,
  kShiftLeft,
  kShiftRight,
  kNot,
  kNeg,
  kAbs,
  kSign,
  kRelu,
  kPRelu,
  kIdentity,
};
enum class Compare : std::uint8_t { kNone, kEqual, kGreater, kGreaterOrEqual, kLess, kLessOrEqual };

/// How the cpu runs one elementwise op: a row of the table. A float op without a vector function
/// goes by OpDef.scalar, element by element.
struct ElementwiseRow {
  std::string_view op;
  int operands = 1;  // 0: any number, folded from the left
  std::optional<Unary> unary;
  std::optional<Binary> binary;
  IntOp integer = IntOp::kNone;
  Compare compare = Compare::kNone;
};
const ElementwiseRow* find_elementwise(std::string_view op);

/// Loops over a run; a step is 0 or 1 elements. Null where the type has no such operation.
using BinaryLoop = void (*)(const std::byte* a, std::int64_t a_step, const std::byte* b,
                            std::int64_t b_step, std::byte* y, std::int64_t n);
BinaryLoop integer_loop(IntOp op, DType dtype);
/// For float32, float64, integers and bool; y is bool.
BinaryLoop compare_loop(Compare op, DType dtype);

/// The vector function's attributes of a unary op, or what scalar() must see instead.
struct UnaryChoice {
  Unary op = Unary::kCopy;
  float p = 0;
  float q = 0;
};
std::optional<UnaryChoice> unary_choice(const ElementwiseRow& row, const Attrs* attrs);

}  // namespace polaris::cpu
