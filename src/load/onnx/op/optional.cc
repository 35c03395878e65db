#include "load/onnx/importer.h"
#include "load/onnx/tensor.h"

namespace polaris::onnx {

// The file gives the type of what may be in it, which matters where nothing is: element type and
// whether it is a sequence.
Status optional_node(NodeImport& node) {
  for (std::string_view name : {"dtype", "sequence"}) {
    if (node.attrs.find(name) != nullptr) {
      return node.fail("has no attribute '" + std::string(name) + "'");
    }
  }
  const AttrDef* attr = node.attrs.find("type");
  if (attr == nullptr) {
    if (node.has_input(0)) return Status::success();
    return node.fail("has neither an input nor the attribute 'type'");
  }
  if (attr->type != AttrType::kType) return node.fail("attribute 'type', wanted TYPE_PROTO");
  const ValueDef& type = *attr->value_type;
  const bool sequence = type.kind == ValueKind::kSequence;
  if (!sequence && type.kind != ValueKind::kTensor) {
    return node.unsupported("attribute 'type', wanted that of a tensor or a sequence of them");
  }
  if (!dtype_of(type.element_type)) {
    return node.unsupported("attribute 'type' of " + data_type_name(type.element_type) +
                            " cannot be read");
  }
  node.attrs.set_int("dtype", type.element_type);
  node.attrs.set_int("sequence", sequence ? 1 : 0);
  node.attrs.drop("type");
  return Status::success();
}

}  // namespace polaris::onnx
