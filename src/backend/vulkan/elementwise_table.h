#pragma once
#include <cstdint>
#include <string_view>

#include "backend/vulkan/opcode.h"

/// The elementwise ops, one row each; the elementwise and chain families read it.
namespace polaris::vulkan {

/// Dtypes that an op takes.
enum Domains : std::uint32_t {
  kFloats = 1,
  kInts = 2,
  kBools = 4,
  kNumbers = kFloats | kInts,
  kAll = kFloats | kInts | kBools
};
enum class Form : std::uint8_t {
  kFixed,     // as many operands as `operands`
  kVariadic,  // any number, folded pairwise
  kClip,      // min and max may be absent
  kWhere,     // bits of b or c by a
  kCopy,      // bits of a: Identity, Expand
  kCast,      // a, stored as the output's type
};

/// One op: its opcode, how many operands a shader call has, and its attributes.
struct ElementwiseRow {
  std::string_view op;
  std::uint32_t opcode;
  int operands;
  std::uint32_t domains;
  Form form = Form::kFixed;
  std::string_view attr0 = {};
  float default0 = 0.0f;
  std::string_view attr1 = {};
  float default1 = 0.0f;
};

inline constexpr ElementwiseRow kElementwiseRows[] = {
    {"Abs", kOpAbs, 1, kNumbers},
    {"Neg", kOpNeg, 1, kNumbers},
    {"Sqrt", kOpSqrt, 1, kFloats},
    {"Exp", kOpExp, 1, kFloats},
    {"Log", kOpLog, 1, kFloats},
    {"Sin", kOpSin, 1, kFloats},
    {"Cos", kOpCos, 1, kFloats},
    {"Tan", kOpTan, 1, kFloats},
    {"Asin", kOpAsin, 1, kFloats},
    {"Acos", kOpAcos, 1, kFloats},
    {"Atan", kOpAtan, 1, kFloats},
    {"Sinh", kOpSinh, 1, kFloats},
    {"Cosh", kOpCosh, 1, kFloats},
    {"Tanh", kOpTanh, 1, kFloats},
    {"Asinh", kOpAsinh, 1, kFloats},
    {"Acosh", kOpAcosh, 1, kFloats},
    {"Atanh", kOpAtanh, 1, kFloats},
    {"Erf", kOpErf, 1, kFloats},
    {"Relu", kOpRelu, 1, kNumbers},
    {"Sigmoid", kOpSigmoid, 1, kFloats},
    {"HardSigmoid", kOpHardSigmoid, 1, kFloats, Form::kFixed, "alpha", 0.2f, "beta", 0.5f},
    {"HardSwish", kOpHardSwish, 1, kFloats},
    {"LeakyRelu", kOpLeakyRelu, 1, kFloats, Form::kFixed, "alpha", 0.01f},
    {"Elu", kOpElu, 1, kFloats, Form::kFixed, "alpha", 1.0f},
    {"Selu", kOpSelu, 1, kFloats, Form::kFixed, "alpha", 1.67326319217681884765625f, "gamma",
     1.05070102214813232421875f},
    {"Celu", kOpCelu, 1, kFloats, Form::kFixed, "alpha", 1.0f},
    {"Gelu", kOpGelu, 1, kFloats},
    {"Mish", kOpMish, 1, kFloats},
    {"Softplus", kOpSoftplus, 1, kFloats},
    {"Softsign", kOpSoftsign, 1, kFloats},
    {"Swish", kOpSwish, 1, kFloats, Form::kFixed, "alpha", 1.0f},
    {"ThresholdedRelu", kOpThresholdedRelu, 1, kFloats, Form::kFixed, "alpha", 1.0f},
    {"Floor", kOpFloor, 1, kFloats},
    {"Ceil", kOpCeil, 1, kFloats},
    {"Round", kOpRound, 1, kFloats},
    {"Sign", kOpSign, 1, kNumbers},
    {"Reciprocal", kOpReciprocal, 1, kFloats},
    {"IsNaN", kOpIsNaN, 1, kFloats},
    {"IsInf", kOpIsInf, 1, kFloats, Form::kFixed, "detect_positive", 1.0f, "detect_negative", 1.0f},
    {"Not", kOpNot, 1, kBools},
    {"BitwiseNot", kOpBitNot, 1, kInts},
    {"Add", kOpAdd, 2, kNumbers},
    {"Sub", kOpSub, 2, kNumbers},
    {"Mul", kOpMul, 2, kNumbers},
    {"Div", kOpDiv, 2, kNumbers},
    {"Pow", kOpPow, 2, kNumbers},
    {"Mod", kOpMod, 2, kNumbers},
    {"PRelu", kOpPRelu, 2, kNumbers},
    {"Equal", kOpEqual, 2, kAll},
    {"Greater", kOpGreater, 2, kNumbers},
    {"GreaterOrEqual", kOpGreaterOrEqual, 2, kNumbers},
    {"Less", kOpLess, 2, kNumbers},
    {"LessOrEqual", kOpLessOrEqual, 2, kNumbers},
    {"And", kOpAnd, 2, kBools},
    {"Or", kOpOr, 2, kBools},
    {"Xor", kOpXor, 2, kBools},
    {"BitwiseAnd", kOpAnd, 2, kInts},
    {"BitwiseOr", kOpOr, 2, kInts},
    {"BitwiseXor", kOpXor, 2, kInts},
    {"BitShift", kOpShiftLeft, 2, kInts},
    {"Min", kOpMin, 2, kNumbers, Form::kVariadic},
    {"Max", kOpMax, 2, kNumbers, Form::kVariadic},
    {"Sum", kOpAdd, 2, kFloats, Form::kVariadic},
    {"Mean", kOpAddScale, 2, kFloats, Form::kVariadic},
    {"Clip", kOpClip, 3, kNumbers, Form::kClip},
    {"Where", kOpWhere, 3, kAll, Form::kWhere},
    {"Identity", kOpIdentity, 1, kAll, Form::kCopy},
    {"Expand", kOpIdentity, 1, kAll, Form::kCopy},
    {"Cast", kOpIdentity, 1, kAll, Form::kCast},
    {"CastLike", kOpIdentity, 1, kAll, Form::kCast},
};

/// Row of an op, or null.
constexpr const ElementwiseRow* find_elementwise_row(std::string_view op) {
  for (const ElementwiseRow& row : kElementwiseRows) {
    if (row.op == op) return &row;
  }
  return nullptr;
}

}  // namespace polaris::vulkan
