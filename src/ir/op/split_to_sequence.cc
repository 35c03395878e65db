#include <algorithm>

#include "base/checked.h"
#include "ir/op_attrs/sequence.h"
#include "ir/op_util/sequence.h"
#include "ir/scan_tensors.h"

namespace polaris {
namespace {

/// The parts' sizes along an axis of `length`.
Result<std::vector<std::int64_t>> sizes_of(const HostContext& c, std::int64_t length) {
  std::vector<std::int64_t> out;
  const bool equal = !c.has(1) || c.in(1).shape().empty();
  if (equal) {
    const std::int64_t size = c.has(1) ? element_as_i64(c.in(1), 0) : 1;
    if (size < 1) return c.fail("split, got " + std::to_string(size) + ", wanted 1 or more");
    const std::int64_t count = ceil_div(length, size);
    if (count > kSequenceItemsMax) {
      return c.fail("parts, got " + std::to_string(count) + ", wanted at most " +
                    std::to_string(kSequenceItemsMax));
    }
    for (std::int64_t i = 0; i < count; ++i) out.push_back(std::min(size, length - i * size));
    return out;
  }
  std::int64_t left = length;
  for (std::int64_t i = 0, n = c.in(1).elements(); i < n; ++i) {
    const std::int64_t size = element_as_i64(c.in(1), i);
    if (size < 0 || size > left) {
      return c.fail("split " + std::to_string(i) + ", got " + std::to_string(size) + " of " +
                    std::to_string(left) + " left");
    }
    left -= size;
    out.push_back(size);
  }
  if (left == 0) return out;
  return c.fail("splits, got " + std::to_string(length - left) + " in all, wanted " +
                std::to_string(length));
}

Status infer(InferContext& c) {
  const auto& attrs = c.as<SplitToSequenceAttrs>();
  if (auto s = all_of(check_rank(c, 0, 1), check_rank(c, 1, 0, 1), check_dtype(c, 1, kIndexTypes));
      !s) {
    return s;
  }
  const auto axis = check_axis(c, attrs.axis, c.in(0).shape.rank());
  if (!axis) return axis.error();
  TensorType type = c.in(0).as(ValueKind::kSequence);
  if (c.has(1)) {
    type.shape[*axis] = kUnknownDim;
  } else if (attrs.keepdims) {
    type.shape[*axis] = 1;
  } else {
    type.shape.erase(*axis);
  }
  set_output(c, 0, type);
  return Status::success();
}

Status host(HostContext& c) {
  const auto& attrs = c.as<SplitToSequenceAttrs>();
  const Tensor& whole = c.in(0);
  const int axis = *normalize_axis(attrs.axis, whole.shape().rank());
  const auto sizes = sizes_of(c, whole.shape()[axis]);
  if (!sizes) return sizes.error();
  std::vector<Tensor> items;
  std::int64_t at = 0;
  for (std::int64_t size : *sizes) {
    auto part = cut_tensor(whole, axis, at, size);
    if (!part) return part.error();
    at += size;
    if (!c.has(1) && !attrs.keepdims) {
      Shape shape = part->shape();
      shape.erase(axis);
      items.push_back(part->reshaped(shape));
    } else {
      items.push_back(part.take());
    }
  }
  return give_sequence(c, std::move(items));
}

constexpr Port kInputs[] = {{"input", kStrings}, {"split", kOptional}};
constexpr Port kOutputs[] = {{"output_sequence"}};

}  // namespace

extern constinit const OpDef op_split_to_sequence{
    .name = "SplitToSequence",
    .doc =
        "The input cut along an axis: in parts of one size, the last what is left, of the sizes "
        "given, or in slices, without that dim unless keepdims.",
    .since = 24,
    .inputs = kInputs,
    .outputs = kOutputs,
    .make_attrs = make_attrs<SplitToSequenceAttrs>,
    .infer = infer,
    .host = host,
};

}  // namespace polaris
