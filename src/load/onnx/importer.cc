#include "load/onnx/importer.h"

#include <algorithm>
#include <set>

#include "base/strings.h"
#include "ir/any_rank.h"
#include "ir/evaluate.h"
#include "load/onnx/decoder_import.h"
#include "load/onnx/functions.h"
#include "load/onnx/node_order.h"
#include "load/onnx/rewrites.h"
#include "load/onnx/tensor.h"

namespace polaris::onnx {

std::string node_label(const NodeDef& def) {
  std::string out = "[onnx] ";
  if (!def.domain.empty()) out += printable(def.domain) + ".";
  out += printable(def.op_type);
  const std::string_view name = !def.name.empty()     ? def.name
                                : def.outputs.empty() ? std::string_view()
                                                      : def.outputs[0];
  return out + " node '" + printable(name) + "': ";
}

namespace {

// A chain of functions that each call the next twice is short in a file and long to run.
constexpr std::int64_t kNodesMax = std::int64_t{1} << 22;

void collect_free(const GraphDef& def, std::vector<std::string_view>& order,
                  std::set<std::string_view>& seen) {
  std::set<std::string_view> defined;
  for (const ValueDef& input : def.inputs) defined.insert(input.name);
  for (const TensorDef& tensor : def.initializers) defined.insert(tensor.name);
  for (const NodeDef& node : def.nodes) defined.insert(node.outputs.begin(), node.outputs.end());
  const auto use = [&](std::string_view name) {
    if (name.empty() || defined.contains(name) || !seen.insert(name).second) return;
    order.push_back(name);
  };
  for (const NodeDef& node : def.nodes) {
    for (std::string_view input : node.inputs) use(input);
    for (const AttrDef& attr : node.attributes) {
      if (!attr.graph) continue;
      for (std::string_view name : free_names(*attr.graph)) use(name);
    }
  }
  for (const ValueDef& output : def.outputs) use(output.name);
}

}  // namespace

std::vector<std::string_view> free_names(const GraphDef& def) {
  std::vector<std::string_view> order;
  std::set<std::string_view> seen;
  collect_free(def, order, seen);
  return order;
}

void NodeImport::set_input(std::size_t i, ValueId value) {
  if (inputs.size() <= i) inputs.resize(i + 1, kNoValue);
  inputs[i] = value;
}

ValueId NodeImport::constant(Tensor tensor) {
  const TensorType type = tensor.type();
  const ValueId value =
      importer_.graph().add_constant(importer_.fresh_name(def_.op_type), std::move(tensor));
  importer_.set_type(value, type);
  return value;
}

Result<ValueId> NodeImport::constant_ints(std::span<const std::int64_t> values) {
  const Shape shape{static_cast<std::int64_t>(values.size())};
  auto tensor = Tensor::from<std::int64_t>(DType::kI64, shape, values);
  if (!tensor) return tensor.error();
  return constant(tensor.take());
}

Status NodeImport::require(std::string_view attribute) const {
  if (attrs.find(attribute) != nullptr) return Status::success();
  return fail("attribute '" + std::string(attribute) + "' is required");
}

Status NodeImport::ints_to_input(std::string_view name, std::size_t i) {
  if (attrs.find(name) == nullptr) return Status::success();
  const auto values = attrs.get_ints(name);
  if (!values) return fail("attribute '" + std::string(name) + "', wanted INTS");
  attrs.drop(name);
  const auto value = constant_ints(*values);
  if (!value) return value.error();
  set_input(i, *value);
  return Status::success();
}

int NodeImport::rank(std::size_t i) const {
  if (!has_input(i)) return -1;
  const Value& value = importer_.graph().value(inputs[i]);
  const bool known = importer_.has_type(inputs[i]) && !has_any_rank(value.type.shape);
  return known ? value.type.shape.rank() : -1;
}

Result<ValueId> NodeImport::add(std::string_view op_name, std::vector<ValueId> operands,
                                std::unique_ptr<Attrs> node_attrs) {
  const OpDef* found = importer_.file().ops.find(op_name);
  if (found == nullptr) return unsupported("it needs op " + std::string(op_name));
  const NodeId id = importer_.add_node(found, std::move(node_attrs), std::move(operands), 1,
                                       importer_.fresh_name(op_name));
  return importer_.graph().node(id).outputs[0];
}

Status NodeImport::set_output(std::size_t i, ValueId value) {
  done_ = true;
  if (!has_output(i)) return Status::success();
  return importer_.bind(def_.outputs[i], value);
}

Error NodeImport::fail(std::string_view what) const {
  return Error::invalid(node_label(def_) + std::string(what));
}
Error NodeImport::unsupported(std::string_view what) const {
  return Error::unsupported(node_label(def_) + std::string(what));
}

std::string GraphImporter::fresh_name(std::string_view stem) {
  return std::string(stem) + "#" + std::to_string(file_.fresh++);
}

Status GraphImporter::bind(std::string_view name, ValueId value) {
  if (name.empty()) return Status::success();
  if (!names_.emplace(name, value).second) {
    return Error::invalid("[onnx] value '" + printable(name) + "' is defined twice");
  }
  return Status::success();
}

std::shared_ptr<const Constant> GraphImporter::outer_constant(std::string_view name) {
  for (GraphImporter* at = outer_; at != nullptr; at = at->outer_) {
    const auto found = at->names_.find(name);
    if (found != at->names_.end()) return at->graph_.value(found->second).constant;
  }
  return nullptr;
}

ValueId GraphImporter::resolve(std::string_view name) {
  const auto found = names_.find(name);
  if (found != names_.end()) return found->second;
  auto constant = outer_constant(name);
  if (!constant) return kNoValue;
  const ValueId value = graph_.add_constant(std::move(constant));
  mark_typed(value);
  names_.emplace(name, value);
  return value;
}

Result<TensorType> GraphImporter::input_type(const ValueDef& def) {
  const std::string label = "[onnx] input '" + printable(def.name) + "' ";
  if (!def.kind) {
    return Error::unsupported(label + "is no tensor, sequence of tensors or optional of either");
  }
  const auto dtype = dtype_of(def.element_type);
  if (!dtype) {
    return Error::unsupported(label + "type " + data_type_name(def.element_type) +
                              " cannot be read");
  }
  TensorType type{*dtype, {}, {}, *def.kind};
  if (!def.shape && !type.is_tensor()) {
    type.shape = any_rank();
    return type;
  }
  if (!def.shape) return Error::unsupported(label + "has no shape");
  for (std::size_t i = 0; i < def.shape->size(); ++i) {
    const DimDef& dim = (*def.shape)[i];
    std::int64_t size = 0;
    // Some exporters write -1 for a size that is free.
    if (dim.value && *dim.value < -1) {
      return Error::invalid(label + "dim " + std::to_string(i) + ", got " +
                            std::to_string(*dim.value) + ", wanted 0 or more");
    }
    if (dim.value && *dim.value >= 0) {
      size = *dim.value;
    } else if (!type.is_tensor()) {
      size = kUnknownDim;  // each tensor in it may have another
    } else {
      const std::string symbol = !dim.param.empty()
                                     ? std::string(dim.param)
                                     : std::string(def.name) + "." + std::to_string(i);
      size = symbol_dim(graph_.add_symbol({symbol, Symbol::Kind::kFree, 0}));
    }
    if (!type.shape.push_back(size)) {
      return Error::unsupported(label + "rank, got " + std::to_string(def.shape->size()) +
                                ", wanted at most " + std::to_string(kMaxRank));
    }
  }
  if (type.shape.is_static() && !type.shape.checked_elements()) {
    return Error::invalid(label + "shape " + type.shape.to_string() + " is too large");
  }
  return type;
}

bool GraphImporter::is_default(std::string_view input) const {
  if (!initialized_.contains(input)) return false;
  // Files before IR version 4 list their weights among the inputs: those are no defaults.
  constexpr std::int64_t kDefaultsFrom = 4;
  const bool may_be_given = outer_ == nullptr && file_.model.ir_version >= kDefaultsFrom;
  return !may_be_given || !file_.options.given.contains(input);
}

Status GraphImporter::add_inputs(const GraphDef& def) {
  for (const TensorDef& tensor : def.initializers) initialized_.insert(tensor.name);
  for (const ValueDef& input : def.inputs) {
    if (is_default(input.name)) continue;
    TensorType type;
    const bool must_know = outer_ == nullptr;
    auto known = input_type(input);
    if (!known && must_know) return known.error();
    if (known) type = *known;
    const ValueId value = graph_.add_input(std::string(input.name), type);
    if (known) mark_typed(value);
    if (Status s = bind(input.name, value); !s) return s;
  }
  return Status::success();
}

Status GraphImporter::add_initializers(const GraphDef& def) {
  std::set<std::string_view> inputs;
  for (const ValueDef& input : def.inputs) inputs.insert(input.name);
  for (const TensorDef& tensor : def.initializers) {
    if (inputs.contains(tensor.name) && !is_default(tensor.name)) continue;
    auto constant = make_constant(tensor, file_.source);
    if (!constant) return constant.error();
    const ValueId value = graph_.add_constant(constant.take());
    mark_typed(value);
    if (Status s = bind(tensor.name, value); !s) return s;
  }
  return Status::success();
}

Status GraphImporter::add_captures(std::span<const std::string_view> captures) {
  for (std::string_view name : captures) {
    const ValueId from = outer_->resolve(name);
    const ValueId value = graph_.add_input(std::string(name), outer_->graph_.value(from).type);
    if (outer_->has_type(from)) mark_typed(value);
    if (Status s = bind(name, value); !s) return s;
  }
  return Status::success();
}

Status GraphImporter::add_outputs(const GraphDef& def) {
  for (const ValueDef& output : def.outputs) {
    const ValueId value = resolve(output.name);
    if (!value.valid()) {
      return Error::invalid("[onnx] output '" + printable(output.name) + "' is never made");
    }
    graph_.mark_output(value, std::string(output.name));
  }
  return Status::success();
}

Result<Graph> GraphImporter::import(const GraphDef& def,
                                    std::span<const std::string_view> captures) {
  graph_.name = def.name;
  def_ = &def;
  if (outer_ != nullptr) graph_.share_symbols(outer_->graph_);
  if (Status s = add_inputs(def); !s) return s.error();
  if (Status s = add_captures(captures); !s) return s.error();
  return import_rest(def);
}

Result<Graph> GraphImporter::import_function(const GraphDef& def,
                                             std::span<const std::optional<TensorType>> types) {
  graph_.name = def.name;
  def_ = &def;
  for (std::size_t i = 0; i < def.inputs.size(); ++i) {
    const std::string_view name = def.inputs[i].name;
    const ValueId value = graph_.add_input(std::string(name), types[i].value_or(TensorType{}));
    if (types[i]) mark_typed(value);
    if (Status s = bind(name, value); !s) return s.error();
  }
  return import_rest(def);
}

Result<Graph> GraphImporter::import_rest(const GraphDef& def) {
  if (Status s = add_initializers(def); !s) return s.error();
  const auto nodes = nodes_in_order(def);
  if (!nodes) return nodes.error();
  for (const NodeDef* node : *nodes) {
    if (Status s = import_node(*node); !s) return s.error();
  }
  if (Status s = add_outputs(def); !s) return s.error();
  return std::move(graph_);
}

bool GraphImporter::is_read(std::string_view name) {
  if (read_.empty()) {
    for (const ValueDef& output : def_->outputs) read_.insert(output.name);
    for (const NodeDef& node : def_->nodes) {
      read_.insert(node.inputs.begin(), node.inputs.end());
      for (const AttrDef& attr : node.attributes) {
        if (!attr.graph) continue;
        const auto names = free_names(*attr.graph);
        read_.insert(names.begin(), names.end());
      }
    }
  }
  return read_.contains(name);
}

// Rewrites of old forms ask for ranks before the graph as a whole is inferred: what the inputs'
// types and constants say is enough for them, and no answer is an answer.
void GraphImporter::mark_typed(ValueId value) {
  if (!typed_.has(value)) typed_.resize(graph_.value_count());
  typed_[value] = true;
}

void GraphImporter::guess_types(NodeId id) {
  const Node& node = graph_.node(id);
  if (!node.subgraphs.empty()) return;
  for (ValueId input : node.inputs) {
    if (input.valid() && !has_type(input)) return;
  }
  const NodeView view = view_node(graph_, node);
  const auto inferred = infer_types(view);
  if (!inferred) return;
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (!node.outputs[i].valid()) continue;
    graph_.value(node.outputs[i]).type = inferred->outputs[i];
    mark_typed(node.outputs[i]);
  }
}

