#include "save/onnx/graph_writer.h"

#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "base/strings.h"
#include "ir/any_rank.h"
#include "ir/control.h"
#include "ir/op_attrs/control.h"
#include "ir/op_attrs/sequence.h"
#include "save/onnx/lower.h"
#include "save/onnx/messages.h"
#include "save/onnx/weights.h"
#include "tensor/element.h"

namespace polaris::onnx {
namespace {

constexpr std::string_view kMlDomain = "ai.onnx.ml";
constexpr int kGraphNode = 1;
constexpr int kFunctionNode = 7;
// Smaller initializers stay in the model's own file.
constexpr std::int64_t kOutsideFrom = 1024;

/// The first op-set whose operators take the dtype.
std::int64_t opset_of(DType dtype) {
  switch (dtype) {
    case DType::kF4E2M1: return 23;
    case DType::kF8E8M0: return 24;
    case DType::kI2:
    case DType::kU2: return 25;
    default: return kOpsetMin;
  }
}

/// Operators of which versions 22 to 25 took more types and nothing else, but for what the
/// attributes named here mean. All of version 22 are of that kind.
bool only_types_since_21(const OpDef& op, std::span<const std::string> attributes) {
  static constexpr std::string_view kChanged[] = {"round_mode", "output_dtype", "precision",
                                                  "ceil_mode"};
  static constexpr std::string_view kOps[] = {"Cast",
                                              "CastLike",
                                              "ConstantOfShape",
                                              "DequantizeLinear",
                                              "Flatten",
                                              "Identity",
                                              "If",
                                              "Loop",
                                              "Pad",
                                              "QuantizeLinear",
                                              "Reshape",
                                              "Scan",
                                              "Shape",
                                              "Size",
                                              "SplitToSequence",
                                              "Squeeze",
                                              "TopK",
                                              "Transpose",
                                              "Unsqueeze"};
  constexpr int kBfloatVersion = 22;
  if (!op.domain.empty()) return false;
  const bool known = op.since == kBfloatVersion ||
                     std::find(std::begin(kOps), std::end(kOps), op.name) != std::end(kOps);
  return known && std::none_of(attributes.begin(), attributes.end(), [](const std::string& name) {
           return std::find(std::begin(kChanged), std::end(kChanged), name) != std::end(kChanged);
         });
}

Message constant_node(const std::string& name, const Tensor& tensor) {
  Message node;
  node.text(2, name);
  node.text(4, "Constant");
  add_attribute(node, "value", tensor_message({}, tensor), 5, AttrType::kTensor);
  return node;
}

std::span<const std::string_view> body_names(const OpDef& op) {
  static constexpr std::string_view kBranches[] = {"then_branch", "else_branch"};
  static constexpr std::string_view kBody[] = {"body"};
  if (op.is("If")) return kBranches;
  return kBody;
}

}  // namespace

void WriteContext::need_opset(std::string_view domain, std::int64_t version,
                              const std::string& reason) {
  std::int64_t& at = opsets[std::string(domain)];
  if (version <= at) return;
  at = version;
  if (domain.empty()) opset_reason = reason;
}

std::string Names::unique(std::string_view wanted) {
  std::string name(wanted.empty() ? "value" : wanted);
  if (take(name)) return name;
  std::int64_t& next = next_[name];
  for (;;) {
    std::string numbered = name + "_" + std::to_string(++next);
    if (take(numbered)) return numbered;
  }
}

std::vector<std::string> GraphWriter::names_of(std::span<const ValueId> values,
                                               std::size_t least) const {
  std::vector<std::string> out;
  for (const ValueId value : values) out.push_back(value.valid() ? names_[value] : std::string());
  while (out.size() > least && out.back().empty()) out.pop_back();
  return out;
}

std::vector<std::string> GraphWriter::result_names(const Node& node) {
  std::vector<std::string> out = names_of(node.outputs, node.outputs.size());
  for (std::string& name : out) {
    if (name.empty()) name = names_in_use_.unique(node.name + ".unused");
  }
  return out;
}

Message GraphWriter::node_message(const Node& node, std::string_view op, std::string_view domain,
                                  std::span<const std::string> inputs,
                                  std::span<const std::string> outputs) {
  Message out;
  for (const std::string& name : inputs) out.text(1, name);
  for (const std::string& name : outputs) out.text(2, name);
  if (!node.name.empty()) out.text(3, node.name);
  out.text(4, op);
  if (!domain.empty()) out.text(7, domain);
  ++file_.nodes;
  return out;
}

void GraphWriter::add_identity(const std::string& from, const std::string& to) {
  nodes_.push_back(node_message({}, "Identity", "", {&from, 1}, {&to, 1}));
}

const std::string* GraphWriter::constant_name(const Constant* constant) const {
  for (const GraphWriter* at = this; at != nullptr; at = at->outer_) {
    const auto found = at->constants_.find(constant);
    if (found != at->constants_.end()) return &found->second;
  }
  return nullptr;
}

void GraphWriter::add_tensor(const std::string& name, const Tensor& tensor) {
  if (in_function_) {
    nodes_.push_back(constant_node(name, tensor));
    return;
  }
  const auto bytes = static_cast<std::int64_t>(tensor.bytes().size());
  if (!file_.external || bytes < kOutsideFrom || tensor.dtype() == DType::kString) {
    initializers_.push_back(tensor_message(name, tensor));
    return;
  }
  Message out = tensor_head(name, tensor);
  const auto entry = [&](std::string_view key, std::string_view value) {
    Message pair;
    pair.text(1, key);
    pair.text(2, value);
    out.message(13, std::move(pair));
  };
  file_.outside_bytes = round_up(file_.outside_bytes, kOutsideAlignment);
  entry("location", file_.outside_name);
  entry("offset", std::to_string(file_.outside_bytes));
  entry("length", std::to_string(bytes));
  out.integer(14, 1);
  file_.outside_bytes += bytes;
  file_.outside.push_back(tensor);
  initializers_.push_back(std::move(out));
}

Result<std::string> GraphWriter::add_constant(const Constant& constant) {
  auto written = written_form(constant);
  if (!written) return written.error().with_context("weight '" + printable(constant.name) + "'");
  const std::string name = names_in_use_.unique(constant.name);
  if (written->decoded) {
    file_.notes.push_back("weight '" + printable(constant.name) + "' of " +
                          constant.data.type().to_string() + " is written as " +
                          std::string(dtype_name(written->data.dtype())));
  }
  if (!written->scale) {
    add_tensor(name, written->data);
    return name;
  }
  std::vector<std::string> inputs = {names_in_use_.unique(name + ".codes"),
                                     names_in_use_.unique(name + ".scale")};
  add_tensor(inputs[0], written->data);
  add_tensor(inputs[1], written->scale);
  if (written->zero_point) {
    inputs.push_back(names_in_use_.unique(name + ".zero"));
    add_tensor(inputs[2], written->zero_point);
  }
  Message node = node_message({}, "DequantizeLinear", "", inputs, {&name, 1});
  const auto number = [&](std::string_view key, std::int64_t value) {
    Message attr;
    attr.text(1, key);
    attr.integer(3, value);
    attr.integer(20, static_cast<std::int64_t>(AttrType::kInt));
    node.message(kNodeAttribute, std::move(attr));
  };
  number("axis", written->axis);
  if (written->block > 0) number("block_size", written->block);
  file_.need_opset("", opset_of(written->data.dtype()), "weight '" + constant.name + "'");
  nodes_.push_back(std::move(node));
  return name;
}

Status GraphWriter::add_constants(const Graph& graph) {
  for (const ValueId id : graph.value_ids()) {
    const auto& constant = graph.value(id).constant;
    if (!constant) continue;
    if (const std::string* name = constant_name(constant.get())) {
      names_[id] = *name;
      continue;
    }
    auto name = add_constant(*constant);
    if (!name) return name.error();
    names_[id] = constants_[constant.get()] = name.take();
  }
  return Status::success();
}

Status GraphWriter::check_types(const Graph& graph) {
  for (const ValueId id : graph.value_ids()) {
    const Value& value = graph.value(id);
    file_.need_opset("", opset_of(value.type.dtype), "value '" + value.name + "'");
  }
  return Status::success();
}

Status GraphWriter::name_inputs(const Graph& graph, std::span<const std::string> captures,
                                bool exact) {
  const auto& inputs = graph.inputs();
  const std::size_t own = inputs.size() - captures.size();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string& name = graph.value(inputs[i]).name;
    if (i >= own) {
      names_[inputs[i]] = captures[i - own];
    } else if (!exact) {
      names_[inputs[i]] = names_in_use_.unique(name);
    } else if (!name.empty() && names_in_use_.take(name)) {
      names_[inputs[i]] = name;
    } else {
      return Error::invalid("[onnx] input '" + printable(name) +
                            "': cannot be written: two inputs have the name, or it is none");
    }
  }
  return Status::success();
}

