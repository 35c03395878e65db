#pragma once
#include "backend/cpu/elementwise.h"

/// The elementwise ops of this backend, one a row.
namespace polaris::cpu {
namespace row {

constexpr ElementwiseRow unary(std::string_view op, Unary fn, IntOp integer = IntOp::kNone) {
  return {.op = op, .operands = 1, .unary = fn, .integer = integer};
}
constexpr ElementwiseRow scalar(std::string_view op, int operands, IntOp integer = IntOp::kNone) {
  return {.op = op, .operands = operands, .integer = integer};
}
constexpr ElementwiseRow binary(std::string_view op, int operands, Binary fn, IntOp integer) {
  return {.op = op, .operands = operands, .binary = fn, .integer = integer};
}
constexpr ElementwiseRow compare(std::string_view op, Compare fn) {
  return {.op = op, .operands = 2, .compare = fn};
}

}  // namespace row

inline constexpr ElementwiseRow kElementwiseRows[] = {
    row::unary("Abs", Unary::kAbs, IntOp::kAbs),
    row::scalar("Acos", 1),
    row::scalar("Acosh", 1),
    row::binary("Add", 2, Binary::kAdd, IntOp::kAdd),
    row::scalar("And", 2, IntOp::kAnd),
    row::scalar("Asin", 1),
    row::scalar("Asinh", 1),
    row::scalar("Atan", 1),
    row::scalar("Atanh", 1),
    row::scalar("BitShift", 2, IntOp::kShiftLeft),  // the direction is an attribute
    row::scalar("BitwiseAnd", 2, IntOp::kAnd),
    row::scalar("BitwiseNot", 1, IntOp::kNot),
    row::scalar("BitwiseOr", 2, IntOp::kOr),
    row::scalar("BitwiseXor", 2, IntOp::kXor),
    row::unary("Ceil", Unary::kCeil),
    row::unary("Celu", Unary::kCelu),
    row::scalar("Cos", 1),
    row::scalar("Cosh", 1),
    row::binary("Div", 2, Binary::kDiv, IntOp::kDiv),
    row::unary("Elu", Unary::kElu),
    row::compare("Equal", Compare::kEqual),
    row::unary("Erf", Unary::kErf),
    row::unary("Exp", Unary::kExp),
    row::unary("Floor", Unary::kFloor),
    row::unary("Gelu", Unary::kGelu),
    row::compare("Greater", Compare::kGreater),
    row::compare("GreaterOrEqual", Compare::kGreaterOrEqual),
    row::unary("HardSigmoid", Unary::kHardSigmoid),
    row::unary("HardSwish", Unary::kHardSwish),
    row::unary("Identity", Unary::kCopy, IntOp::kIdentity),
    row::unary("LeakyRelu", Unary::kLeakyRelu),
    row::compare("Less", Compare::kLess),
    row::compare("LessOrEqual", Compare::kLessOrEqual),
    row::unary("Log", Unary::kLog),
    row::binary("Max", 0, Binary::kMax, IntOp::kMax),
    row::binary("Mean", 0, Binary::kAdd, IntOp::kNone),
    row::binary("Min", 0, Binary::kMin, IntOp::kMin),
    row::unary("Mish", Unary::kMish),
    row::scalar("Mod", 2, IntOp::kMod),  // fmod is an attribute
    row::binary("Mul", 2, Binary::kMul, IntOp::kMul),
    row::unary("Neg", Unary::kNeg, IntOp::kNeg),
    row::scalar("Not", 1, IntOp::kNot),
    row::scalar("Or", 2, IntOp::kOr),
    row::binary("PRelu", 2, Binary::kPRelu, IntOp::kPRelu),
    row::scalar("Pow", 2, IntOp::kPow),
    row::unary("Reciprocal", Unary::kReciprocal),
    row::unary("Relu", Unary::kRelu, IntOp::kRelu),
    row::unary("Round", Unary::kRound),
    row::unary("Selu", Unary::kSelu),
    row::unary("Sigmoid", Unary::kSigmoid),
    row::unary("Sign", Unary::kSign, IntOp::kSign),
    row::scalar("Sin", 1),
    row::scalar("Sinh", 1),
    row::unary("Softplus", Unary::kSoftplus),
    row::unary("Softsign", Unary::kSoftsign),
    row::unary("Sqrt", Unary::kSqrt),
    row::binary("Sub", 2, Binary::kSub, IntOp::kSub),
    row::binary("Sum", 0, Binary::kAdd, IntOp::kNone),
    row::unary("Swish", Unary::kSwish),
    row::scalar("Tan", 1),
    row::unary("Tanh", Unary::kTanh),
    row::unary("ThresholdedRelu", Unary::kThresholdedRelu),
    row::scalar("Xor", 2, IntOp::kXor),
};

}  // namespace polaris::cpu
