#include "load/onnx/op/training.h"

#include "ir/op_attrs/normalization.h"
#include "ir/op_attrs/random.h"
#include "load/onnx/op/steps.h"

namespace polaris::onnx {
namespace {

ValueId mean_of(Steps& s, ValueId x, ValueId axes, bool keepdims) {
  return s.add("ReduceMean", {x, axes}, {{"keepdims", std::int64_t{keepdims}}});
}

/// `then` where `condition` holds and 1 elsewhere.
ValueId or_one(Steps& s, ValueId condition, ValueId then) {
  return s.add("Where", {condition, then, s.number(1)});
}

}  // namespace

Status training_dropout(NodeImport& node) {
  Steps s(node);
  const ValueId x = node.inputs[0];
  const ValueId training = node.inputs[2];
  auto random = std::make_unique<RandomUniformLikeAttrs>();
  random->dtype = DType::kF32;
  if (const auto seed = node.attrs.get_int("seed")) random->seed = static_cast<float>(*seed);
  const ValueId drawn = s.add_with("RandomUniformLike", {x}, std::move(random));
  ValueId ratio = s.number(0.5f);
  if (node.has_input(1)) ratio = s.add("CastLike", {node.inputs[1], ratio});
  const ValueId kept = s.add("GreaterOrEqual", {drawn, ratio});
  const ValueId mask = s.add("Or", {kept, s.add("Not", {training})});
  const ValueId scale =
      or_one(s, training, s.add("Reciprocal", {s.add("Sub", {s.number(1), ratio})}));
  const ValueId scaled = s.add("Mul", {x, s.add("CastLike", {scale, x})});
  const ValueId none = s.number_like(0, x);
  s.give(0, s.add("Where", {mask, scaled, none}));
  s.give(1, mask);
  return s.status();
}

/// Normalizes by the batch's own mean and variance, and moves the running ones towards them.
Status batch_normalization(NodeImport& node) {
  if (node.attrs.get_int("training_mode").value_or(0) == 0) return Status::success();
  Steps s(node);
  for (std::size_t i = 0; i < 5; ++i) s.needed(i);
  if (!s.status()) return s.status();
  const int rank = node.rank(0);
  if (rank < 2) return node.unsupported("rank of X is not known");
  const ValueId x = node.inputs[0];
  std::vector<std::int64_t> others = {0};
  for (int d = 2; d < rank; ++d) others.push_back(d);
  const ValueId axes = s.ints(others);
  const ValueId apart = s.add("Sub", {x, mean_of(s, x, axes, true)});
  const ValueId now[] = {mean_of(s, x, axes, false),
                         mean_of(s, s.add("Mul", {apart, apart}), axes, false)};
  const float momentum = node.attrs.get_float("momentum").value_or(BatchNormAttrs().momentum);
  ValueId used[2];
  for (std::size_t i = 0; i < 2; ++i) {
    const ValueId running = node.inputs[3 + i];
    used[i] = s.add("CastLike", {now[i], running});
    const ValueId old_part = s.add("Mul", {running, s.number_like(momentum, running)});
    const ValueId new_part = s.add("Mul", {used[i], s.number_like(1 - momentum, running)});
    s.give(1 + i, s.add("Add", {old_part, new_part}));
  }
  const float epsilon = node.attrs.get_float("epsilon").value_or(BatchNormAttrs().epsilon);
  s.give(0, s.add("BatchNormalization", {x, node.inputs[1], node.inputs[2], used[0], used[1]},
                  {{"epsilon", epsilon}}));
  return s.status();
}

}  // namespace polaris::onnx
