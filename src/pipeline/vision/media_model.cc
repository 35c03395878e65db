#include "pipeline/vision/media_model.h"

#include <algorithm>
#include <utility>

namespace polaris {
namespace {

MediaPort port_of(const Graph& graph, ValueId value, std::string name, std::size_t index,
                  const MediaOptions& options) {
  const TensorType& type = graph.value(value).type;
  MediaPort out{std::move(name), index, type.dtype, type.shape};
  for (int d = 0; d < out.shape.rank(); ++d) {
    if (!is_symbol_dim(out.shape[d])) continue;
    const auto symbol = static_cast<std::size_t>(symbol_of(out.shape[d]));
    const auto size = options.dims.find(graph.symbols()[symbol].name);
    out.shape[d] = size == options.dims.end() ? kUnknownDim : size->second;
  }
  return out;
}

/// The scale and zero point of a QuantizeLinear or DequantizeLinear, where they are one constant
/// each.
std::optional<MediaQuantization> quantization_of(const Graph& graph, const Node& node) {
  MediaQuantization out;
  for (std::size_t i = 1; i < node.inputs.size() && i < 3; ++i) {
    if (!node.inputs[i].valid()) continue;
    const Value& value = graph.value(node.inputs[i]);
    if (!value.constant || !value.constant->data.type().encoding.is_plain() ||
        value.constant->data.elements() != 1) {
      return std::nullopt;
    }
    (i == 1 ? out.scale : out.zero) = element_as_f64(value.constant->data, 0);
  }
  if (!(out.scale > 0)) return std::nullopt;
  return out;
}

/// Ops behind which the numbers are the same, or stand for the same.
bool is_passed_through(std::string_view op) {
  static constexpr std::string_view kOps[] = {
      "Reshape", "Flatten",   "Squeeze", "Unsqueeze",      "Identity",
      "Cast",    "Transpose", "Dropout", "QuantizeLinear", "DequantizeLinear"};
  return std::find(std::begin(kOps), std::end(kOps), op) != std::end(kOps);
}

const Node* producer(const Graph& graph, ValueId value) {
  const NodeId node = graph.value(value).producer;
  return node.valid() ? &graph.node(node) : nullptr;
}

}  // namespace

std::string port_text(const MediaPort& port) {
  return "'" + port.name + "' " + TensorType{port.dtype, port.shape, {}}.to_string();
}

Result<MediaPort> media_input(const Graph& graph, const MediaOptions& options) {
  std::string all;
  for (std::size_t i = 0; i < graph.inputs().size(); ++i) {
    const ValueId id = graph.inputs()[i];
    MediaPort port = port_of(graph, id, graph.value(id).name, i, options);
    if (graph.inputs().size() == 1) return port;
    all += (all.empty() ? "" : ", ") + port_text(port);
  }
  return Error::unsupported("[media] inputs, got " + (all.empty() ? "none" : all) + ", wanted one");
}

std::vector<MediaPort> media_outputs(const Graph& graph, const MediaOptions& options) {
  std::vector<MediaPort> out;
  for (std::size_t i = 0; i < graph.outputs().size(); ++i) {
    out.push_back(port_of(graph, graph.outputs()[i], graph.output_names()[i], i, options));
  }
  return out;
}

std::optional<MediaQuantization> input_quantization(const Graph& graph, std::size_t input) {
  std::optional<MediaQuantization> out;
  for (const NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    if (std::find(node.inputs.begin(), node.inputs.end(), graph.inputs()[input]) ==
        node.inputs.end()) {
      continue;
    }
    if (node.op->name != "DequantizeLinear") return std::nullopt;
    out = quantization_of(graph, node);
    if (!out) return std::nullopt;
  }
  return out;
}

std::optional<MediaQuantization> output_quantization(const Graph& graph, std::size_t output) {
  ValueId value = graph.outputs()[output];
  for (const Node* node = producer(graph, value); node != nullptr; node = producer(graph, value)) {
    if (node->op->name == "QuantizeLinear") return quantization_of(graph, *node);
    if (!is_passed_through(node->op->name) || node->op->name == "Cast") return std::nullopt;
    value = node->inputs[0];
  }
  return std::nullopt;
}

const Node* maker_of(const Graph& graph, ValueId value) {
  const Node* node = producer(graph, value);
  while (node != nullptr && is_passed_through(node->op->name)) {
    node = producer(graph, node->inputs[0]);
  }
  return node;
}

Result<std::unique_ptr<Session>> open_session(std::shared_ptr<Runtime> runtime, Graph graph,
                                              const ProgramOptions& options) {
  auto program = Program::compile(std::move(runtime), std::move(graph), options);
  if (!program) return program.error();
  return Session::create(program.take());
}

}  // namespace polaris
