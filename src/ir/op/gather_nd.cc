#include "ir/any_rank.h"
#include "ir/op_attrs/gather.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/traffic.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  const Shape& data = c.in(0).shape;
  const Shape& indices = c.in(1).shape;
  const std::int64_t batch = c.as<GatherNdAttrs>().batch_dims;
  if (auto s = all_of(check_dtype(c, 1, kIndexTypes), check_rank(c, 0, 1), check_rank(c, 1, 1));
      !s) {
    return s;
  }
  if (batch < 0 || batch >= indices.rank() || batch >= data.rank()) {
    return c.fail("batch_dims, got " + std::to_string(batch) + ", wanted one below both ranks");
  }
  for (int i = 0; i < batch; ++i) {
    if (auto s = check_dims(c, "batch dim of indices", indices[i], data[i]); !s) return s;
  }
  const std::int64_t depth = indices.back();
  if (!is_static_dim(depth)) {
    set_output(c, 0, c.in(0).dtype, any_rank());
    return Status::success();
  }
  if (depth < 1 || depth > data.rank() - batch) {
    return c.fail("last dim of indices, got " + std::to_string(depth) + ", wanted 1 to " +
                  std::to_string(data.rank() - batch));
  }
  Shape out(indices.dims().first(static_cast<std::size_t>(indices.rank() - 1)));
  for (int i = static_cast<int>(batch + depth); i < data.rank(); ++i) {
    if (!out.push_back(data[i])) {
      return c.fail("output rank, wanted at most " + std::to_string(kMaxRank));
    }
  }
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

Status reference(RefContext& c) {
  const Shape& data = c.in(0).type.shape;
  const Shape& indices = c.in(1).type.shape;
  const int batch = static_cast<int>(c.as<GatherNdAttrs>().batch_dims);
  const int depth = static_cast<int>(indices.back());
  const Shape strides = row_major_strides(data);
  const std::int64_t slice = data.elements_between(batch + depth, data.rank());
  const std::int64_t batches = data.elements_between(0, batch);
  const std::int64_t tuples = indices.elements_between(batch, indices.rank() - 1);
  for (std::int64_t t = 0; t < batches * tuples; ++t) {
    std::int64_t from = t / tuples * data.elements_between(batch, data.rank());
    for (int d = 0; d < depth; ++d) {
      const std::int64_t size = data[batch + d];
      std::int64_t index = get_i64(c.in(1), t * depth + d);
      if (index < 0) index += size;
      if (index < 0 || index >= size) {
        return c.fail("index, got " + std::to_string(get_i64(c.in(1), t * depth + d)) +
                      ", wanted one below " + std::to_string(size));
      }
      from += index * strides[batch + d];
    }
    copy_elements(c.out(0), t * slice, c.in(0), from, slice);
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"data"}, {"indices"}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_gather_nd{
    .name = "GatherND",
    .doc = "Slices of data at index tuples, after batch_dims shared dims.",
    .since = 13,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kPicksElements,
    .size_rule = SizeRule::kMove,
    .moved = 0b1,
    .make_attrs = make_attrs<GatherNdAttrs>,
    .infer = infer,
    .reference = reference,
    .bytes = gathered_bytes,
};

}  // namespace polaris
