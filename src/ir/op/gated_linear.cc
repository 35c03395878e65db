#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "ir/op_attrs/elementwise.h"
#include "ir/op_attrs/matmul.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/linear_parts.h"

namespace polaris {
namespace {

constexpr DTypeSet kF32 = dtype_set(DType::kF32);
enum In { kX, kGate, kUp, kSquares };

Status infer(InferContext& c) {
  if (auto s =
          all_of(check_dtype(c, kX, kF32), check_linear(c, kX, kGate), check_linear(c, kX, kUp));
      !s) {
    return s;
  }
  const Shape& gate = c.in(kGate).shape;
  if (auto s = all_of(check_dims(c, "rows of up", c.in(kUp).shape[0], gate[0]),
                      check_squares(c, kSquares, kX));
      !s) {
    return s;
  }
  const std::string& activation = c.as<GatedLinearAttrs>().activation;
  if (activation != "silu" && activation != "gelu_tanh") {
    return c.fail("activation, got '" + activation + "', wanted silu or gelu_tanh");
  }
  set_output(c, 0, DType::kF32, linear_shape(c.in(kX).shape, gate));
  return Status::success();
}

/// Of GELU by tanh (1 + tanh(x)) / 2 is the logistic function of 2x, which loses no digits where
/// the tanh is near -1.
double activated(bool silu, double v) {
  constexpr double kSqrt2OverPi = 0.79788456080286535588;
  const double x = silu ? v : 2 * kSqrt2OverPi * (v + 0.044715 * v * v * v);
  return v / (1.0 + std::exp(-x));
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<GatedLinearAttrs>();
  const bool silu = attrs.activation == "silu";
  const LinearOperands gate(c, kX, kGate);
  const LinearOperands up(c, kX, kUp);
  for (std::int64_t r = 0; r < gate.rows; ++r) {
    const double inverse = inverse_root(c, kSquares, kX, r, attrs.epsilon);
    for (std::int64_t j = 0; j < gate.n; ++j) {
      // What activations leave is a value of float32: where it is nothing, so is all beside it.
      const auto factor = static_cast<float>(activated(silu, gate.dot(r, j) * inverse));
      put_f64(c.out(0), r * gate.n + j, static_cast<double>(factor) * (up.dot(r, j) * inverse));
    }
  }
  return Status::success();
}

ValueId activated(DecomposeContext& d, ValueId gate) {
  if (d.as<GatedLinearAttrs>().activation == "silu") {
    return d.add("Mul", {gate, d.add("Sigmoid", {gate})});
  }
  auto attrs = std::make_unique<GeluAttrs>();
  attrs->approximate = "tanh";
  return d.add("Gelu", {gate}, std::move(attrs));
}

Status decompose(DecomposeContext& d) {
  ValueId gate = linear_product(d, d.input(kX), d.input(kGate));
  ValueId up = linear_product(d, d.input(kX), d.input(kUp));
  if (d.input(kSquares).valid()) {
    const float epsilon = d.as<GatedLinearAttrs>().epsilon;
    const ValueId root = root_of_squares(d, d.input(kSquares), d.input(kX), epsilon);
    gate = d.add("Div", {gate, root});
    up = d.add("Div", {up, root});
  }
  d.set_output(0, d.add("Mul", {activated(d, gate), up}));
  return d.status();
}

std::int64_t flops(const NodeTypes& n) {
  return 4 * n.outputs[0].shape.elements() * n.inputs[kGate].shape[1];
}

constexpr Port kInputs[] = {
    {"x"}, {"gate", kAcceptsEncoded}, {"up", kAcceptsEncoded}, {"squares", kOptional}};
constexpr Port kOutputs[] = {{"y"}};

}  // namespace

extern constinit const OpDef op_gated_linear{
    .name = "GatedLinear",
    .domain = "polaris",
    .doc =
        "activation(x[..., K] @ gate[N, K]^T) * (x @ up[N, K]^T), the activation being silu or "
        "gelu_tanh. With squares both products are divided as polaris.NormLinear's.",
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<GatedLinearAttrs>,
    .infer = infer,
    .reference = reference,
    .decompose = decompose,
    .flops = flops,
};

}  // namespace polaris
