#include "ir/op_attrs/select.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  const auto& attrs = c.as<ReverseSequenceAttrs>();
  const bool apart = (attrs.batch_axis == 0 && attrs.time_axis == 1) ||
                     (attrs.batch_axis == 1 && attrs.time_axis == 0);
  if (!apart) {
    return c.fail("batch_axis and time_axis, got " + std::to_string(attrs.batch_axis) + " and " +
                  std::to_string(attrs.time_axis) + ", wanted 0 and 1 or 1 and 0");
  }
  if (auto s = all_of(check_rank(c, 0, 2), check_dtype(c, 1, dtype_set(DType::kI64)),
                      check_rank(c, 1, 1, 1));
      !s) {
    return s;
  }
  const Shape& x = c.in(0).shape;
  const std::int64_t batch = x[static_cast<int>(attrs.batch_axis)];
  if (auto s = check_dims(c, "number of sequence_lens", c.in(1).shape[0], batch); !s) return s;
  set_output(c, 0, c.in(0).dtype, x);
  return Status::success();
}

Status reference(RefContext& c) {
  const bool time_first = c.as<ReverseSequenceAttrs>().time_axis == 0;
  const Shape& shape = c.in(0).type.shape;
  if (shape.elements() == 0) return Status::success();
  const std::int64_t inner = shape.elements_between(2, shape.rank());
  const std::int64_t steps = shape[time_first ? 0 : 1];
  const std::int64_t batch = shape[time_first ? 1 : 0];
  for (std::int64_t b = 0; b < batch; ++b) {
    const std::int64_t length = get_i64(c.in(1), b);
    if (length < 0 || length > steps) {
      return c.fail("sequence_lens, got " + std::to_string(length) + ", wanted 0 to " +
                    std::to_string(steps));
    }
    for (std::int64_t t = 0; t < steps; ++t) {
      const std::int64_t from = t < length ? length - 1 - t : t;
      const auto at = [&](std::int64_t step) {
        return (time_first ? step * batch + b : b * steps + step) * inner;
      };
      copy_elements(c.out(0), at(t), c.in(0), at(from), inner);
    }
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"input"}, {"sequence_lens"}};
constexpr Port kOutputs[] = {{"Y"}};

}  // namespace

extern constinit const OpDef op_reverse_sequence{
    .name = "ReverseSequence",
    .doc = "Each sequence of the batch backwards as far as its length goes; the rest stays.",
    .since = 10,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kPicksElements,
    .size_rule = SizeRule::kMove,
    .moved = 0b1,
    .make_attrs = make_attrs<ReverseSequenceAttrs>,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
