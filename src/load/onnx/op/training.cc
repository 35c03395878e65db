#include "load/onnx/op/training.h"

#include "ir/op_attrs/normalization.h"
#include "ir/op_attrs/random.h"
#include "ir/op_attrs/reduce.h"

namespace polaris::onnx {
namespace {

/// Adds nodes one after another; after the first failure it adds none.
class Steps {
 public:
  explicit Steps(NodeImport& node) : node_(node) {}

  ValueId add(std::string_view op, std::vector<ValueId> inputs,
              std::unique_ptr<Attrs> attrs = nullptr) {
    if (!status_) return kNoValue;
    const auto value = node_.add(op, std::move(inputs), std::move(attrs));
    if (!value) status_ = value.error();
    return value ? *value : kNoValue;
  }
  ValueId number(float value) {
    auto tensor = Tensor::from<float>(DType::kF32, {}, {&value, 1});
    if (status_ && !tensor) status_ = tensor.error();
    return status_ ? node_.constant(tensor.take()) : kNoValue;
  }
  ValueId ints(const std::vector<std::int64_t>& values) {
    if (!status_) return kNoValue;
    const auto value = node_.constant_ints(values);
    if (!value) status_ = value.error();
    return value ? *value : kNoValue;
  }
  /// The output, if it is wanted.
  void give(std::size_t output, ValueId value) {
    if (status_ && node_.has_output(output)) status_ = node_.set_output(output, value);
  }
  Status status() const { return status_; }

 private:
  NodeImport& node_;
  Status status_;
};

ValueId mean_of(Steps& s, ValueId x, ValueId axes, bool keepdims) {
  auto attrs = std::make_unique<ReduceAttrs>();
  attrs->keepdims = keepdims;
  return s.add("ReduceMean", {x, axes}, std::move(attrs));
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
  const ValueId drawn = s.add("RandomUniformLike", {x}, std::move(random));
  ValueId ratio = s.number(0.5f);
  if (node.has_input(1)) ratio = s.add("CastLike", {node.inputs[1], ratio});
  const ValueId kept = s.add("GreaterOrEqual", {drawn, ratio});
  const ValueId mask = s.add("Or", {kept, s.add("Not", {training})});
  const ValueId scale =
      or_one(s, training, s.add("Reciprocal", {s.add("Sub", {s.number(1), ratio})}));
  const ValueId scaled = s.add("Mul", {x, s.add("CastLike", {scale, x})});
  const ValueId none = s.add("CastLike", {s.number(0), x});
  s.give(0, s.add("Where", {mask, scaled, none}));
  s.give(1, mask);
  return s.status();
}

/// Normalizes by the batch's own mean and variance, and moves the running ones towards them.
Status batch_normalization(NodeImport& node) {
  if (node.attrs.get_int("training_mode").value_or(0) == 0) return Status::success();
  for (std::size_t i = 0; i < 5; ++i) {
    if (!node.has_input(i)) return node.fail("wanted inputs X, scale, B, input_mean and input_var");
  }
  const int rank = node.rank(0);
  if (rank < 2) return node.unsupported("rank of X is not known");
  Steps s(node);
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
    const ValueId old_part =
        s.add("Mul", {running, s.add("CastLike", {s.number(momentum), running})});
    const ValueId new_part =
        s.add("Mul", {used[i], s.add("CastLike", {s.number(1 - momentum), running})});
    s.give(1 + i, s.add("Add", {old_part, new_part}));
  }
  auto attrs = std::make_unique<BatchNormAttrs>();
  attrs->epsilon = node.attrs.get_float("epsilon").value_or(attrs->epsilon);
  s.give(0, s.add("BatchNormalization", {x, node.inputs[1], node.inputs[2], used[0], used[1]},
                  std::move(attrs)));
  return s.status();
}

}  // namespace polaris::onnx
