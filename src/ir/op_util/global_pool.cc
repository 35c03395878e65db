#include "ir/op_util/global_pool.h"

#include "ir/op_util/elements.h"
#include "ir/op_util/extremum.h"
#include "ir/op_util/infer.h"

namespace polaris {

Status infer_global_pool(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kFloatTypes), check_rank(c, 0, 2)); !s) return s;
  Shape out = c.in(0).shape;
  for (int i = 2; i < out.rank(); ++i) out[i] = 1;
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

Status global_pool(RefContext& c, bool mean) {
  const Shape& shape = c.in(0).type.shape;
  const std::int64_t size = shape.elements_between(2, shape.rank());
  for (std::int64_t i = 0; i < shape[0] * shape[1]; ++i) {
    double sum = 0;
    for (std::int64_t k = 0; k < size; ++k) {
      const double x = get_f64(c.in(0), i * size + k);
      if (mean) {
        sum += x;
      } else {
        sum = k == 0 ? x : larger(sum, x);
      }
    }
    put_f64(c.out(0), i, mean ? sum / static_cast<double>(size) : sum);
  }
  return Status::success();
}

std::int64_t global_pool_flops(const NodeTypes& n) { return n.inputs[0].shape.elements(); }

}  // namespace polaris