NodeId GraphImporter::add_node(const OpDef* op, std::unique_ptr<Attrs> attrs,
                               std::vector<ValueId> inputs, int output_count, std::string name) {
  const NodeId id =
      graph_.add_node(op, std::move(attrs), std::move(inputs), output_count, std::move(name));
  guess_types(id);
  return id;
}

Result<std::int64_t> GraphImporter::version_of(const NodeDef& def) const {
  const auto opset = opsets_.find(def.domain);
  if (opset != opsets_.end()) return opset->second;
  // Before there were imports there was one version.
  if (def.domain.empty() && file_.model.ir_version < kOpsetImportFrom) return std::int64_t{1};
  const std::string domain = def.domain.empty() ? "ai.onnx" : printable(def.domain);
  return Error::invalid(node_label(def) + "the file imports no op-set of domain '" + domain + "'");
}

Status GraphImporter::import_node(const NodeDef& def) {
  if (++file_.nodes > kNodesMax) {
    return Error::exhausted(node_label(def) + "nodes, got more than " + std::to_string(kNodesMax) +
                            " with those of the functions called");
  }
  const auto version = version_of(def);
  if (!version) return version.error();
  if (const FunctionDef* function = find_function(file_.index, def)) {
    return call_function(*this, def, *function);
  }
  auto attrs = AttrMap::of(def);
  if (!attrs) return Error::invalid(node_label(def) + attrs.error().message());
  NodeImport node(*this, def, *version, attrs.take());
  if (!def.domain.empty()) node.op = std::string(def.domain) + "." + node.op;
  for (std::string_view name : def.inputs) {
    const ValueId value = name.empty() ? kNoValue : resolve(name);
    if (!name.empty() && !value.valid()) {
      return node.fail("input '" + printable(name) + "' is never made");
    }
    node.inputs.push_back(value);
  }
  while (!node.inputs.empty() && !node.inputs.back().valid()) node.inputs.pop_back();
  if (*version < 6 && def.domain.empty()) node.attrs.drop("consumed_inputs");
  const bool outermost = outer_ == nullptr && file_.decoder != nullptr;
  if (const PastLayer* layer = outermost ? layer_of(*file_.decoder, def) : nullptr) {
    return import_paged_layer(node, *file_.decoder, *layer);
  }
  if (Rewrite rewrite = find_rewrite(def.domain, def.op_type, *version)) {
    if (Status s = rewrite(node); !s) return s;
  }
  return node.done() ? Status::success() : add_imported(node);
}

