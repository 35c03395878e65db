#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  const Shape& in = c.in(0).shape;
  if (auto s = all_of(check_dtype(c, 1, dtype_set(DType::kI64)), check_rank(c, 1, 1, 1),
                      check_dims(c, "number of repeats", c.in(1).shape[0], in.rank()));
      !s) {
    return s;
  }
  const auto repeats = c.known_ints(1);
  Shape out = in;
  for (int i = 0; i < in.rank(); ++i) {
    const KnownInt times = repeats ? (*repeats)[static_cast<std::size_t>(i)] : KnownInt{};
    if (times.is_number() && times.value < 0) {
      return c.fail("repeats, got " + std::to_string(times.value));
    }
    out[i] = dim_mul(in[i], times.dim());
  }
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

Status reference(RefContext& c) {
  const Shape& in = c.in(0).type.shape;
  const Shape strides = row_major_strides(in);
  Walk walk(c.out(0).type.shape);
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
    std::int64_t from = 0;
    for (int d = 0; d < in.rank(); ++d) from += walk.at()[d] % in[d] * strides[d];
    copy_elements(c.out(0), i, c.in(0), from);
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"input"}, {"repeats", kHostRead}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_tile{
    .name = "Tile",
    .doc = "The input repeated along each dim.",
    .since = 13,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kPicksElements,
    .size_rule = SizeRule::kMove,
    .moved = 0b1,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