Status GraphWriter::name_outputs(const Graph& graph, bool exact) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < graph.outputs().size(); ++i) {
    const ValueId id = graph.outputs()[i];
    const Value& value = graph.value(id);
    const std::string& wanted = graph.output_names()[i];
    const bool made_here = value.producer.valid() && names_[id].empty();
    if (!exact) {
      outputs_.push_back(names_in_use_.unique(wanted));
    } else if (wanted.empty() || !seen.insert(wanted).second) {
      return Error::invalid("[onnx] output '" + printable(wanted) +
                            "': cannot be written: two outputs have the name, or it is none");
    } else if (names_[id] != wanted && !names_in_use_.take(wanted)) {
      return Error::invalid("[onnx] output '" + printable(wanted) +
                            "': cannot be written: it has the name of another input");
    } else {
      outputs_.push_back(wanted);
    }
    if (made_here) names_[id] = outputs_.back();
  }
  return Status::success();
}

Status GraphWriter::add_nodes(const Graph& graph) {
  if (Status s = check_types(graph); !s) return s;
  if (Status s = add_constants(graph); !s) return s;
  // All names of this graph are taken before those within it choose theirs.
  for (const NodeId id : graph.order()) {
    for (const ValueId output : graph.node(id).outputs) {
      if (!output.valid() || !names_[output].empty()) continue;
      names_[output] = names_in_use_.unique(graph.value(output).name);
    }
  }
  for (const NodeId id : graph.order()) {
    if (Status s = add_node(graph, graph.node(id)); !s) return s;
  }
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const std::string& name = names_[graph.outputs()[i]];
    if (name != outputs_[i]) add_identity(name, outputs_[i]);
  }
  return Status::success();
}

