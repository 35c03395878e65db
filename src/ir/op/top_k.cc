#include <algorithm>
#include <numeric>

#include "ir/op_attrs/reduce.h"
#include "ir/op_util/compare.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kNumericTypes), check_rank(c, 0, 1),
                      check_dtype(c, 1, dtype_set(DType::kI64)), check_rank(c, 1, 0, 1));
      !s) {
    return s;
  }
  Shape out = c.in(0).shape;
  auto axis = check_axis(c, c.as<TopKAttrs>().axis, out.rank());
  if (!axis) return axis.error();
  const auto k = c.ints(1);
  if (k && (k->size() != 1 || (*k)[0] < 0 || (is_static_dim(out[*axis]) && (*k)[0] > out[*axis]))) {
    return c.fail("K, got " + (k->empty() ? "nothing" : std::to_string((*k)[0])) +
                  ", wanted 0 to " + dim_text(out[*axis]));
  }
  out[*axis] = k ? (*k)[0] : kUnknownDim;
  set_output(c, 0, c.in(0).dtype, out);
  set_output(c, 1, DType::kI64, out);
  return Status::success();
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<TopKAttrs>();
  const RefTensor& x = c.in(0);
  const int axis = *normalize_axis(attrs.axis, x.type.shape.rank());
  const AxisSplit split = split_at(x.type.shape, axis);
  const std::int64_t k = c.out(0).type.shape[axis];
  std::vector<std::int64_t> order(static_cast<std::size_t>(split.size));
  for (std::int64_t line = 0; line < split.outer * split.inner; ++line) {
    const std::int64_t outer = line / split.inner;
    const std::int64_t inner = line % split.inner;
    const std::int64_t base = outer * split.size * split.inner + inner;
    std::iota(order.begin(), order.end(), std::int64_t{0});
    // Of equals the one of the lower index comes first.
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
      const int sign = compare_elements(x, base + a * split.inner, base + b * split.inner);
      return attrs.largest ? sign > 0 : sign < 0;
    });
    for (std::int64_t i = 0; i < k; ++i) {
      const std::int64_t to = (outer * k + i) * split.inner + inner;
      const std::int64_t from = order[static_cast<std::size_t>(i)];
      copy_elements(c.out(0), to, x, base + from * split.inner);
      if (c.outputs.size() > 1 && c.out(1).data != nullptr) put_i64(c.out(1), to, from);
    }
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"X"}, {"K", kHostRead}};
constexpr Port kOutputs[] = {{"Values"}, {"Indices"}};

}  // namespace

extern constinit const OpDef op_top_k{
    .name = "TopK",
    .doc =
        "The K largest or smallest elements along an axis in order (whatever `sorted`), and their "
        "indices; NaN counts as above all numbers, and of equals the lower index comes first.",
    .since = 24,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<TopKAttrs>,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