Status GraphImporter::add_imported(NodeImport& node) {
  const NodeDef& def = node.def();
  const std::size_t dot = node.op.rfind('.');
  const std::string_view op = node.op;
  const OpDef* found =
      dot == op.npos ? file_.ops.find(op) : file_.ops.find(op.substr(dot + 1), op.substr(0, dot));
  if (found == nullptr) {
    return node.unsupported("op is not supported (op-set version " +
                            std::to_string(node.version()) + ")");
  }
  if (found->is_control()) return node.unsupported("op is not supported");
  auto attrs =
      found->make_attrs != nullptr ? found->make_attrs() : std::unique_ptr<Attrs>(new NoAttrs());
  if (Status s = import_attrs(node.attrs, file_.source, *attrs); !s) {
    const bool invalid = s.error().code() == ErrorCode::kInvalid;
    return invalid ? node.fail(s.error().message()) : node.unsupported(s.error().message());
  }
  std::string name(!def.name.empty() ? def.name : def.outputs.empty() ? "" : def.outputs[0]);
  const NodeId id = add_node(found, std::move(attrs), node.inputs,
                             static_cast<int>(def.outputs.size()), std::move(name));
  return bind_outputs(id, def);
}

Status GraphImporter::bind_outputs(NodeId id, const NodeDef& def) {
  Node& node = graph_.node(id);
  for (std::size_t i = 0; i < def.outputs.size(); ++i) {
    if (def.outputs[i].empty()) {
      node.outputs[i] = kNoValue;
      continue;
    }
    graph_.value(node.outputs[i]).name = def.outputs[i];
    if (Status s = bind(def.outputs[i], node.outputs[i]); !s) return s;
  }
  return Status::success();
}

}  // namespace polaris::onnx
