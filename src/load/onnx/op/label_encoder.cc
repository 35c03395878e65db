#include <numeric>

#include "load/onnx/importer.h"

namespace polaris::onnx {

// Version 1 maps strings to their places in one list, or places to the strings.
Status label_encoder_by_classes(NodeImport& node) {
  const AttrDef* classes = node.attrs.find("classes_strings");
  if (classes == nullptr || classes->type != AttrType::kStrings) {
    return node.fail("attribute 'classes_strings', wanted STRINGS");
  }
  if (!node.has_input(0) || !node.importer().has_type(node.inputs[0])) {
    return node.unsupported("type of the input is not known");
  }
  const bool text = node.importer().graph().value(node.inputs[0]).type.dtype == DType::kString;
  std::vector<std::int64_t> places(classes->strings.size());
  std::iota(places.begin(), places.end(), std::int64_t{0});
  node.attrs.set_texts(text ? "keys_strings" : "values_strings", classes->strings);
  node.attrs.set_ints(text ? "values_int64s" : "keys_int64s", std::move(places));
  node.attrs.drop("classes_strings");
  return Status::success();
}

}  // namespace polaris::onnx
