// com.microsoft: activations, norms and products that ONNX Runtime's optimizer fuses.
#include <string>
#include <utility>

#include "base/strings.h"
#include "ir/op_attrs/shape.h"
#include "load/onnx/op/steps.h"

namespace polaris::onnx {
namespace {

constexpr float kNormEpsilon = 1e-12f;  // of its fused forms, where a file says none

std::int64_t int_or(const NodeImport& node, std::string_view name, std::int64_t otherwise) {
  return node.attrs.get_int(name).value_or(otherwise);
}

/// What a norm over the last axis normalizes: the sum of the first two inputs and a bias.
ValueId skip_sum(Steps& s, std::size_t bias) {
  return s.plus(s.add("Add", {s.needed(0), s.needed(1)}), s.input(bias));
}

/// The last two dims change places.
ValueId turned(Steps& s, const NodeImport& node, std::size_t i) {
  const int rank = node.rank(i);
  if (rank < 2) {
    s.fail(node.unsupported("rank of input " + std::to_string(i) + " is not known"));
    return kNoValue;
  }
  auto attrs = std::make_unique<TransposeAttrs>();
  for (int d = 0; d < rank; ++d) attrs->perm.push_back(d);
  std::swap(attrs->perm[static_cast<std::size_t>(rank - 2)],
            attrs->perm[static_cast<std::size_t>(rank - 1)]);
  return s.add_with("Transpose", {s.input(i)}, std::move(attrs));
}

/// The activation that a fused node names, taken out of its attributes.
struct Activation {
  explicit Activation(NodeImport& node)
      : name(node.attrs.get_text("activation").value_or("")),
        params(node.attrs.get_floats("activation_params").value_or(std::vector<float>{})) {
    node.attrs.drop("activation");
    node.attrs.drop("activation_params");
  }
  float param(std::size_t i, float otherwise) const {
    return i < params.size() ? params[i] : otherwise;
  }
  ValueId of(Steps& s, const NodeImport& node, ValueId x) const {
    if (name.empty()) return x;
    if (name == "Relu" || name == "Sigmoid" || name == "Tanh") return s.add(name, {x});
    if (name == "LeakyRelu") return s.add(name, {x}, {{"alpha", param(0, 0.01f)}});
    if (name == "HardSigmoid") {
      return s.add(name, {x}, {{"alpha", param(0, 0.2f)}, {"beta", param(1, 0.5f)}});
    }
    if (name == "Clip" && params.size() == 2) {
      return s.add(name, {x, s.number_like(params[0], x), s.number_like(params[1], x)});
    }
    s.fail(node.unsupported("activation, got '" + printable(name) +
                            "', wanted Relu, Sigmoid, Tanh, LeakyRelu, HardSigmoid or Clip"));
    return kNoValue;
  }