Status GraphWriter::add_node(const Graph& graph, const Node& node) {
  const OpDef& op = *node.op;
  if (op.plugin != nullptr) return cannot_write(node, "it is a plugin's operator");
  if (op.is("Call", "polaris")) return add_call(node);
  if (op.is("Case", "polaris")) return add_case(graph, node);
  if (op.is("While", "polaris")) return add_while(node);
  if (!op.domain.empty() && op.domain != kMlDomain) {
    return cannot_write(node, "ONNX has no such operator");
  }
  if (op.is_control()) return add_with_bodies(graph, node);
  return add_plain(graph, node);
}

void GraphWriter::need_op(const Graph& graph, const Node& node,
                          std::span<const std::string> attributes) {
  const OpDef& op = *node.op;
  const auto is_bfloat = [&](ValueId id) {
    return id.valid() && graph.value(id).type.dtype == DType::kBF16;
  };
  const bool bfloat = std::any_of(node.inputs.begin(), node.inputs.end(), is_bfloat) ||
                      std::any_of(node.outputs.begin(), node.outputs.end(), is_bfloat);
  // Smaller dtypes have asked for their op-set already.
  std::int64_t version = op.since;
  if (!bfloat && only_types_since_21(op, attributes)) version = std::min(version, kOpsetMin);
  file_.need_opset(op.domain, version, op_full_name(op) + " node '" + node.name + "'");
}

