#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/linear_parts.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kFloatTypes), check_dtype(c, 1, kFloatTypes),
                      check_dtype(c, 2, kFloatTypes), check_rank(c, 0, 1), check_rank(c, 1, 2, 2),
                      check_rank(c, 2, 1, 1));
      !s) {
    return s;
  }
  const Shape& w = c.in(1).shape;
  if (auto s = check_dims(c, "last dim of x", c.in(0).shape.back(), w[1]); !s) return s;
  if (c.has(2)) {
    if (auto s = check_dims(c, "size of bias", c.in(2).shape[0], w[0]); !s) return s;
  }
  Shape out = c.in(0).shape;
  out.back() = w[0];
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

Status reference(RefContext& c) {
  const std::int64_t n = c.in(1).type.shape[0];
  const std::int64_t k = c.in(1).type.shape[1];
  const std::vector<double> x = read_f64(c.in(0));
  const std::vector<double> w = read_f64(c.in(1));
  const std::int64_t rows = c.in(0).type.shape.elements_between(0, c.in(0).type.shape.rank() - 1);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = c.has(2) ? get_f64(c.in(2), j) : 0.0;
      const double* a = x.data() + r * k;
      const double* b = w.data() + j * k;
      for (std::int64_t i = 0; i < k; ++i) sum += a[i] * b[i];
      put_f64(c.out(0), r * n + j, sum);
    }
  }
  return Status::success();
}

Status decompose(DecomposeContext& d) {
  const DType dtype = d.type(d.input(0)).dtype;
  ValueId y = linear_product(d, d.input(0), d.input(1));
  if (d.input(2).valid()) y = d.add("Add", {y, plain_weight(d, d.input(2), dtype)});
  d.set_output(0, y);
  return d.status();
}

std::int64_t flops(const NodeTypes& n) {
  return 2 * n.outputs[0].shape.elements() * n.inputs[1].shape[1];
}

constexpr Port kInputs[] = {{"x"}, {"w", kAcceptsEncoded}, {"bias", kOptional}};
constexpr Port kOutputs[] = {{"y"}};

}  // namespace

extern constinit const OpDef op_linear{
    .name = "Linear",
    .domain = "polaris",
    .doc =
        "y[..., N] = x[..., K] @ w[N, K]^T + bias[N]. y has the type of x; w and bias may be of "
        "another float type, w also encoded.",
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .infer = infer,
    .reference = reference,
    .decompose = decompose,
    .flops = flops,
};

}  // namespace polaris
