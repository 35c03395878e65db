#pragma once
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ir/graph.h"
#include "ir/op_set.h"

namespace polaris::tflite {

/// An attribute of an op that is added.
struct Set {
  std::string_view name;
  std::variant<std::int64_t, float, bool, DType, std::string_view, std::vector<std::int64_t>,
               std::vector<std::string>, Tensor>
      value;
};

/// Adds ops of ours to a graph, one after another. What fails stays failed: later steps add
/// nothing, and status() says why.
class Builder {
 public:
  Builder(Graph& graph, const OpSet& ops) : graph_(graph), ops_(ops) {}

  /// All outputs of a node of `op` ("Name" in ai.onnx, or "domain.Name").
  std::vector<ValueId> add_all(std::string_view op, std::vector<ValueId> inputs, int outputs,
                               std::initializer_list<Set> attributes = {});
  /// The first output.
  ValueId add(std::string_view op, std::vector<ValueId> inputs,
              std::initializer_list<Set> attributes = {});
  ValueId add_with(std::string_view op, std::vector<ValueId> inputs, std::unique_ptr<Attrs> attrs);
  std::vector<ValueId> add_all_with(std::string_view op, std::vector<ValueId> inputs, int outputs,
                                    std::unique_ptr<Attrs> attrs);
  /// A node of control flow over these graphs.
  std::vector<ValueId> add_control(std::string_view op, std::vector<ValueId> inputs, int outputs,
                                   std::unique_ptr<Attrs> attrs,
                                   std::vector<std::shared_ptr<Graph>> graphs);

  ValueId constant(Tensor tensor);
  ValueId number(double value, DType dtype = DType::kF32);
  ValueId ints(std::span<const std::int64_t> values);
  ValueId ints(std::initializer_list<std::int64_t> values) {
    return ints(std::span(values.begin(), values.size()));
  }
  ValueId int_scalar(std::int64_t value);
  ValueId floats(std::span<const float> values);
  ValueId numbers(std::span<const double> values, DType dtype, const Shape& shape);

  ValueId cast(ValueId value, DType to);
  ValueId transpose(ValueId value, std::vector<std::int64_t> perm);
  ValueId reshape(ValueId value, std::span<const std::int64_t> shape);
  ValueId reshape(ValueId value, std::initializer_list<std::int64_t> shape) {
    return reshape(value, std::span(shape.begin(), shape.size()));
  }
  /// Elements [begin, end) along one axis.
  ValueId slice(ValueId value, std::int64_t axis, std::int64_t begin, std::int64_t end);

  /// What is known of a value when its producer was added; no answer is an answer.
  bool has_type(ValueId value) const { return typed_.has(value) && typed_[value]; }
  void mark_typed(ValueId value);
  void set_type(ValueId value, const TensorType& type);
  const Shape* shape(ValueId value) const;
  /// -1 where it is not known.
  int rank(ValueId value) const;
  std::int64_t dim(ValueId value, int axis) const;  // kUnknownDim where it is not known
  const Tensor* data(ValueId value) const;          // of a constant

  std::string fresh_name(std::string_view stem);
  Graph& graph() { return graph_; }
  const OpSet& ops() const { return ops_; }
  void fail(Error error);
  const Status& status() const { return status_; }

 private:
  void guess_types(NodeId id);
  /// The result where it follows from a few constant integers, else no value.
  ValueId folded(const OpDef& op, const Attrs* attrs, std::span<const ValueId> inputs);

  Graph& graph_;
  const OpSet& ops_;
  ValueFlags typed_;
  std::int64_t fresh_ = 0;
  Status status_;
};

}  // namespace polaris::tflite