Status GraphWriter::add_plain(const Graph& graph, const Node& node) {
  const OpDef& op = *node.op;
  const auto inputs = names_of(node.inputs, 0);
  Message out = node_message(node, op.name, op.domain, inputs, names_of(node.outputs, 1));
  std::vector<std::string> attributes;
  if (op.is("Optional")) {
    // ONNX says by a type what may be in it.
    const TensorType& type = graph.value(node.outputs[0]).type;
    const auto held = type.as(type.kind == ValueKind::kOptionalSequence ? ValueKind::kSequence
                                                                        : ValueKind::kTensor);
    if (inputs.empty()) {
      add_attribute(out, "type", type_message(held, graph.symbols()), 14, AttrType::kType);
    }
  } else if (node.attrs) {
    const auto defaults = op.make_attrs != nullptr ? op.make_attrs() : nullptr;
    attributes = add_attributes(out, *node.attrs, defaults.get(), {});
  }
  need_op(graph, node, attributes);
  nodes_.push_back(std::move(out));
  return Status::success();
}

Status GraphWriter::add_with_bodies(const Graph& graph, const Node& node) {
  const OpDef& op = *node.op;
  const auto view = control_view(node);
  if (!view) return view.error();
  const auto own = node.inputs.size() - static_cast<std::size_t>(view->captures);
  auto inputs = names_of(node.inputs, node.inputs.size());
  const std::vector<std::string> captures(inputs.begin() + static_cast<std::ptrdiff_t>(own),
                                          inputs.end());
  inputs.resize(own);
  Message out = node_message(node, op.name, op.domain, inputs, result_names(node));
  static constexpr std::string_view kLeftOut[] = {"captures"};
  if (node.attrs && op.make_attrs != nullptr) {
    add_attributes(out, *node.attrs, op.make_attrs().get(), kLeftOut);
  }
  need_op(graph, node, {});
  for (std::size_t i = 0; i < node.subgraphs.size(); ++i) {
    GraphWriter inner(file_, names_in_use_, this);
    inner.in_function_ = in_function_;
    auto body = inner.write_body(*node.subgraphs[i], captures);
    if (!body) return body.error();
    add_graph_attribute(out, body_names(op)[i], body.take());
  }
  nodes_.push_back(std::move(out));
  return Status::success();
}

Result<std::string> GraphWriter::function_for(const Graph& graph) {
  file_.need_opset(kLocalDomain, 1, "");
  const auto at = file_.function_names.find(&graph);
  if (at != file_.function_names.end()) return at->second;
  std::string name = graph.name.empty() ? "function" : graph.name;
  for (int i = 1; !file_.taken_functions.insert(name).second; ++i) {
    name = (graph.name.empty() ? "function" : graph.name) + "_" + std::to_string(i);
  }
  file_.function_names.emplace(&graph, name);
  Names names;
  GraphWriter inner(file_, names, nullptr);
  auto function = inner.write_function(graph, name);
  if (!function) return function.error();
  file_.functions.push_back(function.take());
  return name;
}

Status GraphWriter::add_call(const Node& node) {
  const auto name = function_for(*node.subgraphs[0]);
  if (!name) return name.error();
  nodes_.push_back(
      node_message(node, *name, kLocalDomain, names_of(node.inputs, 0), result_names(node)));
  return Status::success();
}

