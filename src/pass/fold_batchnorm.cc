#include <cmath>
#include <utility>

#include "ir/op_attrs/normalization.h"
#include "pass/editor.h"
#include "pass/pass.h"

namespace polaris {
namespace {

struct Factors {
  std::vector<double> scale;
  std::vector<double> shift;
};

/// y = scale * x + shift per channel, or nothing where the parameters are not constants.
std::optional<Factors> factors_of(const Editor& editor, const Node& norm) {
  const Tensor* parts[4];
  for (std::size_t i = 0; i < 4; ++i) {
    parts[i] = editor.constant(norm.inputs[1 + i]);
    if (parts[i] == nullptr || parts[i]->elements() != parts[0]->elements()) return std::nullopt;
  }
  const auto& attrs = norm.attrs_as<BatchNormAttrs>();
  if (attrs.training_mode) return std::nullopt;
  Factors out;
  for (std::int64_t c = 0; c < parts[0]->elements(); ++c) {
    const double scale =
        element_as_f64(*parts[0], c) /
        std::sqrt(element_as_f64(*parts[3], c) + static_cast<double>(attrs.epsilon));
    out.scale.push_back(scale);
    out.shift.push_back(element_as_f64(*parts[1], c) - scale * element_as_f64(*parts[2], c));
  }
  return out;
}

Result<bool> fold(Editor& editor, NodeId norm_id) {
  const Node& norm = editor.node(norm_id);
  const Node* conv = editor.producer(norm.inputs[0], "Conv");
  if (conv == nullptr || !editor.only_user(norm.inputs[0]).valid()) return false;
  for (std::size_t i = 1; i < norm.outputs.size(); ++i) {
    if (norm.outputs[i].valid()) return false;
  }
  const Tensor* weight = editor.constant(conv->inputs[1]);
  const bool has_bias = conv->inputs.size() > 2 && conv->inputs[2].valid();
  const Tensor* bias = has_bias ? editor.constant(conv->inputs[2]) : nullptr;
  const auto factors = factors_of(editor, norm);
  if (weight == nullptr || weight->dtype() != DType::kF32 || (has_bias && bias == nullptr) ||
      !factors) {
    return false;
  }
  const std::int64_t channels = weight->shape()[0];
  if (channels != static_cast<std::int64_t>(factors->scale.size())) return false;

  auto scaled = Tensor::allocate(weight->type());
  if (!scaled) return scaled.error();
  auto shifted = Tensor::allocate(DType::kF32, {channels});
  if (!shifted) return shifted.error();
  const std::int64_t each = channels > 0 ? weight->elements() / channels : 0;
  for (std::int64_t c = 0; c < channels; ++c) {
    const double scale = factors->scale[static_cast<std::size_t>(c)];
    for (std::int64_t i = c * each; i < (c + 1) * each; ++i) {
      scaled->mutable_data<float>()[i] =
          static_cast<float>(static_cast<double>(weight->data<float>()[i]) * scale);
    }
    const double old = bias != nullptr ? element_as_f64(*bias, c) : 0.0;
    shifted->mutable_data<float>()[c] =
        static_cast<float>(old * scale + factors->shift[static_cast<std::size_t>(c)]);
  }
  const auto& source = editor.value(conv->inputs[1]).constant;
  if (source->file) source->file->release_pages(weight->bytes());
  const ValueId w = editor.add_constant(source->name, scaled.take());
  // Without a bias of its own the convolution takes the one the norm brought.
  const std::string name = editor.value(has_bias ? conv->inputs[2] : norm.inputs[2]).name;
  const ValueId b = editor.add_constant(name, shifted.take());
  auto made = replace_node(editor, norm_id, "Conv", {conv->inputs[0], w, b}, conv->attrs->clone());
  if (!made) return made.error();
  return true;
}

Result<bool> run(Graph& graph, const Targets&, const OpSet& ops) {
  Editor editor(graph, ops);
  const std::vector<NodeId> order = graph.order();
  for (NodeId id : order) {
    if (graph.node(id).dead || !graph.node(id).op->is("BatchNormalization")) continue;
    if (auto done = fold(editor, id); !done) return done;
  }
  return editor.changed();
}

constexpr std::string_view kStartsAt[] = {"BatchNormalization"};

}  // namespace

extern constinit const Pass pass_fold_batchnorm{
    .name = "fold_batchnorm",
    .doc = "A BatchNormalization after a Conv goes into the weights and bias of the Conv.",
    .run = run,
    .starts_at = kStartsAt,
};

}  // namespace polaris
