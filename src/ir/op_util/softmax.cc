#include "ir/op_util/softmax.h"

#include "ir/op_attrs/normalization.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {

Status infer_softmax(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kFloatTypes), check_rank(c, 0, 1)); !s) return s;
  auto axis = check_axis(c, c.as<SoftmaxAttrs>().axis, c.in(0).shape.rank());
  if (!axis) return axis.error();
  set_output(c, 0, c.in(0).dtype, c.in(0).shape);
  return Status::success();
}

Status map_axis(RefContext& c, void (*row)(std::span<double>)) {
  const Shape& shape = c.in(0).type.shape;
  const AxisSplit split = split_at(shape, *normalize_axis(c.as<SoftmaxAttrs>().axis, shape.rank()));
  std::vector<double> line(static_cast<std::size_t>(split.size));
  if (line.empty()) return Status::success();
  for (std::int64_t o = 0; o < split.outer; ++o) {
    for (std::int64_t i = 0; i < split.inner; ++i) {
      const std::int64_t start = o * split.size * split.inner + i;
      for (std::size_t k = 0; k < line.size(); ++k) {
        line[k] = get_f64(c.in(0), start + static_cast<std::int64_t>(k) * split.inner);
      }
      row(line);
      for (std::size_t k = 0; k < line.size(); ++k) {
        put_f64(c.out(0), start + static_cast<std::int64_t>(k) * split.inner, line[k]);
      }
    }
  }
  return Status::success();
}

std::int64_t softmax_flops(const NodeTypes& n) { return 5 * n.outputs[0].shape.elements(); }

}  // namespace polaris