// If the index is 0, the first branch; else, if it is 1, the second ...
Status GraphWriter::add_case(const Graph& graph, const Node& node) {
  const std::vector<std::string> inputs = names_of(node.inputs, node.inputs.size());
  const std::vector<std::string> captures(inputs.begin() + 1, inputs.end());
  const std::vector<std::string> wanted = result_names(node);
  std::vector<Message> bodies;
  for (const auto& subgraph : node.subgraphs) {
    GraphWriter inner(file_, names_in_use_, this);
    inner.in_function_ = in_function_;
    auto body = inner.write_body(*subgraph, captures);
    if (!body) return body.error();
    bodies.push_back(body.take());
  }
  const std::size_t last = bodies.size() - 1;
  Message rest = std::move(bodies[last]);
  for (std::size_t i = last == 0 ? 1 : last; i-- > 0;) {
    auto number = Tensor::allocate(graph.value(node.inputs[0]).type.dtype, {});
    if (!number) return number.error();
    store_i64(number->dtype(), number->mutable_bytes().data(), 0, static_cast<std::int64_t>(i));
    const std::string place = names_in_use_.unique(node.name + ".place");
    const std::string is_it = names_in_use_.unique(node.name + ".chosen");
    std::vector<std::string> results;
    for (const std::string& name : wanted) {
      results.push_back(i == 0 ? name : names_in_use_.unique(name));
    }
    const std::string compared[] = {inputs[0], place};
    std::vector<Message> steps;
    steps.push_back(constant_node(place, *number));
    steps.push_back(node_message({}, "Equal", "", compared, {&is_it, 1}));
    Message choice = node_message(node, "If", "", {&is_it, 1}, results);
    // One branch alone runs whatever the index is.
    Message same = last == 0 ? rest : std::move(bodies[i]);
    add_graph_attribute(choice, "then_branch", std::move(same));
    add_graph_attribute(choice, "else_branch", std::move(rest));
    steps.push_back(std::move(choice));
    if (i == 0) {
      for (Message& step : steps) nodes_.push_back(std::move(step));
      break;
    }
    rest = Message();
    for (Message& step : steps) rest.message(kGraphNode, std::move(step));
    rest.text(2, "rest");
    for (std::size_t o = 0; o < results.size(); ++o) {
      TensorType type = node.subgraphs[i]->value(node.subgraphs[i]->outputs()[o]).type;
      type.shape = any_rank();
      rest.message(12, value_message(results[o], type, graph.symbols()));
    }
  }
  return Status::success();
}

// A Loop without a bound, whose condition is asked once before it and at the end of each round.
Status GraphWriter::add_while(const Node& node) {
  const auto view = control_view(node);
  if (!view) return view.error();
  const Graph& body = *node.subgraphs[1];
  const auto condition_name = function_for(*node.subgraphs[0]);
  if (!condition_name) return condition_name.error();
  const auto body_name = function_for(body);
  if (!body_name) return body_name.error();
  const std::vector<std::string> given = names_of(node.inputs, node.inputs.size());
  const std::size_t carried = body.outputs().size();
  const std::string first = names_in_use_.unique(node.name + ".first");
  nodes_.push_back(node_message({}, *condition_name, kLocalDomain, given, {&first, 1}));

  std::vector<std::string> before;
  std::vector<std::string> after;
  std::vector<std::string> again_of;
  for (std::size_t i = 0; i < given.size(); ++i) {
    before.push_back(i < carried ? names_in_use_.unique(given[i]) : given[i]);
  }
  for (std::size_t i = 0; i < carried; ++i) after.push_back(names_in_use_.unique(given[i]));
  again_of = after;
  again_of.insert(again_of.end(), given.begin() + static_cast<std::ptrdiff_t>(carried),
                  given.end());
  const std::string round = names_in_use_.unique(node.name + ".round");
  const std::string held = names_in_use_.unique(node.name + ".held");
  const std::string again = names_in_use_.unique(node.name + ".again");
  Message loop;
  loop.message(kGraphNode, node_message({}, *body_name, kLocalDomain, before, after));
  loop.message(kGraphNode, node_message({}, *condition_name, kLocalDomain, again_of, {&again, 1}));
  loop.text(2, "rounds");
  loop.message(11, value_message(round, {DType::kI64, {}, {}}, {}));
  loop.message(11, value_message(held, {DType::kBool, {}, {}}, {}));
  for (std::size_t i = 0; i < carried; ++i) {
    loop.message(11, value_message(before[i], body.value(body.inputs()[i]).type, body.symbols()));
  }
  loop.message(12, value_message(again, {DType::kBool, {}, {}}, {}));
  for (std::size_t i = 0; i < carried; ++i) {
    loop.message(12, value_message(after[i], body.value(body.outputs()[i]).type, body.symbols()));
  }
  std::vector<std::string> inputs = {"", first};
  inputs.insert(inputs.end(), given.begin(), given.begin() + static_cast<std::ptrdiff_t>(carried));
  Message out = node_message(node, "Loop", "", inputs, result_names(node));
  add_graph_attribute(out, "body", std::move(loop));
  nodes_.push_back(std::move(out));
  return Status::success();
}

