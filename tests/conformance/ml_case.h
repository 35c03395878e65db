#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/samples.h"

namespace polaris::test {

using MlAttrs = std::map<std::string_view, AttrValue>;

/// `base` with one attribute set.
inline MlAttrs with(MlAttrs base, std::string_view name, const AttrValue& value) {
  base[name] = value;
  return base;
}
/// Attributes of an op of ai.onnx.ml.
inline auto of(std::string_view op, const MlAttrs& values) {
  return attrs_of("ai.onnx.ml." + std::string(op), values);
}

/// Runs a node of ai.onnx.ml by its definition; `wanted` is what onnxruntime gives for it.
void check_ml(std::string_view op, const MlAttrs& attributes, const std::vector<Tensor>& inputs,
              const std::vector<Tensor>& wanted);
/// The node is refused, with such words.
void check_ml_fails(std::string_view op, const MlAttrs& attributes,
                    const std::vector<Tensor>& inputs, std::string_view words, int outputs = 1);

}  // namespace polaris::test
