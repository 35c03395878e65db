#include "load/tflite/builder.h"

#include <utility>

#include "ir/any_rank.h"
#include "ir/evaluate.h"
#include "tensor/element.h"

namespace polaris::tflite {
namespace {

/// Gives attributes their values by name.
class Setter final : public AttrVisitor {
 public:
  explicit Setter(std::initializer_list<Set> attributes) {
    for (const Set& set : attributes) values_.emplace(set.name, &set);
  }
  void field(std::string_view name, std::int64_t& value) override { take(name, value); }
  void field(std::string_view name, float& value) override { take(name, value); }
  void field(std::string_view name, bool& value) override { take(name, value); }
  void field(std::string_view name, DType& value) override { take(name, value); }
  void field(std::string_view name, Tensor& value) override { take(name, value); }
  void field(std::string_view name, std::vector<std::int64_t>& value) override {
    take(name, value);
  }
  void field(std::string_view name, std::vector<std::string>& value) override { take(name, value); }
  void field(std::string_view, std::vector<float>&) override {}
  void field(std::string_view name, std::string& value) override {
    const auto at = values_.find(name);
    if (at == values_.end()) return;
    if (const auto* text = std::get_if<std::string_view>(&at->second->value)) value = *text;
    values_.erase(at);
  }
  /// The name of an attribute that the op does not have, or "".
  std::string_view left() const { return values_.empty() ? "" : values_.begin()->first; }

 private:
  template <class T>
  void take(std::string_view name, T& value) {
    const auto at = values_.find(name);
    if (at == values_.end()) return;
    if (const T* found = std::get_if<T>(&at->second->value)) {
      value = *found;
      values_.erase(at);
    }
  }
  std::map<std::string_view, const Set*> values_;
};

}  // namespace

void Builder::fail(Error error) {
  if (status_) status_ = std::move(error);
}

std::string Builder::fresh_name(std::string_view stem) {
  return std::string(stem) + "#" + std::to_string(fresh_++);
}

// Importers ask for ranks before the graph as a whole is inferred: what the inputs' types and
// constants say is enough for them.
void Builder::guess_types(NodeId id) {
  const Node& node = graph_.node(id);
  if (node.op->is_control()) return;
  for (ValueId input : node.inputs) {
    if (input.valid() && !has_type(input)) return;
  }
  const NodeView view = view_node(graph_, node);
  const auto inferred = infer_types(view);
  if (!inferred) return;
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i].valid()) set_type(node.outputs[i], inferred->outputs[i]);
  }
}

// Sizes and places are computed at once, so that importers see them as constants.
ValueId Builder::folded(const OpDef& op, const Attrs* attrs, std::span<const ValueId> inputs) {
  constexpr std::int64_t kElementsMax = 64;
  if (!op.has_trait(kFoldable) || op.is_control() || inputs.empty()) return kNoValue;
  std::vector<const Tensor*> values;
  for (const ValueId input : inputs) {
    const Tensor* value = data(input);
    const bool whole = value != nullptr && value->type().encoding.is_plain() &&
                       (is_integer(value->dtype()) || value->dtype() == DType::kBool) &&
                       dtype_info(value->dtype()).bits >= 32;
    if (input.valid() && (!whole || value->elements() > kElementsMax)) return kNoValue;
    values.push_back(value);
  }
  const std::unique_ptr<Attrs> defaults = op.make_attrs != nullptr ? op.make_attrs() : nullptr;
  const NoAttrs none;
  const Attrs* used = attrs != nullptr ? attrs : defaults ? defaults.get() : &none;
  auto result = evaluate_node(op, *used, "", values, 1, kElementsMax * sizeof(std::int64_t));
  return result ? constant(std::move((*result)[0])) : kNoValue;
}

std::vector<ValueId> Builder::add_all_with(std::string_view op, std::vector<ValueId> inputs,
                                           int outputs, std::unique_ptr<Attrs> attrs) {
  const std::vector<ValueId> none(static_cast<std::size_t>(outputs), kNoValue);
  if (!status_) return none;
  const std::size_t dot = op.rfind('.');
  const OpDef* found =
      dot == op.npos ? ops_.find(op) : ops_.find(op.substr(dot + 1), op.substr(0, dot));
  if (found == nullptr) {
    fail(Error::unsupported("it needs op " + std::string(op)));
    return none;
  }
  while (!inputs.empty() && !inputs.back().valid()) inputs.pop_back();
  if (outputs == 1) {
    const ValueId known = folded(*found, attrs.get(), inputs);
    if (known.valid()) return {known};
  }
  const NodeId id = graph_.add_node(found, std::move(attrs), std::move(inputs), outputs,
                                    fresh_name(op.substr(dot == op.npos ? 0 : dot + 1)));
  guess_types(id);
  return graph_.node(id).outputs;
}

