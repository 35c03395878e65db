#include "load/onnx/decoder_import.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/strings.h"
#include "ir/op_attrs/elementwise.h"
#include "ir/rows_apart.h"
#include "ir/text/symbol_text.h"
#include "load/onnx/node_order.h"
#include "load/onnx/tensor.h"

namespace polaris::onnx {
namespace {

constexpr std::int64_t kContextElse = 4096;  // where neither file nor caller says

/// What a graph that brings its own network asks of ours: nothing but the options.
class NoWeights final : public ArchInput {
 public:
  using ArchInput::ArchInput;
  const MetadataValue* hyperparameter(std::string_view) const override { return nullptr; }
  bool has_weight(std::string_view) const override { return false; }
  Result<std::shared_ptr<const Constant>> weight(std::string_view name) const override {
    return Error::not_found("[onnx] weight '" + printable(name) + "'");
  }
};

Result<std::int64_t> context_of(const PastDecoder& past, const DecoderConfig& config,
                                std::int64_t asked) {
  const std::int64_t rows = past.position_rows.value_or(INT64_MAX);
  const std::int64_t otherwise = asked > 0 ? asked : kContextElse;
  const std::int64_t trained =
      std::min(rows, config.context.value_or(rows < INT64_MAX ? rows : otherwise));
  const std::int64_t context = asked > 0 ? std::min(trained, asked) : trained;
  if (context <= INT32_MAX) return context;
  return Error::unsupported("[onnx] decoder: context, got " + std::to_string(context) +
                            " tokens, wanted at most 2^31 - 1");
}

/// One group, or one of each kind of layer.
DecoderSpec spec_of(const PastDecoder& past, std::int64_t context) {
  DecoderSpec spec;
  spec.kv_heads = past.kv_heads;
  spec.head_size = past.head_size;
  spec.context = context;
  spec.window = past.window;
  spec.layers = past.window > 0 && past.has_full ? 2 : 1;
  spec.window_period = spec.layers;
  return spec;
}

Metadata describe(const ArchOptions& options, const DecoderSpec& spec, const PastDecoder& past,
                  const DecoderConfig& config) {
  Metadata out;
  out.emplace("block_count", static_cast<std::int64_t>(past.layers.size()));
  out.emplace("attention.head_count_kv", spec.kv_heads);
  out.emplace("attention.key_length", spec.head_size);
  out.emplace("context_length", spec.context);
  out.emplace("page_size", options.page_size);
  out.emplace("kv_type", std::string(kv_type_name(options.kv_type)));
  if (!config.end_tokens.empty()) out.emplace("end_tokens", config.end_tokens);
  return out;
}

/// Inputs of the file that a node reads, in graphs inside of it too, and nothing was bound to.
Status check_inputs(GraphImporter& importer, const std::set<std::string_view>& inputs,
                    const NodeDef& node) {
  std::vector<std::string_view> names = node.inputs;
  for (const AttrDef& attr : node.attributes) {
    if (!attr.graph) continue;
    const auto free = free_names(*attr.graph);
    names.insert(names.end(), free.begin(), free.end());
  }
  for (std::string_view name : names) {
    if (name.empty() || !inputs.contains(name) || importer.resolve(name).valid()) continue;
    return Error::unsupported("[onnx] decoder: reader of input '" + printable(name) + "', got " +
                              printable(node.op_type) + " node '" + printable(node.name) +
                              "', wanted no other than layers of attention for their past and "
                              "lengths");
  }
  return Status::success();
}

}  // namespace

Status GraphImporter::bind_decoder(const GraphDef& def, DecoderParts& parts, Graph inputs) {
  def_ = &def;
  graph_ = std::move(inputs);
  graph_.name = def.name;
  for (ValueId input : graph_.inputs()) mark_typed(input);
  const NodeId batched = graph_.value(parts.in.rope_positions).producer;
  if (auto s = infer_node(graph_, batched); !s) return s;
  mark_typed(parts.in.rope_positions);
  struct Row {
    std::string_view name;
    ValueId value;  // [tokens]
    std::int64_t type;
  };
  const Row rows[] = {{parts.past.tokens, parts.in.tokens, parts.past.tokens_type},
                      {parts.past.positions, parts.in.positions, parts.past.positions_type}};
  const std::int64_t first = 0;
  auto axes = Tensor::from<std::int64_t>(DType::kI64, Shape{1}, {&first, 1});
  if (!axes) return axes.error();
  const ValueId axis = graph_.add_constant("batch", axes.take());
  mark_typed(axis);
  for (const Row& row : rows) {
    if (row.name.empty()) continue;
    const auto add = [&](std::string_view op, std::unique_ptr<Attrs> attrs,
                         std::vector<ValueId> operands) {
      const NodeId id =
          add_node(file_.ops.find(op), std::move(attrs), std::move(operands), 1, fresh_name(op));
      return graph_.node(id).outputs[0];
    };
    ValueId value = add("Unsqueeze", nullptr, {row.value, axis});
    if (dtype_of(row.type) != DType::kI32) {
      auto attrs = std::make_unique<CastAttrs>();
      attrs->to = *dtype_of(row.type);
      value = add("Cast", std::move(attrs), {value});
    }
    if (auto s = bind(row.name, value); !s) return s;
  }
  return bind(kLogitRows, parts.in.logit_rows);
}

Result<Graph> GraphImporter::import_rows(const GraphDef& def, DecoderParts& parts) {
  std::set<std::string_view> inputs;
  for (const ValueDef& input : def.inputs) inputs.insert(input.name);
  for (const TensorDef& tensor : def.initializers) {
    initialized_.insert(tensor.name);
    inputs.erase(tensor.name);
  }
  if (auto s = add_initializers(def); !s) return s.error();
  const auto nodes = nodes_in_order(def);
  if (!nodes) return nodes.error();
  for (const NodeDef* node : *nodes) {
    if (auto s = check_inputs(*this, inputs, *node); !s) return s.error();
    if (auto s = import_node(*node); !s) return s.error();
  }
  ValueId logits = resolve(parts.past.logits);
  if (!logits.valid()) {
    return Error::invalid("[onnx] output '" + printable(parts.past.logits) + "' is never made");
  }
  const auto add = [&](std::string_view op, std::unique_ptr<Attrs> attrs,
                       std::vector<ValueId> operands) {
    const NodeId id =
        add_node(file_.ops.find(op), std::move(attrs), std::move(operands), 1, fresh_name(op));
    return graph_.node(id).outputs[0];
  };
  const std::int64_t first = 0;
  auto axes = Tensor::from<std::int64_t>(DType::kI64, Shape{1}, {&first, 1});
  if (!axes) return axes.error();
  logits = add("Squeeze", nullptr, {logits, graph_.add_constant("logits.batch", axes.take())});
  logits = add("Cast", std::make_unique<CastAttrs>(), {logits});
  graph_.mark_output(logits, "logits");
  return std::move(graph_);
}

Status import_decoder(FileContext& file, GraphDef& def, Model& out) {
  const ArchOptions& options = file.options.arch;
  auto config = read_decoder_config(file.source);
  if (!config) return config.error();
  auto past = take_past_decoder(def, *config);
  if (!past) return past.error();
  const auto context = context_of(*past, *config, options.context_max);
  if (!context) return context.error();
  const DecoderSpec spec = spec_of(*past, *context);
  const NoWeights none(file.ops, options);
  ArchBuilder builder("onnx", none);
  DecoderParts parts{past.take(), add_decoder_inputs(builder, spec)};
  if (!builder.ok()) return builder.finish().error();
  file.decoder = &parts;
  GraphImporter importer(file, nullptr, 0);
  if (auto s = importer.bind_decoder(def, parts, std::move(builder.graph())); !s) return s;
  auto graph = importer.import_rows(def, parts);
  file.decoder = nullptr;
  if (!graph) return graph.error();
  if (auto s = infer_graph(*graph); !s) {
    return Error(s.error().code(), name_symbols(s.error().message(), graph->symbols()));
  }
  if (auto s = check_rows_apart(*graph, parts.in.contract); !s) return s;
  const Shape& logits = graph->value(graph->outputs()[0]).type.shape;
  if (logits.rank() != 2 || !is_static_dim(logits[1]) ||
      (config->vocabulary && *config->vocabulary != logits[1])) {
    return Error::invalid("[onnx] decoder: logits, got " + logits.to_string() +
                          ", wanted [rows, vocabulary]" +
                          (config->vocabulary ? " of " + std::to_string(*config->vocabulary) : ""));
  }
  out.hyperparameters = describe(options, spec, parts.past, *config);
  out.hyperparameters.emplace("vocab_size", logits[1]);
  out.decoder = std::move(parts.in.contract);
  out.functions.emplace("main", graph.take());
  return Status::success();
}

}  // namespace polaris::onnx