Result<Message> GraphWriter::write_root(const Graph& graph) {
  names_.resize(graph.value_count());
  if (Status s = name_inputs(graph, {}, true); !s) return s.error();
  if (Status s = name_outputs(graph, true); !s) return s.error();
  if (Status s = add_nodes(graph); !s) return s.error();
  Message out;
  for (Message& node : nodes_) out.message(kGraphNode, std::move(node));
  out.text(2, graph.name.empty() ? "main" : graph.name);
  for (Message& tensor : initializers_) out.message(5, std::move(tensor));
  for (const ValueId id : graph.inputs()) {
    out.message(11, value_message(names_[id], graph.value(id).type, graph.symbols()));
  }
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const TensorType& type = graph.value(graph.outputs()[i]).type;
    out.message(12, value_message(outputs_[i], type, graph.symbols()));
  }
  return out;
}

Result<Message> GraphWriter::write_body(const Graph& graph, std::span<const std::string> captures) {
  names_.resize(graph.value_count());
  if (Status s = name_inputs(graph, captures, false); !s) return s.error();
  if (Status s = name_outputs(graph, false); !s) return s.error();
  if (Status s = add_nodes(graph); !s) return s.error();
  Message out;
  for (Message& node : nodes_) out.message(kGraphNode, std::move(node));
  out.text(2, graph.name.empty() ? "body" : graph.name);
  for (Message& tensor : initializers_) out.message(5, std::move(tensor));
  for (std::size_t i = 0; i + captures.size() < graph.inputs().size(); ++i) {
    const ValueId id = graph.inputs()[i];
    out.message(11, value_message(names_[id], graph.value(id).type, graph.symbols()));
  }
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    // A branch that never runs may hold nodes that could not: what its shapes would be is not said.
    TensorType type = graph.value(graph.outputs()[i]).type;
    type.shape = any_rank();
    out.message(12, value_message(outputs_[i], type, graph.symbols()));
  }
  return out;
}

Result<Message> GraphWriter::write_function(const Graph& graph, std::string_view name) {
  in_function_ = true;
  names_.resize(graph.value_count());
  if (Status s = name_inputs(graph, {}, false); !s) return s.error();
  if (Status s = name_outputs(graph, false); !s) return s.error();
  if (Status s = add_nodes(graph); !s) return s.error();
  Message out;
  out.text(1, name);
  for (const ValueId id : graph.inputs()) out.text(4, names_[id]);
  for (const std::string& output : outputs_) out.text(5, output);
  for (Message& node : nodes_) out.message(kFunctionNode, std::move(node));
  out.text(10, kLocalDomain);
  return out;
}

}  // namespace polaris::onnx
