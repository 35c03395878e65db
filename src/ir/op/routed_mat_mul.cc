#include <algorithm>
#include <string>
#include <vector>

#include "ir/op_util/compose.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/linear_parts.h"
#include "ir/op_util/traffic.h"

namespace polaris {
namespace {

enum In { kX, kW, kIds };

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, kX, kFloatTypes), check_dtype(c, kW, kFloatTypes),
                      check_dtype(c, kIds, kIndexTypes), check_rank(c, kX, 3, 3),
                      check_rank(c, kW, 3, 3), check_rank(c, kIds, 2, 2));
      !s) {
    return s;
  }
  const Shape& x = c.in(kX).shape;
  const Shape& w = c.in(kW).shape;
  const Shape& ids = c.in(kIds).shape;
  if (auto s = all_of(check_dims(c, "last dim of x", x[2], w[2]),
                      check_dims(c, "tokens of ids", ids[0], x[0]));
      !s) {
    return s;
  }
  if (x[1] != 1) {
    if (auto s = check_dims(c, "rows of x a token", x[1], ids[1]); !s) return s;
  }
  set_output(c, 0, c.in(kX).dtype, Shape{ids[0], ids[1], w[1]});
  return Status::success();
}

Status reference(RefContext& c) {
  const Shape& ids = c.in(kIds).type.shape;
  const Shape& w = c.in(kW).type.shape;
  const std::int64_t experts = w[0];
  const std::int64_t n = w[1];
  const std::int64_t k = w[2];
  const bool shared = c.in(kX).type.shape[1] == 1;
  const std::vector<double> x = read_f64(c.in(kX));
  std::vector<double> row(static_cast<std::size_t>(k));
  for (std::int64_t i = 0; i < ids.elements(); ++i) {
    const std::int64_t given = get_i64(c.in(kIds), i);
    const std::int64_t expert = given < 0 ? given + experts : given;
    if (expert < 0 || expert >= experts) {
      return c.fail("index, got " + std::to_string(given) + ", wanted one below " +
                    std::to_string(experts));
    }
    const double* a = x.data() + (shared ? i / ids[1] : i) * k;
    for (std::int64_t j = 0; j < n; ++j) {
      decode_f64(c.in(kW), (expert * n + j) * k, row);
      double sum = 0;
      for (std::int64_t at = 0; at < k; ++at) sum += a[at] * row[static_cast<std::size_t>(at)];
      put_f64(c.out(0), i * n + j, sum);
    }
  }
  return Status::success();
}

/// The chosen matrices themselves, a product with each.
Status decompose(DecomposeContext& d) {
  const DType dtype = d.type(d.input(kX)).dtype;
  const ValueId chosen = cast_to(d, d.add("Gather", {d.input(kW), d.input(kIds)}), dtype);
  const ValueId rows = unsqueeze_at(d, d.input(kX), {2});
  const ValueId product = d.add("MatMul", {rows, transpose_by(d, chosen, {0, 1, 3, 2})});
  d.set_output(0, d.add("Squeeze", {product, int64_constant(d, {2})}));
  return d.status();
}

std::int64_t flops(const NodeTypes& n) {
  return 2 * n.outputs[0].shape.elements() * n.inputs[kW].shape[2];
}

/// Of the weights, those of as many experts as may be chosen.
std::int64_t bytes(const NodeTypes& n) {
  const Shape& w = n.inputs[kW].shape;
  const std::int64_t chosen = std::min(w[0], n.inputs[kIds].shape.elements());
  return n.inputs[kX].bytes().value_or(0) + n.inputs[kIds].bytes().value_or(0) +
         bytes_of_elements(n.inputs[kW], chosen * w[1] * w[2]) + n.outputs[0].bytes().value_or(0);
}

constexpr Port kInputs[] = {{"x"}, {"w", kAcceptsEncoded}, {"ids"}};
constexpr Port kOutputs[] = {{"y"}};

}  // namespace

extern constinit const OpDef op_routed_mat_mul{
    .name = "RoutedMatMul",
    .domain = "polaris",
    .doc =
        "y[T, U, N]: row u of token t is x[T, U, K] (or x[T, 1, K], the same for all of a token) @ "
        "w[ids[t, u]]^T, w[E, N, K] holding a matrix for each expert. Negative ids count from the "
        "end. y has the type of x; w may be of another float type, also encoded.",
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .infer = infer,
    .reference = reference,
    .decompose = decompose,
    .flops = flops,
    .bytes = bytes,
};

}  // namespace polaris
