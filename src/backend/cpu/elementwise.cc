#include "backend/cpu/elementwise.h"

#include "ir/op_attrs/elementwise.h"

namespace polaris::cpu {
namespace {

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

constexpr ElementwiseRow kRows[] = {
    unary("Abs", Unary::kAbs, IntOp::kAbs),
    scalar("Acos", 1),
    scalar("Acosh", 1),
    binary("Add", 2, Binary::kAdd, IntOp::kAdd),
    scalar("And", 2, IntOp::kAnd),
    scalar("Asin", 1),
    scalar("Asinh", 1),
    scalar("Atan", 1),
    scalar("Atanh", 1),
    scalar("BitShift", 2, IntOp::kShiftLeft),  // the direction is an attribute
    scalar("BitwiseAnd", 2, IntOp::kAnd),
    scalar("BitwiseNot", 1, IntOp::kNot),
    scalar("BitwiseOr", 2, IntOp::kOr),
    scalar("BitwiseXor", 2, IntOp::kXor),
    unary("Ceil", Unary::kCeil),
    unary("Celu", Unary::kCelu),
    scalar("Cos", 1),
    scalar("Cosh", 1),
    binary("Div", 2, Binary::kDiv, IntOp::kDiv),
    unary("Elu", Unary::kElu),
    compare("Equal", Compare::kEqual),
    unary("Erf", Unary::kErf),
    unary("Exp", Unary::kExp),
    unary("Floor", Unary::kFloor),
    unary("Gelu", Unary::kGelu),
    compare("Greater", Compare::kGreater),
    compare("GreaterOrEqual", Compare::kGreaterOrEqual),
    unary("HardSigmoid", Unary::kHardSigmoid),
    unary("HardSwish", Unary::kHardSwish),
    unary("Identity", Unary::kCopy, IntOp::kIdentity),
    unary("LeakyRelu", Unary::kLeakyRelu),
    compare("Less", Compare::kLess),
    compare("LessOrEqual", Compare::kLessOrEqual),
    unary("Log", Unary::kLog),
    binary("Max", 0, Binary::kMax, IntOp::kMax),
    binary("Mean", 0, Binary::kAdd, IntOp::kNone),
    binary("Min", 0, Binary::kMin, IntOp::kMin),
    unary("Mish", Unary::kMish),
    scalar("Mod", 2, IntOp::kMod),  // fmod is an attribute
    binary("Mul", 2, Binary::kMul, IntOp::kMul),
    unary("Neg", Unary::kNeg, IntOp::kNeg),
    scalar("Not", 1, IntOp::kNot),
    scalar("Or", 2, IntOp::kOr),
    binary("PRelu", 2, Binary::kPRelu, IntOp::kPRelu),
    scalar("Pow", 2, IntOp::kPow),
    unary("Reciprocal", Unary::kReciprocal),
    unary("Relu", Unary::kRelu, IntOp::kRelu),
    unary("Round", Unary::kRound),
    unary("Selu", Unary::kSelu),
    unary("Sigmoid", Unary::kSigmoid),
    unary("Sign", Unary::kSign, IntOp::kSign),
    scalar("Sin", 1),
    scalar("Sinh", 1),
    unary("Softplus", Unary::kSoftplus),
    unary("Softsign", Unary::kSoftsign),
    unary("Sqrt", Unary::kSqrt),
    binary("Sub", 2, Binary::kSub, IntOp::kSub),
    binary("Sum", 0, Binary::kAdd, IntOp::kNone),
    unary("Swish", Unary::kSwish),
    scalar("Tan", 1),
    unary("Tanh", Unary::kTanh),
    unary("ThresholdedRelu", Unary::kThresholdedRelu),
    scalar("Xor", 2, IntOp::kXor),
};

template <class A>
const A& as(const Attrs* attrs) {
  return static_cast<const A&>(*attrs);
}

}  // namespace

const ElementwiseRow* find_elementwise(std::string_view op) {
  for (const ElementwiseRow& row : kRows) {
    if (row.op == op) return &row;
  }
  return nullptr;
}

std::optional<UnaryChoice> unary_choice(const ElementwiseRow& row, const Attrs* attrs) {
  if (!row.unary) return std::nullopt;
  UnaryChoice out{*row.unary, 0, 0};
  switch (*row.unary) {
    case Unary::kLeakyRelu: out.p = as<LeakyReluAttrs>(attrs).alpha; break;
    case Unary::kElu: out.p = as<EluAttrs>(attrs).alpha; break;
    case Unary::kCelu: out.p = as<CeluAttrs>(attrs).alpha; break;
    case Unary::kSwish: out.p = as<SwishAttrs>(attrs).alpha; break;
    case Unary::kThresholdedRelu: out.p = as<ThresholdedReluAttrs>(attrs).alpha; break;
    case Unary::kSelu:
      out.p = as<SeluAttrs>(attrs).alpha;
      out.q = as<SeluAttrs>(attrs).gamma;
      break;
    case Unary::kHardSigmoid:
      out.p = as<HardSigmoidAttrs>(attrs).alpha;
      out.q = as<HardSigmoidAttrs>(attrs).beta;
      break;
    case Unary::kGelu:
      if (as<GeluAttrs>(attrs).approximate == "tanh") out.op = Unary::kGeluTanh;
      break;
    default: break;
  }
  return out;
}

}  // namespace polaris::cpu
