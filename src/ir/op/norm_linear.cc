#include "ir/op_attrs/matmul.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/linear_parts.h"

namespace polaris {
namespace {

constexpr DTypeSet kF32 = dtype_set(DType::kF32);
enum In { kX, kW, kSquares, kBias };

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, kX, kF32), check_linear(c, kX, kW),
                      check_dtype(c, kBias, kFloatTypes), check_rank(c, kBias, 1, 1));
      !s) {
    return s;
  }
  if (auto s = check_squares(c, kSquares, kX); !s) return s;
  if (c.has(kBias)) {
    if (auto s = check_dims(c, "size of bias", c.in(kBias).shape[0], c.in(kW).shape[0]); !s) {
      return s;
    }
  }
  set_output(c, 0, DType::kF32, linear_shape(c.in(kX).shape, c.in(kW).shape));
  return Status::success();
}

Status reference(RefContext& c) {
  const float epsilon = c.as<NormLinearAttrs>().epsilon;
  const LinearOperands product(c, kX, kW);
  for (std::int64_t r = 0; r < product.rows; ++r) {
    const double inverse = inverse_root(c, kSquares, kX, r, epsilon);
    for (std::int64_t j = 0; j < product.n; ++j) {
      const double bias = c.has(kBias) ? get_f64(c.in(kBias), j) : 0.0;
      put_f64(c.out(0), r * product.n + j, product.dot(r, j) * inverse + bias);
    }
  }
  return Status::success();
}

Status decompose(DecomposeContext& d) {
  const float epsilon = d.as<NormLinearAttrs>().epsilon;
  ValueId y = d.add("Div", {linear_product(d, d.input(kX), d.input(kW)),
                            root_of_squares(d, d.input(kSquares), d.input(kX), epsilon)});
  if (d.input(kBias).valid()) {
    y = d.add("Add", {y, plain_weight(d, d.input(kBias), DType::kF32)});
  }
  d.set_output(0, y);
  return d.status();
}

std::int64_t flops(const NodeTypes& n) {
  return 2 * n.outputs[0].shape.elements() * n.inputs[kW].shape[1];
}

constexpr Port kInputs[] = {{"x"}, {"w", kAcceptsEncoded}, {"squares"}, {"bias", kOptional}};
constexpr Port kOutputs[] = {{"y"}};

}  // namespace

extern constinit const OpDef op_norm_linear{
    .name = "NormLinear",
    .domain = "polaris",
    .doc =
        "x[..., K] @ w[N, K]^T / sqrt(mean square + epsilon) + bias[N]: polaris.Linear of rows "
        "that "
        "RMSNormalization would have divided, x being times its scale already. The mean square is "
        "the sum of squares[..., ceil(K / 32)] over K.",
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<NormLinearAttrs>,
    .infer = infer,
    .reference = reference,
    .decompose = decompose,
    .flops = flops,
};

}  // namespace polaris
