#include "load/onnx/op/steps.h"

#include <string>
#include <utility>

namespace polaris::onnx {

void Steps::fail(Error error) {
  if (status_) status_ = std::move(error);
}

ValueId Steps::needed(std::size_t i) {
  if (!node_.has_input(i)) fail(node_.fail("input " + std::to_string(i) + " is missing"));
  return input(i);
}

std::vector<ValueId> Steps::make(std::string_view op, std::vector<ValueId> inputs, int outputs,
                                 const AttrMap& attributes) {
  std::vector<ValueId> none(static_cast<std::size_t>(outputs), kNoValue);
  if (!status_) return none;
  GraphImporter& importer = node_.importer();
  const std::size_t dot = op.rfind('.');
  const OpDef* found = dot == op.npos
                           ? importer.file().ops.find(op)
                           : importer.file().ops.find(op.substr(dot + 1), op.substr(0, dot));
  if (found == nullptr) {
    fail(node_.unsupported("it needs op " + std::string(op)));
    return none;
  }
  auto attrs =
      found->make_attrs != nullptr ? found->make_attrs() : std::unique_ptr<Attrs>(new NoAttrs());
  if (auto s = import_attrs(attributes, importer.file().source, *attrs); !s) {
    fail(node_.fail(s.error().message()));
    return none;
  }
  const NodeId id = importer.add_node(found, std::move(attrs), std::move(inputs), outputs,
                                      importer.fresh_name(op.substr(dot == op.npos ? 0 : dot + 1)));
  return importer.graph().node(id).outputs;
}

std::vector<ValueId> Steps::add_all(std::string_view op, std::vector<ValueId> inputs, int outputs,
                                    std::initializer_list<Set> attributes) {
  AttrMap map;
  for (const Set& set : attributes) {
    if (const auto* i = std::get_if<std::int64_t>(&set.value)) map.set_int(set.name, *i);
    if (const auto* f = std::get_if<float>(&set.value)) map.set_float(set.name, *f);
    if (const auto* t = std::get_if<std::string_view>(&set.value)) map.set_text(set.name, *t);
  }
  return make(op, std::move(inputs), outputs, map);
}

ValueId Steps::add_by(std::string_view op, std::vector<ValueId> inputs, const AttrMap& attributes) {
  return make(op, std::move(inputs), 1, attributes)[0];
}

ValueId Steps::add(std::string_view op, std::vector<ValueId> inputs,
                   std::initializer_list<Set> attributes) {
  return add_all(op, std::move(inputs), 1, attributes)[0];
}

ValueId Steps::add_with(std::string_view op, std::vector<ValueId> inputs,
                        std::unique_ptr<Attrs> attrs) {
  if (!status_) return kNoValue;
  const auto value = node_.add(op, std::move(inputs), std::move(attrs));
  if (!value) fail(value.error());
  return value ? *value : kNoValue;
}

ValueId Steps::number(float value) {
  if (!status_) return kNoValue;
  auto tensor = Tensor::from<float>(DType::kF32, {}, {&value, 1});
  if (!tensor) fail(tensor.error());
  return tensor ? node_.constant(tensor.take()) : kNoValue;
}

ValueId Steps::ints(const std::vector<std::int64_t>& values) {
  if (!status_) return kNoValue;
  const auto value = node_.constant_ints(values);
  if (!value) fail(value.error());
  return value ? *value : kNoValue;
}

void Steps::give(std::size_t output, ValueId value) {
  if (!status_) return;
  if (auto s = node_.set_output(output, value); !s) fail(s.error());
}

}  // namespace polaris::onnx
