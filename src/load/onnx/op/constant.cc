#include "load/onnx/importer.h"
#include "load/onnx/tensor.h"

namespace polaris::onnx {
namespace {

Status bind_constant(NodeImport& node, Result<Tensor> tensor) {
  if (!tensor) return tensor.error();
  const ValueId value = node.constant(tensor.take());
  node.importer().graph().value(value).name = node.def().outputs[0];
  return node.set_output(0, value);
}

template <class T>
Status bind_numbers(NodeImport& node, DType dtype, const Shape& shape, std::span<const T> values) {
  return bind_constant(node, Tensor::from<T>(dtype, shape, values));
}

}  // namespace

Status constant(NodeImport& node) {
  if (node.output_count() != 1 || node.attrs.all().size() != 1) {
    return node.fail("wanted one output and one attribute");
  }
  const AttrDef& attr = *node.attrs.all().begin()->second;
  if (attr.name == "value" && attr.type == AttrType::kTensor) {
    auto made = make_constant(*attr.tensor, node.importer().file().source);
    if (!made) return made.error();
    // The node's output names the weight; the tensor itself is often nameless.
    auto named = std::make_shared<Constant>(**made);
    named->name = node.def().outputs[0];
    const ValueId value = node.importer().graph().add_constant(std::move(named));
    return node.set_output(0, value);
  }
  const auto count = [](const auto& list) { return Shape{static_cast<std::int64_t>(list.size())}; };
  if (attr.name == "value_float" && attr.type == AttrType::kFloat) {
    return bind_numbers<float>(node, DType::kF32, {}, std::span(&attr.f, 1));
  }
  if (attr.name == "value_int" && attr.type == AttrType::kInt) {
    return bind_numbers<std::int64_t>(node, DType::kI64, {}, std::span(&attr.i, 1));
  }
  if (attr.name == "value_floats" && attr.type == AttrType::kFloats) {
    return bind_numbers<float>(node, DType::kF32, count(attr.floats), attr.floats);
  }
  if (attr.name == "value_ints" && attr.type == AttrType::kInts) {
    return bind_numbers<std::int64_t>(node, DType::kI64, count(attr.ints), attr.ints);
  }
  if (attr.name == "value_string" && attr.type == AttrType::kString) {
    return bind_constant(node, Tensor::strings({}, std::span(&attr.s, 1)));
  }
  if (attr.name == "value_strings" && attr.type == AttrType::kStrings) {
    return bind_constant(node, Tensor::strings(count(attr.strings), attr.strings));
  }
  return node.unsupported("constants of sparse tensors cannot be read");
}

}  // namespace polaris::onnx
