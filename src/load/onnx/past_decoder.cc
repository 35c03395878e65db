#include "load/onnx/past_decoder.h"

#include <algorithm>
#include <set>

#include "base/strings.h"
#include "load/onnx/tensor.h"

namespace polaris::onnx {
namespace {

Error unsupported(const std::string& what, const std::string& got, const std::string& wanted) {
  return Error::unsupported("[onnx] decoder: " + what + ", got " + got + ", wanted " + wanted);
}
Error invalid(const std::string& what, const std::string& got, const std::string& wanted) {
  return Error::invalid("[onnx] decoder: " + what + ", got " + got + ", wanted " + wanted);
}
std::string quoted(std::string_view name) { return "'" + printable(name) + "'"; }
std::string told(const NodeDef& node) {
  const std::string_view output = node.outputs.empty() ? std::string_view() : node.outputs[0];
  return printable(node.op_type) + " node " + quoted(node.name.empty() ? output : node.name);
}

constexpr std::int64_t kHeadsMax = 1 << 14;
constexpr std::int64_t kHeadSizeMax = 1 << 16;
constexpr std::int64_t kAnyDim = -1;

/// Where the nodes that we know have their past, and what of their other inputs import leaves out.
struct Form {
  std::string_view domain;
  std::string_view op;
  PastLayer::Kind kind;
  std::size_t past;     // past_key; past_value is behind it
  std::size_t lengths;  // what tells lengths: first of them and how many
  std::size_t length_count;
  const char* kv_heads;  // attribute
};
constexpr Form kForms[] = {
    {"com.microsoft", "GroupQueryAttention", PastLayer::Kind::kGroupQuery, 3, 5, 2, "kv_num_heads"},
    {"com.microsoft", "MultiHeadAttention", PastLayer::Kind::kMultiHead, 6, 8, 2, "num_heads"},
    {"", "Attention", PastLayer::Kind::kAttention, 4, 6, 0, "kv_num_heads"}};

const Form* form_of(const NodeDef& node) {
  for (const Form& form : kForms) {
    if (form.op == node.op_type && form.domain == node.domain) return &form;
  }
  return nullptr;
}

std::string_view name_at(const std::vector<std::string_view>& names, std::size_t i) {
  return i < names.size() ? names[i] : std::string_view();
}

std::optional<std::int64_t> int_of(const NodeDef& node, std::string_view name) {
  for (const AttrDef& attr : node.attributes) {
    if (attr.name == name && attr.type == AttrType::kInt) return attr.i;
  }
  return std::nullopt;
}

class Recognizer {
 public:
  Recognizer(GraphDef& graph, const DecoderConfig& config) : graph_(graph), config_(config) {}

  Result<PastDecoder> run() {
    for (const TensorDef& tensor : graph_.initializers) {
      constants_.insert(tensor.name);
      if (!tensor.dims.empty()) rows_.emplace(tensor.name, tensor.dims[0]);
    }
    for (const ValueDef& input : graph_.inputs) {
      if (!constants_.contains(input.name)) inputs_.emplace(input.name, &input);
    }
    for (NodeDef& node : graph_.nodes) {
      for (std::string_view name : node.outputs) makers_.emplace(name, &node);
    }
    for (NodeDef& node : graph_.nodes) {
      if (Status s = take_layer(node); !s) return s.error();
    }
    for (Status (Recognizer::*step)() : {&Recognizer::check_layers, &Recognizer::take_inputs,
                                         &Recognizer::take_logits, &Recognizer::check_config}) {
      if (Status s = (this->*step)(); !s) return s.error();
    }
    cut_rows();
    return std::move(out_);
  }

 private:
  /// A past's dims: [batch, heads, tokens, head size], of which the second and last are numbers.
  Status take_past(std::string_view name, const NodeDef& node, std::int64_t kv_heads) {
    const ValueDef& past = *inputs_.at(name);
    const std::string what = "past " + quoted(name);
    if (!past.shape || past.shape->size() != 4) {
      return invalid(what, past.shape ? "rank " + std::to_string(past.shape->size()) : "no shape",
                     "[batch, heads, tokens, head size]");
    }
    const auto dim = [&](std::size_t i) { return (*past.shape)[i].value.value_or(kAnyDim); };
    const std::int64_t heads = dim(1) == kAnyDim ? kv_heads : dim(1);
    const std::int64_t size = dim(3);
    if (heads < 1 || heads > kHeadsMax || size < 1 || size > kHeadSizeMax) {
      return unsupported(what, "heads " + std::to_string(heads) + " of " + std::to_string(size),
                         "numbers from 1 to 2^14 and to 2^16");
    }
    if (kv_heads > 0 && heads != kv_heads) {
      return invalid(what, std::to_string(heads) + " heads",
                     "the " + std::to_string(kv_heads) + " of " + told(node));
    }
    if (out_.kv_heads == 0) {
      out_.kv_heads = heads;
      out_.head_size = size;
    }
    if (heads == out_.kv_heads && size == out_.head_size) return Status::success();
    return unsupported(what, std::to_string(heads) + " heads of " + std::to_string(size),
                       "those of the others, " + std::to_string(out_.kv_heads) + " of " +
                           std::to_string(out_.head_size));
  }

