// Operators that take each element by itself.
#include <cmath>
#include <numbers>

#include "load/tflite/importer.h"

namespace polaris::tflite {
namespace {

void unary(OperatorImport& o, std::string_view op) { o.give(0, o.add(op, {o.real(0)})); }

void binary(OperatorImport& o, std::string_view op, std::int64_t activation = 0) {
  o.give_activated(o.add(op, {o.real(0), o.real(1)}), activation);
}

void compare(OperatorImport& o, std::string_view op) {
  o.give_raw(0, o.add(op, {o.real(0), o.real(1)}));
}

void clip(OperatorImport& o, double low, double high) {
  Builder& b = o.builder();
  o.give(0, o.add("Clip", {o.real(0), b.number(low), b.number(high)}));
}

ValueId times(OperatorImport& o, ValueId a, ValueId b) { return o.add("Mul", {a, b}); }

/// The quotient rounded down, of integers: what is left over goes first.
ValueId floor_quotient(OperatorImport& o, ValueId a, ValueId b) {
  return o.add("Div", {o.add("Sub", {a, o.add("Mod", {a, b})}), b});
}

}  // namespace

void abs(OperatorImport& o) { unary(o, "Abs"); }
void ceil(OperatorImport& o) { unary(o, "Ceil"); }
void cos(OperatorImport& o) { unary(o, "Cos"); }
void elu(OperatorImport& o) { unary(o, "Elu"); }
void exp(OperatorImport& o) { unary(o, "Exp"); }
void floor(OperatorImport& o) { unary(o, "Floor"); }
void hard_swish(OperatorImport& o) { unary(o, "HardSwish"); }
void log(OperatorImport& o) { unary(o, "Log"); }
void logistic(OperatorImport& o) { unary(o, "Sigmoid"); }
void neg(OperatorImport& o) { unary(o, "Neg"); }
void relu(OperatorImport& o) { o.give_activated(o.real(0), 1); }
void relu_n1_to_1(OperatorImport& o) { o.give_activated(o.real(0), 2); }
void relu6(OperatorImport& o) { o.give_activated(o.real(0), 3); }
void relu_0_to_1(OperatorImport& o) { clip(o, 0, 1); }
void round(OperatorImport& o) { unary(o, "Round"); }
void rsqrt(OperatorImport& o) { o.give(0, o.add("Reciprocal", {o.add("Sqrt", {o.real(0)})})); }
void sign(OperatorImport& o) { unary(o, "Sign"); }
void sin(OperatorImport& o) { unary(o, "Sin"); }
void sqrt(OperatorImport& o) { unary(o, "Sqrt"); }
void square(OperatorImport& o) { o.give(0, times(o, o.real(0), o.real(0))); }
void tanh(OperatorImport& o) { unary(o, "Tanh"); }

void gelu(OperatorImport& o) {
  const std::string_view how = o.flag(0) ? "tanh" : "none";
  o.give(0, o.add("Gelu", {o.real(0)}, {{"approximate", how}}));
}
void leaky_relu(OperatorImport& o) {
  o.give(0, o.add("LeakyRelu", {o.real(0)}, {{"alpha", o.float_option(0)}}));
}
void prelu(OperatorImport& o) { binary(o, "PRelu"); }

void add(OperatorImport& o) { binary(o, "Add", o.byte_option(0)); }
void sub(OperatorImport& o) { binary(o, "Sub", o.byte_option(0)); }
void mul(OperatorImport& o) { binary(o, "Mul", o.byte_option(0)); }
void div(OperatorImport& o) { binary(o, "Div", o.byte_option(0)); }
void maximum(OperatorImport& o) { binary(o, "Max"); }
void minimum(OperatorImport& o) { binary(o, "Min"); }
void pow(OperatorImport& o) { binary(o, "Pow"); }

void add_n(OperatorImport& o) {
  ValueId sum = o.real(0);
  for (std::size_t i = 1; i < o.input_count(); ++i) sum = o.add("Add", {sum, o.real(i)});
  o.give(0, sum);
}

void squared_difference(OperatorImport& o) {
  const ValueId difference = o.add("Sub", {o.real(0), o.real(1)});
  o.give(0, times(o, difference, difference));
}

void floor_div(OperatorImport& o) {
  const ValueId a = o.real(0);
  const ValueId b = o.real(1);
  const bool whole = is_integer(o.dtype(0)) && !o.quantized(0);
  o.give(0, whole ? floor_quotient(o, a, b) : o.add("Floor", {o.add("Div", {a, b})}));
}

// Of floats the remainder has the dividend's sign in ours, the divisor's in theirs.
void floor_mod(OperatorImport& o) {
  const ValueId a = o.real(0);
  const ValueId b = o.real(1);
  if (is_integer(o.dtype(0)) && !o.quantized(0)) return o.give(0, o.add("Mod", {a, b}));
  const ValueId left = o.add("Mod", {a, b}, {{"fmod", true}});
  const ValueId zero = o.builder().number(0);
  const ValueId other = o.add("Less", {times(o, o.add("Sign", {left}), o.add("Sign", {b})), zero});
  o.give(0, o.add("Where", {other, o.add("Add", {left, b}), left}));
}

void atan2(OperatorImport& o) {
  Builder& b = o.builder();
  const ValueId y = o.real(0);
  const ValueId x = o.real(1);
  const DType dtype = o.dtype(0);
  const ValueId zero = b.number(0, dtype);
  const ValueId angle = o.add("Atan", {o.add("Div", {y, x})});
  const ValueId below = o.add("Less", {y, zero});
  const ValueId turn = o.add(
      "Where", {below, b.number(-std::numbers::pi, dtype), b.number(std::numbers::pi, dtype)});
  const ValueId left = o.add("Less", {x, zero});
  const ValueId turned = o.add("Where", {left, o.add("Add", {angle, turn}), angle});
  const ValueId upright = times(o, o.add("Sign", {y}), b.number(std::numbers::pi / 2, dtype));
  o.give(0, o.add("Where", {o.add("Equal", {x, zero}), upright, turned}));
}

void equal(OperatorImport& o) { compare(o, "Equal"); }
void not_equal(OperatorImport& o) {
  o.give_raw(0, o.add("Not", {o.add("Equal", {o.real(0), o.real(1)})}));
}
void greater(OperatorImport& o) { compare(o, "Greater"); }
void greater_equal(OperatorImport& o) { compare(o, "GreaterOrEqual"); }
void less(OperatorImport& o) { compare(o, "Less"); }
void less_equal(OperatorImport& o) { compare(o, "LessOrEqual"); }
void logical_and(OperatorImport& o) { compare(o, "And"); }
void logical_or(OperatorImport& o) { compare(o, "Or"); }
void logical_not(OperatorImport& o) { o.give_raw(0, o.add("Not", {o.raw(0)})); }
void bitwise_xor(OperatorImport& o) {
  const std::string_view op = o.dtype(0) == DType::kBool ? "Xor" : "BitwiseXor";
  o.give_raw(0, o.add(op, {o.raw(0), o.raw(1)}));
}

// Integers with a sign keep it: a quotient rounded down.
void right_shift(OperatorImport& o) {
  Builder& b = o.builder();
  const DType dtype = o.dtype(0);
  if (!is_signed_integer(dtype)) {
    const std::string_view right = "RIGHT";
    return o.give_raw(0, o.add("BitShift", {o.raw(0), o.raw(1)}, {{"direction", right}}));
  }
  const std::string_view left = "LEFT";
  const ValueId power = o.add("BitShift", {b.number(1, DType::kU64), b.cast(o.raw(1), DType::kU64)},
                              {{"direction", left}});
  const ValueId wide = b.cast(o.raw(0), DType::kI64);
  o.give_raw(0, b.cast(floor_quotient(o, wide, b.cast(power, DType::kI64)), dtype));
}

void cast(OperatorImport& o) {
  if (!dtype_of(o.in(0).type) || !dtype_of(o.out().type)) {
    return o.unsupported("types, got " + data_type_name(o.in(0).type) + " to " +
                         data_type_name(o.out().type));
  }
  o.give_raw(0, o.builder().cast(o.raw(0), o.out_dtype()));
}

void softmax(OperatorImport& o) {
  ValueId x = o.real(0);
  const float beta = o.float_option(0, 1.0f);
  if (beta != 1.0f) x = times(o, x, o.builder().number(static_cast<double>(beta)));
  o.give(0, o.add("Softmax", {x}, {{"axis", std::int64_t{-1}}}));
}

void log_softmax(OperatorImport& o) {
  o.give(0, o.add("LogSoftmax", {o.real(0)}, {{"axis", std::int64_t{-1}}}));
}

void l2_normalization(OperatorImport& o) {
  // LiteRT's: lengths below it count as this long.
  constexpr double kShortest = 1e-6;
  Builder& b = o.builder();
  const ValueId x = o.real(0);
  const ValueId squares = o.add("ReduceSumSquare", {x, b.ints({-1})});
  const ValueId length = o.add("Max", {o.add("Sqrt", {squares}), b.number(kShortest)});
  o.give_activated(o.add("Div", {x, length}), o.byte_option(0));
}

void local_response_normalization(OperatorImport& o) {
  const std::int64_t radius = o.option(0);
  if (radius < 0 || radius > 1 << 20) return o.fail("radius, got " + std::to_string(radius));
  const std::int64_t size = 2 * radius + 1;
  Builder& b = o.builder();
  // ONNX divides alpha by the number of channels in the window.
  const float alpha = o.float_option(2) * static_cast<float>(size);
  const ValueId x = b.transpose(o.real(0), {0, 3, 1, 2});
  const ValueId y = o.add(
      "LRN", {x},
      {{"size", size}, {"bias", o.float_option(1)}, {"alpha", alpha}, {"beta", o.float_option(3)}});
  o.give(0, b.transpose(y, {0, 2, 3, 1}));
}

void bucketize(OperatorImport& o) {
  Builder& b = o.builder();
  const auto limits = o.def().options.scalars<float>(0);
  const ValueId x = o.add("Unsqueeze", {b.cast(o.real(0), DType::kF32), b.ints({-1})});
  const ValueId above = o.add("GreaterOrEqual", {x, b.floats(limits)});
  const bool keep = false;
  o.give_raw(0,
             o.add("ReduceSum", {b.cast(above, DType::kI32), b.ints({-1})}, {{"keepdims", keep}}));
}

}  // namespace polaris::tflite
