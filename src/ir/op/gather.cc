#include "ir/op_attrs/gather.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/traffic.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 1, kIndexTypes), check_rank(c, 0, 1)); !s) return s;
  const Shape& data = c.in(0).shape;
  auto axis = check_axis(c, c.as<GatherAttrs>().axis, data.rank());
  if (!axis) return axis.error();
  if (!c.in(0).encoding.is_plain() && (*axis != 0 || data.rank() < 2)) {
    return c.fail("axis of encoded data, got " + std::to_string(*axis) + " of " +
                  c.in(0).to_string() + ", wanted 0 of rank 2 or more");
  }
  Shape out(data.dims().first(static_cast<std::size_t>(*axis)));
  bool fits = true;
  for (std::int64_t dim : c.in(1).shape) fits = fits && out.push_back(dim);
  for (int i = *axis + 1; i < data.rank(); ++i) fits = fits && out.push_back(data[i]);
  if (!fits) return c.fail("output rank, wanted at most " + std::to_string(kMaxRank));
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

Status reference(RefContext& c) {
  const RefTensor& data = c.in(0);
  const int axis = *normalize_axis(c.as<GatherAttrs>().axis, data.type.shape.rank());
  const AxisSplit split = split_at(data.type.shape, axis);
  const std::int64_t count = c.in(1).type.shape.elements();
  std::vector<double> row(static_cast<std::size_t>(split.inner));
  for (std::int64_t j = 0; j < count; ++j) {
    std::int64_t index = get_i64(c.in(1), j);
    if (index < 0) index += split.size;
    if (index < 0 || index >= split.size) {
      return c.fail("index, got " + std::to_string(get_i64(c.in(1), j)) + ", wanted one below " +
                    std::to_string(split.size));
    }
    for (std::int64_t o = 0; o < split.outer; ++o) {
      const std::int64_t from = (o * split.size + index) * split.inner;
      const std::int64_t to = (o * count + j) * split.inner;
      if (data.type.encoding.is_plain()) {
        copy_elements(c.out(0), to, data, from, split.inner);
      } else {
        decode_f64(data, from, row);
        for (std::int64_t i = 0; i < split.inner; ++i) {
          put_f64(c.out(0), to + i, row[static_cast<std::size_t>(i)]);
        }
      }
    }
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"data", kAcceptsEncoded}, {"indices"}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_gather{
    .name = "Gather",
    .doc =
        "Slices of data along an axis, chosen by index; encoded data is decoded, on axis 0 only.",
    .since = 13,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kPicksElements,
    .size_rule = SizeRule::kMove,
    .moved = 0b1,
    .make_attrs = make_attrs<GatherAttrs>,
    .infer = infer,
    .reference = reference,
    .bytes = gathered_bytes,
};

}  // namespace polaris
