#include "base/checked.h"
#include "ir/any_rank.h"
#include "ir/op_attrs/sequence.h"
#include "ir/op_util/sequence.h"
#include "ir/scan_tensors.h"

namespace polaris {
namespace {

Status give_joined(HostContext& c, Result<Tensor> joined) {
  if (!joined) return joined.error();
  c.give(0, joined.take());
  return Status::success();
}

Status infer(InferContext& c) {
  const auto& attrs = c.as<ConcatFromSequenceAttrs>();
  TensorType type = c.in(0).as(ValueKind::kTensor);
  if (has_any_rank(type.shape)) {
    set_output(c, 0, type);
    return Status::success();
  }
  const int rank = type.shape.rank();
  if (attrs.new_axis && rank == kMaxRank) return c.fail("result has too many dims");
  const auto axis = check_axis(c, attrs.axis, attrs.new_axis ? rank + 1 : rank);
  if (!axis) return axis.error();
  if (attrs.new_axis) {
    type.shape.insert(*axis, kUnknownDim);
  } else {
    type.shape[*axis] = kUnknownDim;
  }
  set_output(c, 0, type);
  return Status::success();
}

Status host(HostContext& c) {
  const auto& attrs = c.as<ConcatFromSequenceAttrs>();
  const auto items = c.in(0).items();
  if (items.empty()) return c.fail("input_sequence is empty, wanted one tensor or more");
  TensorType type = items.front().type();
  const int rank = type.shape.rank();
  const auto axis = normalize_axis(attrs.axis, attrs.new_axis ? rank + 1 : rank);
  if (!axis) return c.fail("axis, got " + std::to_string(attrs.axis));
  for (const Tensor& item : items) {
    Shape same = item.shape();
    if (!attrs.new_axis && same.rank() == rank) same[*axis] = type.shape[*axis];
    if (same == type.shape) continue;
    return c.fail("tensors, got " + item.type().to_string() + " after " + type.to_string());
  }
  if (attrs.new_axis) return give_joined(c, stack_tensors(items, type, *axis));
  std::int64_t length = 0;
  for (const Tensor& item : items) {
    const auto sum = checked_add(length, item.shape()[*axis]);
    if (!sum) return c.fail("result is too large");
    length = *sum;
  }
  type.shape[*axis] = length;
  return give_joined(c, join_tensors(items, type, *axis));
}

constexpr Port kInputs[] = {{"input_sequence", kSequence | kNoTensor | kStrings}};
constexpr Port kOutputs[] = {{"concat_result"}};

}  // namespace

extern constinit const OpDef op_concat_from_sequence{
    .name = "ConcatFromSequence",
    .doc = "The tensors of the sequence one after another along an axis, or along a new one.",
    .since = 11,
    .inputs = kInputs,
    .outputs = kOutputs,
    .make_attrs = make_attrs<ConcatFromSequenceAttrs>,
    .infer = infer,
    .host = host,
};

}  // namespace polaris