  Status take_layer(NodeDef& node) {
    const Form* form = form_of(node);
    if (form == nullptr) return Status::success();
    const std::string_view key = name_at(node.inputs, form->past);
    const std::string_view value = name_at(node.inputs, form->past + 1);
    if (!inputs_.contains(key) && !inputs_.contains(value)) return Status::success();
    for (std::string_view past : {key, value}) {
      if (!inputs_.contains(past) || !pasts_.insert(past).second) {
        return unsupported("past of " + told(node), quoted(past),
                           "two inputs of the graph that no other node has");
      }
      const std::int64_t kv_heads = int_of(node, form->kv_heads).value_or(0);
      if (Status s = take_past(past, node, kv_heads); !s) return s;
    }
    PastLayer layer{form->kind, out_.layers.size(), 0};
    for (std::size_t i : {1u, 2u}) presents_.insert(name_at(node.outputs, i));
    if (form->kind == PastLayer::Kind::kGroupQuery) {
      layer.window = std::max<std::int64_t>(0, int_of(node, "local_window_size").value_or(-1));
    }
    if (layer.window > 0 && out_.window > 0 && layer.window != out_.window) {
      return unsupported("windows of layers",
                         std::to_string(layer.window) + " and " + std::to_string(out_.window),
                         "one size");
    }
    out_.window = std::max(out_.window, layer.window);
    out_.has_full |= layer.window == 0;
    if (form->kind == PastLayer::Kind::kGroupQuery) take_table(name_at(node.inputs, 7));
    if (node.outputs.empty() || !out_.layers.emplace(node.outputs[0], layer).second) {
      return invalid("outputs of " + told(node), "none", "one");
    }
    const auto blank = [&](std::size_t i) {
      if (i < node.inputs.size()) node.inputs[i] = {};
    };
    // A sequence of ours has no padding: what hides it hides nothing.
    if (form->kind == PastLayer::Kind::kMultiHead && is_mask(name_at(node.inputs, 4))) blank(4);
    blank(form->past);
    blank(form->past + 1);
    for (std::size_t i = 0; i < form->length_count; ++i) blank(form->lengths + i);
    return Status::success();
  }

  /// Whether it is the input attention_mask, or that in another type.
  bool is_mask(std::string_view name) const {
    for (std::size_t i = 0; i < graph_.nodes.size() && name != config_.mask; ++i) {
      const auto maker = makers_.find(name);
      if (maker == makers_.end() || maker->second->op_type != "Cast") return false;
      name = name_at(maker->second->inputs, 0);
    }
    return name == config_.mask && inputs_.contains(name);
  }

  /// A table of cosines: positions are below its rows.
  void take_table(std::string_view name) {
    const auto at = rows_.find(name);
    if (at == rows_.end() || at->second < 1) return;
    out_.position_rows = std::min(out_.position_rows.value_or(INT64_MAX), at->second);
  }

  Status check_layers() {
    for (const NodeDef& node : graph_.nodes) {
      if (node.op_type != "RotaryEmbedding") continue;
      take_table(name_at(node.inputs, node.domain.empty() ? 1 : 2));
    }
    if (!out_.layers.empty()) return Status::success();
    const std::string wanted =
        "GroupQueryAttention, MultiHeadAttention or Attention whose past_key and past_value are "
        "inputs of the graph";
    for (const NodeDef& node : graph_.nodes) {
      for (std::string_view input : node.inputs) {
        const bool past = input.find("past") != input.npos && inputs_.contains(input);
        if (!past) continue;
        return unsupported("reader of " + quoted(input), printable(node.op_type), wanted);
      }
    }
    return unsupported("layers", "no node that reads a past", wanted);
  }

