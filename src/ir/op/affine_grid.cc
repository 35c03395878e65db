#include "ir/any_rank.h"
#include "ir/op_attrs/resize.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/work.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kFloatTypes), check_rank(c, 0, 3, 3),
                      check_dtype(c, 1, dtype_set(DType::kI64)), check_rank(c, 1, 1, 1));
      !s) {
    return s;
  }
  const Shape& theta = c.in(0).shape;
  std::int64_t spatial = theta[1];
  if (!is_static_dim(spatial) && is_static_dim(theta[2])) spatial = theta[2] - 1;
  if (!is_static_dim(spatial) && is_static_dim(c.in(1).shape[0])) spatial = c.in(1).shape[0] - 2;
  if (!is_static_dim(spatial)) {
    set_output(c, 0, c.in(0).dtype, unknown_shape(kUnknownDim));
    return Status::success();
  }
  if (spatial != 2 && spatial != 3) {
    return c.fail("theta, got " + theta.to_string() + ", wanted [N, 2, 3] or [N, 3, 4]");
  }
  if (auto s = all_of(check_dims(c, "rows of theta", theta[1], spatial),
                      check_dims(c, "columns of theta", theta[2], spatial + 1),
                      check_dims(c, "number of sizes", c.in(1).shape[0], spatial + 2));
      !s) {
    return s;
  }
  const auto size = c.known_ints(1);
  Shape out{theta[0]};
  for (std::size_t i = 2; i < static_cast<std::size_t>(spatial) + 2; ++i) {
    const KnownInt dim = size ? (*size)[i] : KnownInt{};
    if (dim.is_number() && dim.value < 0) {
      return c.fail("size, got " + std::to_string(dim.value) + ", wanted 0 or more");
    }
    out.push_back(dim.dim());
  }
  if (size) {
    if (auto s = check_dims(c, "batch of size", size->front().dim(), theta[0]); !s) return s;
  }
  out.push_back(spatial);
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

/// Where element i of a dim lies between -1 and 1; the only one lies in the middle.
double normal_place(std::int64_t i, std::int64_t size, bool align) {
  if (!align) return (2 * static_cast<double>(i) + 1) / static_cast<double>(size) - 1;
  return size == 1 ? 0 : 2 * static_cast<double>(i) / static_cast<double>(size - 1) - 1;
}

Status reference(RefContext& c) {
  const bool align = c.as<AffineGridAttrs>().align_corners;
  const Shape& out = c.out(0).type.shape;
  const int spatial = out.rank() - 2;
  const std::int64_t columns = spatial + 1;
  Walk walk(out);
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
    const std::int64_t row = (walk.at()[0] * spatial + walk.at()[spatial + 1]) * columns;
    double sum = get_f64(c.in(0), row + spatial);
    for (int d = 0; d < spatial; ++d) {
      // The coordinates are counted from the last dim.
      const int dim = spatial - d;
      sum += get_f64(c.in(0), row + d) * normal_place(walk.at()[dim], out[dim], align);
    }
    put_f64(c.out(0), i, sum);
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) { return work_of({8, n.outputs[0].shape.elements()}); }

constexpr Port kInputs[] = {{"theta"}, {"size", kHostRead}};
constexpr Port kOutputs[] = {{"grid"}};

}  // namespace

extern constinit const OpDef op_affine_grid{
    .name = "AffineGrid",
    .doc = "The grid that GridSample takes for an affine map of an image or a volume of that size.",
    .since = 20,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<AffineGridAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