  std::string name;
  std::vector<float> params;
};

}  // namespace

Status bias_gelu(NodeImport& node) {
  Steps s(node);
  s.give(0, s.add("Gelu", {s.add("Add", {s.needed(0), s.needed(1)})}));
  return s.status();
}

Status fast_gelu(NodeImport& node) {
  Steps s(node);
  s.give(0, s.add("Gelu", {s.plus(s.needed(0), s.input(1))},
                  {{"approximate", std::string_view("tanh")}}));
  return s.status();
}

Status quick_gelu(NodeImport& node) {
  Steps s(node);
  const float alpha = node.attrs.get_float("alpha").value_or(1.702f);
  s.give(0, s.add("Swish", {s.needed(0)}, {{"alpha", alpha}}));
  return s.status();
}

Status skip_layer_normalization(NodeImport& node) {
  Steps s(node);
  const float epsilon = node.attrs.get_float("epsilon").value_or(kNormEpsilon);
  const ValueId sum = skip_sum(s, 4);
  std::vector<ValueId> inputs = {sum, s.needed(2)};
  if (s.input(3).valid()) inputs.push_back(s.input(3));
  const int outputs = node.has_output(2) ? 3 : node.has_output(1) ? 2 : 1;
  const auto normed =
      s.add_all("LayerNormalization", std::move(inputs), outputs, {{"epsilon", epsilon}});
  for (std::size_t i = 0; i < normed.size(); ++i) s.give(i, normed[i]);
  s.give(3, sum);
  return s.status();
}

Status skip_simplified_layer_normalization(NodeImport& node) {
  if (node.has_output(1) || node.has_output(2)) return node.unsupported("outputs 1 and 2");
  Steps s(node);
  const float epsilon = node.attrs.get_float("epsilon").value_or(kNormEpsilon);
  const ValueId sum = skip_sum(s, 3);
  s.give(0, s.add("RMSNormalization", {sum, s.needed(2)}, {{"epsilon", epsilon}}));
  s.give(3, sum);
  return s.status();
}

Status simplified_layer_normalization(NodeImport& node) {
  if (node.has_output(1)) return node.unsupported("output 1");
  Steps s(node);
  s.give(0, s.add("RMSNormalization", {s.needed(0), s.needed(1)},
                  {{"axis", int_or(node, "axis", -1)},
                   {"epsilon", node.attrs.get_float("epsilon").value_or(1e-5f)}}));
  return s.status();
}

/// Word, position and segment embeddings, normalized; the count of each text's mask.
Status embed_layer_normalization(NodeImport& node) {
  Steps s(node);
  const ValueId ids = s.needed(0);
  ValueId sum = s.add("Gather", {s.needed(2), ids});
  if (s.input(8).valid()) {
    sum = s.add("Add", {sum, s.add("Gather", {s.needed(3), s.input(8)})});
  } else {
    const ValueId length = s.add("Shape", {ids}, {{"start", std::int64_t{1}}});
    sum = s.add("Add", {sum, s.add("Slice", {s.needed(3), s.ints({0}), length, s.ints({0})})});
  }
  if (s.input(1).valid()) {
    sum = s.add("Add", {sum, s.add("Gather", {s.needed(4), s.input(1)})});
  }
  s.give(0, s.add("LayerNormalization", {sum, s.needed(5), s.needed(6)},
                  {{"epsilon", node.attrs.get_float("epsilon").value_or(kNormEpsilon)}}));
  if (node.has_output(1)) {
    if (s.input(7).valid()) {
      s.give(1, s.add("ReduceSum", {s.input(7), s.ints({1})}, {{"keepdims", std::int64_t{0}}}));
    } else {
      const ValueId rows = s.add("Shape", {ids}, {{"end", std::int64_t{1}}});
      const ValueId none = s.add("CastLike", {s.number(0), ids});
      s.give(1, s.add("Expand", {none, rows}));
    }
  }
  s.give(2, sum);
  return s.status();
}

Status fused_matmul(NodeImport& node) {
  if (int_or(node, "transBatchA", 0) != 0 || int_or(node, "transBatchB", 0) != 0) {
    return node.unsupported("transBatchA and transBatchB, wanted 0");
  }
  Steps s(node);
  s.needed(0);
  s.needed(1);
  const ValueId a = int_or(node, "transA", 0) != 0 ? turned(s, node, 0) : s.input(0);
  const ValueId b = int_or(node, "transB", 0) != 0 ? turned(s, node, 1) : s.input(1);
  ValueId product = s.add("MatMul", {a, b});
  const float alpha = node.attrs.get_float("alpha").value_or(1.0f);
  if (alpha != 1) product = s.add("Mul", {product, s.number_like(alpha, product)});
  s.give(0, product);
  return s.status();
}

/// Conv, then what input 3 adds, then an activation.
Status fused_conv(NodeImport& node) {
  const Activation activation(node);
  Steps s(node);
  std::vector<ValueId> inputs = {s.needed(0), s.needed(1)};
  if (s.input(2).valid()) inputs.push_back(s.input(2));
  const ValueId sum = s.plus(s.add_by("Conv", std::move(inputs), node.attrs), s.input(3));
  s.give(0, activation.of(s, node, sum));
  return s.status();
}

}  // namespace polaris::onnx
