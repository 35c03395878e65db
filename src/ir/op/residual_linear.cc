#include <algorithm>
#include <vector>

#include "base/checked.h"
#include "ir/op_attrs/matmul.h"
#include "ir/op_util/compose.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/linear_parts.h"

namespace polaris {
namespace {

constexpr DTypeSet kF32 = dtype_set(DType::kF32);
enum In { kX, kW, kResidual, kScale };

Status infer(InferContext& c) {
  if (auto s =
          all_of(check_dtype(c, kX, kF32), check_linear(c, kX, kW), check_dtype(c, kResidual, kF32),
                 check_dtype(c, kScale, kF32), check_rank(c, kScale, 1, 1));
      !s) {
    return s;
  }
  const Shape out = linear_shape(c.in(kX).shape, c.in(kW).shape);
  if (auto s = check_rank(c, kResidual, out.rank(), out.rank()); !s) return s;
  for (int i = 0; i < out.rank(); ++i) {
    if (auto s = check_dims(c, "dim of the residual", c.in(kResidual).shape[i], out[i]); !s) {
      return s;
    }
  }
  if (c.has(kScale)) {
    if (auto s = check_dims(c, "size of scale", c.in(kScale).shape[0], out.back()); !s) return s;
  } else if (c.outputs.size() > 1) {
    return c.fail("outputs, got " + std::to_string(c.outputs.size()) +
                  ", wanted 1 where there is no scale");
  }
  set_output(c, 0, DType::kF32, out);
  set_output(c, 1, DType::kF32, out);
  set_output(c, 2, DType::kF32, squares_shape(out));
  return Status::success();
}

Status reference(RefContext& c) {
  const LinearOperands product(c, kX, kW);
  const std::int64_t n = product.n;
  const bool scaled = c.outputs.size() > 1 && c.out(1).data != nullptr;
  const bool squares = c.outputs.size() > 2 && c.out(2).data != nullptr;
  std::int64_t at = 0;
  for (std::int64_t r = 0; r < product.rows; ++r) {
    double sum = 0;
    for (std::int64_t j = 0; j < n; ++j, ++at) {
      put_f64(c.out(0), at, product.dot(r, j) + get_f64(c.in(kResidual), at));
      const double y = get_f64(c.out(0), at);
      if (scaled) put_f64(c.out(1), at, y * get_f64(c.in(kScale), j));
      sum += y * y;
      if (j % kSquaresOf != kSquaresOf - 1 && j != n - 1) continue;
      if (squares) put_f64(c.out(2), r * ceil_div(n, kSquaresOf) + j / kSquaresOf, sum);
      sum = 0;
    }
  }
  return Status::success();
}

/// Rows of whole sums: what lies behind the last element is zero.
Result<ValueId> sums_of_squares(DecomposeContext& d, ValueId y) {
  const Shape shape = d.type(y).shape;
  if (!is_static_dim(shape.back())) {
    return Error::unsupported("[polaris.ResidualLinear] decomposition over rows of no fixed size");
  }
  const std::int64_t sums = ceil_div(shape.back(), kSquaresOf);
  const auto rank = static_cast<std::size_t>(shape.rank());
  std::vector<std::int64_t> pads(2 * rank, 0);
  pads.back() = sums * kSquaresOf - shape.back();
  const ValueId padded = d.add("Pad", {y, int64_constant(d, pads)});
  std::vector<std::int64_t> dims(rank - 1, 0);  // as they are
  dims.push_back(sums);
  dims.push_back(kSquaresOf);
  auto keep = d.add("ReduceSumSquare", {reshape_to(d, padded, dims), int64_constant(d, {-1})});
  return d.add("Squeeze", {keep, int64_constant(d, {-1})});
}

Status decompose(DecomposeContext& d) {
  const ValueId y = d.add("Add", {linear_product(d, d.input(kX), d.input(kW)), d.input(kResidual)});
  d.set_output(0, y);
  if (d.output_count() > 1) d.set_output(1, d.add("Mul", {y, d.input(kScale)}));
  if (d.output_count() > 2) {
    const auto squares = sums_of_squares(d, y);
    if (!squares) return squares.error();
    d.set_output(2, *squares);
  }
  return d.status();
}

std::int64_t flops(const NodeTypes& n) {
  return 2 * n.outputs[0].shape.elements() * n.inputs[kW].shape[1];
}

constexpr Port kInputs[] = {{"x"}, {"w", kAcceptsEncoded}, {"residual"}, {"norm_scale", kOptional}};
constexpr Port kOutputs[] = {{"y"}, {"scaled", kOptional}, {"squares", kOptional}};

}  // namespace

extern constinit const OpDef op_residual_linear{
    .name = "ResidualLinear",
    .domain = "polaris",
    .doc =
        "y = residual[..., N] + x[..., K] @ w[N, K]^T, and what polaris.NormLinear and GatedLinear "
        "take of it: scaled = y * norm_scale[N], and the sums of squares of every 32 elements of a "
        "row of y, the last of a row being of fewer.",
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .infer = infer,
    .reference = reference,
    .decompose = decompose,
    .flops = flops,
};

}  // namespace polaris