  Status take_inputs() {
    for (const auto& [name, input] : inputs_) {
      if (pasts_.contains(name)) continue;
      if (name == config_.tokens) {
        out_.tokens = name;
        out_.tokens_type = input->element_type;
      } else if (name == config_.positions) {
        out_.positions = name;
        out_.positions_type = input->element_type;
      } else if (name == config_.mask) {
        out_.mask = name;
        continue;
      } else {
        continue;  // import names whoever reads it
      }
      const auto dtype = dtype_of(input->element_type);
      const bool whole = dtype == DType::kI64 || dtype == DType::kI32;
      if (whole && input->shape && input->shape->size() == 2) continue;
      return unsupported("input " + quoted(name),
                         data_type_name(input->element_type) + " of rank " +
                             (input->shape ? std::to_string(input->shape->size()) : "unknown"),
                         "int64 or int32 [batch, tokens]");
    }
    if (!out_.tokens.empty()) return Status::success();
    std::string names;
    for (const auto& [name, input] : inputs_) {
      if (pasts_.contains(name) || names.size() > 200) continue;
      names += (names.empty() ? "" : ", ") + quoted(name);
    }
    return unsupported("inputs", names.empty() ? "pasts alone" : names,
                       quoted(config_.tokens) + " of token ids");
  }

  Status take_logits() {
    std::vector<std::string_view> others;
    for (const ValueDef& output : graph_.outputs) {
      if (output.name == config_.logits) out_.logits = output.name;
      if (!presents_.contains(output.name)) others.push_back(output.name);
    }
    if (out_.logits.empty() && others.size() == 1) out_.logits = others[0];
    if (!out_.logits.empty() && !presents_.contains(out_.logits)) return Status::success();
    return unsupported("outputs", std::to_string(others.size()) + " that are no present",
                       quoted(config_.logits));
  }

  Status check_config() {
    struct Row {
      const char* what;
      std::optional<std::int64_t> wanted;
      std::int64_t got;
    };
    const Row rows[] = {
        {"layers with a past", config_.layers, static_cast<std::int64_t>(out_.layers.size())},
        {"heads of a past", config_.kv_heads, out_.kv_heads},
        {"head size of a past", config_.head_size, out_.head_size}};
    for (const Row& row : rows) {
      if (!row.wanted || *row.wanted == row.got) continue;
      return invalid(row.what, std::to_string(row.got),
                     std::to_string(*row.wanted) + " as the model's config says");
    }
    return Status::success();
  }

  /// The only input of a node that is no constant, where it works on rows one by one and its
  /// result may be had of some rows alone; empty where it is not so, or not known.
  std::string_view rows_input(const NodeDef& node) const {
    constexpr std::string_view kOps[] = {"MatMulNBits", "MatMul", "Cast", "Add",     "Mul",
                                         "Div",         "Tanh",   "Sub",  "Identity"};
    if (std::ranges::count(kOps, node.op_type) == 0) return {};
    std::string_view out;
    for (std::string_view name : node.inputs) {
      if (name.empty() || constants_.contains(name)) continue;
      const auto maker = makers_.find(name);
      if (maker != makers_.end() && maker->second->op_type == "Constant") continue;
      if (!out.empty()) return {};
      out = name;
    }
    if (node.op_type == "MatMul" && name_at(node.inputs, 0) != out) return {};
    return out;
  }

  /// Only rows whose logits are wanted go through the largest matrix.
  void cut_rows() {
    std::string_view cut = out_.logits;
    NodeDef* reader = nullptr;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const auto maker = makers_.find(cut);
      if (maker == makers_.end()) break;
      const std::string_view from = rows_input(*maker->second);
      if (from.empty()) break;
      reader = maker->second;
      cut = from;
    }
    if (reader != nullptr) std::ranges::replace(reader->inputs, cut, kHiddenRows);
    NodeDef gather;
    gather.op_type = "Gather";
    gather.inputs = {cut, kLogitRows};
    gather.outputs = {kHiddenRows};
    AttrDef axis;
    axis.name = "axis";
    axis.type = AttrType::kInt;
    axis.i = 1;
    gather.attributes.push_back(axis);
    ValueDef output;
    output.name = reader != nullptr ? out_.logits : kHiddenRows;
    out_.logits = output.name;
    graph_.outputs = {output};
    graph_.nodes.push_back(std::move(gather));  // makers_ points to where nodes stood: used no more
  }

  GraphDef& graph_;
  const DecoderConfig& config_;
  PastDecoder out_;
  std::set<std::string_view> constants_;
  std::map<std::string_view, std::int64_t> rows_;  // dim 0 of initializers
  std::map<std::string_view, const ValueDef*> inputs_;
  std::map<std::string_view, NodeDef*> makers_;
  std::set<std::string_view> pasts_;
  std::set<std::string_view> presents_;
};

}  // namespace

Result<PastDecoder> take_past_decoder(GraphDef& graph, const DecoderConfig& config) {
  return Recognizer(graph, config).run();
}

}  // namespace polaris::onnx