std::vector<ValueId> Builder::add_all(std::string_view op, std::vector<ValueId> inputs, int outputs,
                                      std::initializer_list<Set> attributes) {
  const std::size_t dot = op.rfind('.');
  const OpDef* found =
      dot == op.npos ? ops_.find(op) : ops_.find(op.substr(dot + 1), op.substr(0, dot));
  std::unique_ptr<Attrs> attrs;
  if (status_ && found != nullptr && attributes.size() > 0) {
    attrs = found->make_attrs != nullptr ? found->make_attrs() : std::make_unique<NoAttrs>();
    Setter setter(attributes);
    attrs->visit(setter);
    if (!setter.left().empty()) {
      fail(Error::internal(std::string(op) + " has no attribute '" + std::string(setter.left()) +
                           "' of that type"));
    }
  }
  return add_all_with(op, std::move(inputs), outputs, std::move(attrs));
}

ValueId Builder::add(std::string_view op, std::vector<ValueId> inputs,
                     std::initializer_list<Set> attributes) {
  return add_all(op, std::move(inputs), 1, attributes)[0];
}

ValueId Builder::add_with(std::string_view op, std::vector<ValueId> inputs,
                          std::unique_ptr<Attrs> attrs) {
  return add_all_with(op, std::move(inputs), 1, std::move(attrs))[0];
}

std::vector<ValueId> Builder::add_control(std::string_view op, std::vector<ValueId> inputs,
                                          int outputs, std::unique_ptr<Attrs> attrs,
                                          std::vector<std::shared_ptr<Graph>> graphs) {
  auto out = add_all_with(op, std::move(inputs), outputs, std::move(attrs));
  if (status_ && !out.empty()) {
    for (auto& graph : graphs) {
      graph_.node(graph_.value(out[0]).producer).subgraphs.push_back(std::move(graph));
    }
  }
  return out;
}

ValueId Builder::constant(Tensor tensor) {
  const TensorType type = tensor.type();
  const ValueId value = graph_.add_constant(fresh_name("constant"), std::move(tensor));
  set_type(value, type);
  return value;
}

ValueId Builder::numbers(std::span<const double> values, DType dtype, const Shape& shape) {
  if (!status_) return kNoValue;
  auto tensor = Tensor::allocate(dtype, shape);
  if (!tensor) {
    fail(tensor.error());
    return kNoValue;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    if (is_float(dtype)) {
      store_f64(dtype, tensor->mutable_bytes().data(), at, values[i]);
    } else {
      store_i64(dtype, tensor->mutable_bytes().data(), at, static_cast<std::int64_t>(values[i]));
    }
  }
  return constant(tensor.take());
}

ValueId Builder::number(double value, DType dtype) { return numbers({&value, 1}, dtype, {}); }

ValueId Builder::ints(std::span<const std::int64_t> values) {
  if (!status_) return kNoValue;
  auto tensor =
      Tensor::from<std::int64_t>(DType::kI64, {static_cast<std::int64_t>(values.size())}, values);
  if (!tensor) fail(tensor.error());
  return tensor ? constant(tensor.take()) : kNoValue;
}

ValueId Builder::int_scalar(std::int64_t value) {
  if (!status_) return kNoValue;
  auto tensor = Tensor::from<std::int64_t>(DType::kI64, {}, {&value, 1});
  if (!tensor) fail(tensor.error());
  return tensor ? constant(tensor.take()) : kNoValue;
}

ValueId Builder::floats(std::span<const float> values) {
  if (!status_) return kNoValue;
  auto tensor =
      Tensor::from<float>(DType::kF32, {static_cast<std::int64_t>(values.size())}, values);
  if (!tensor) fail(tensor.error());
  return tensor ? constant(tensor.take()) : kNoValue;
}

ValueId Builder::cast(ValueId value, DType to) {
  if (status_ && has_type(value) && graph_.value(value).type.dtype == to) return value;
  return add("Cast", {value}, {{"to", to}});
}

ValueId Builder::transpose(ValueId value, std::vector<std::int64_t> perm) {
  return add("Transpose", {value}, {{"perm", std::move(perm)}});
}

ValueId Builder::reshape(ValueId value, std::span<const std::int64_t> shape) {
  return add("Reshape", {value, ints(shape)});
}

ValueId Builder::slice(ValueId value, std::int64_t axis, std::int64_t begin, std::int64_t end) {
  return add("Slice", {value, ints({begin}), ints({end}), ints({axis})});
}

void Builder::mark_typed(ValueId value) {
  if (!typed_.has(value)) typed_.resize(graph_.value_count());
  typed_[value] = true;
}

void Builder::set_type(ValueId value, const TensorType& type) {
  graph_.value(value).type = type;
  mark_typed(value);
}

const Shape* Builder::shape(ValueId value) const {
  if (!value.valid() || !has_type(value)) return nullptr;
  const Shape& found = graph_.value(value).type.shape;
  return has_any_rank(found) ? nullptr : &found;
}

int Builder::rank(ValueId value) const {
  const Shape* found = shape(value);
  return found != nullptr ? found->rank() : -1;
}

std::int64_t Builder::dim(ValueId value, int axis) const {
  const Shape* found = shape(value);
  if (found == nullptr || axis < -found->rank() || axis >= found->rank()) return kUnknownDim;
  return (*found)[axis < 0 ? axis + found->rank() : axis];
}

const Tensor* Builder::data(ValueId value) const {
  if (!value.valid()) return nullptr;
  const auto& constant = graph_.value(value).constant;
  return constant ? &constant->data : nullptr;
}

}  // namespace polaris::tflite
