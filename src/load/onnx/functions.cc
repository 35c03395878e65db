#include "load/onnx/functions.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include "base/strings.h"
#include "ir/any_rank.h"
#include "ir/nested.h"

namespace polaris::onnx {
namespace {

using Bound = std::map<std::string_view, const AttrDef*>;

std::string full_name(const FunctionDef& function) {
  return printable(function.domain) + (function.domain.empty() ? "" : ".") +
         printable(function.name);
}

template <class T>
void put(std::string& out, const T& value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}
void put(std::string& out, std::string_view text) {
  put(out, text.size());
  out += text;
}

/// What tells an attribute's value from another's.
void put(std::string& out, const AttrDef& attr) {
  put(out, attr.type);
  put(out, attr.f);
  put(out, attr.i);
  put(out, attr.s);
  put(out, attr.tensor.get());
  put(out, attr.value_type.get());
  put(out, attr.floats.size());
  for (float f : attr.floats) put(out, f);
  put(out, attr.ints.size());
  for (std::int64_t i : attr.ints) put(out, i);
  put(out, attr.strings.size());
  for (std::string_view s : attr.strings) put(out, s);
}

/// A function's nodes with the values of one kind of call in them.
class Binder {
 public:
  Binder(Bound attributes, std::set<std::string_view> absent)
      : attributes_(std::move(attributes)), absent_(std::move(absent)) {}

  void bind(std::vector<NodeDef>& nodes) const {
    for (NodeDef& node : nodes) {
      for (std::string_view& input : node.inputs) {
        if (absent_.contains(input)) input = {};
      }
      std::vector<AttrDef> attributes;
      for (AttrDef& attr : node.attributes) {
        if (attr.ref.empty()) {
          if (attr.graph) attr.graph = bound(*attr.graph);
          attributes.push_back(std::move(attr));
          continue;
        }
        // What the call does not give, the node does not have.
        const auto given = attributes_.find(attr.ref);
        if (given == attributes_.end()) continue;
        AttrDef& taken = attributes.emplace_back(*given->second);
        taken.name = attr.name;
      }
      node.attributes = std::move(attributes);
    }
  }

 private:
  std::shared_ptr<const GraphDef> bound(const GraphDef& graph) const {
    auto out = std::make_shared<GraphDef>(graph);
    bind(out->nodes);
    return out;
  }

  Bound attributes_;
  std::set<std::string_view> absent_;
};

/// The attributes of one call: its own, then the function's defaults.
Result<Bound> bound_attributes(const NodeDef& node, const FunctionDef& function) {
  Bound out;
  for (const AttrDef& attr : node.attributes) {
    const auto& names = function.attributes;
    const bool known = std::find(names.begin(), names.end(), attr.name) != names.end() ||
                       std::any_of(function.defaults.begin(), function.defaults.end(),
                                   [&](const AttrDef& other) { return other.name == attr.name; });
    const std::string label = node_label(node) + "attribute '" + printable(attr.name) + "' ";
    if (!known) return Error::invalid(label + "is none that its function has");
    if (!attr.ref.empty()) return Error::invalid(label + "refers to an attribute of no function");
    if (attr.graph) return Error::unsupported(label + "is a graph that a function is to run");
    if (!out.emplace(attr.name, &attr).second) return Error::invalid(label + "appears twice");
  }
  for (const AttrDef& attr : function.defaults) out.emplace(attr.name, &attr);
  return out;
}

/// A call on its way into the graph.
class Call {
 public:
  Call(GraphImporter& in, const NodeDef& node, const FunctionDef& function)
      : in_(in), node_(node), function_(function) {}

  Status run() {
    if (Status s = check(); !s) return s;
    if (Status s = resolve_inputs(); !s) return s;
    auto body = find_body();
    if (!body) return body.error();
    return add(body.take());
  }

 private:
  using Types = std::vector<std::optional<TensorType>>;

  Status check() const {
    const auto& calls = in_.file().calls;
    const bool open = std::any_of(calls.begin(), calls.end(), [&](const FunctionDef* other) {
      return other->name == function_.name && other->domain == function_.domain &&
             other->overload == function_.overload;
    });
    const std::string name = "function '" + full_name(function_) + "' ";
    if (open) return Error::invalid(node_label(node_) + name + "calls itself");
    if (in_.depth() >= kGraphDepthMax) {
      return Error::invalid(node_label(node_) + name + "is nested deeper than " +
                            std::to_string(kGraphDepthMax));
    }
    if (node_.inputs.size() > function_.inputs.size()) {
      return Error::invalid(node_label(node_) + "inputs, got " +
                            std::to_string(node_.inputs.size()) + ", wanted at most " +
                            std::to_string(function_.inputs.size()));
    }
    if (node_.outputs.empty() || node_.outputs.size() > function_.outputs.size()) {
      return Error::invalid(node_label(node_) + "outputs, got " +
                            std::to_string(node_.outputs.size()) + ", wanted 1 to " +
                            std::to_string(function_.outputs.size()));
    }
    return Status::success();
  }

  Status resolve_inputs() {
    for (std::size_t i = 0; i < function_.inputs.size(); ++i) {
      const std::string_view name = i < node_.inputs.size() ? node_.inputs[i] : "";
      if (name.empty()) {
        absent_.insert(function_.inputs[i]);
        continue;
      }
      const ValueId value = in_.resolve(name);
      if (!value.valid()) {
        return Error::invalid(node_label(node_) + "input '" + printable(name) + "' is never made");
      }
      operands_.push_back(value);
      given_.push_back({});
      given_.back().name = function_.inputs[i];
      types_.push_back(known_type(value));
    }
    return Status::success();
  }

  /// Element type and rank, which the function may need to be read.
  std::optional<TensorType> known_type(ValueId value) const {
    const TensorType& type = in_.graph().value(value).type;
    if (!in_.has_type(value) || has_any_rank(type.shape) || !type.encoding.is_plain()) {
      return std::nullopt;
    }
    return TensorType{type.dtype, Shape::filled(type.shape.rank(), kUnknownDim), {}, type.kind};
  }

  std::string key(const Bound& attributes, const Types& types) const {
    std::string out;
    put(out, function_.domain);
    put(out, function_.name);
    put(out, function_.overload);
    for (const ValueDef& input : given_) put(out, input.name);
    for (const auto& type : types) put(out, type ? std::string_view(type->to_string()) : "");
    for (const auto& [name, attr] : attributes) {
      put(out, name);
      put(out, *attr);
    }
    return out;
  }

  // Only old forms of ops need to know ranks to be read; a body that does without serves all calls.
  Result<std::shared_ptr<Graph>> find_body() {
    const auto attributes = bound_attributes(node_, function_);
    if (!attributes) return attributes.error();
    const bool typed = std::any_of(types_.begin(), types_.end(), [](const auto& t) { return !!t; });
    auto body = body_for(*attributes, Types(types_.size()));
    return body || !typed ? body : body_for(*attributes, types_);
  }

  Result<std::shared_ptr<Graph>> body_for(const Bound& attributes, const Types& types) {
    FileContext& file = in_.file();
    const std::string name = key(attributes, types);
    if (const auto at = file.functions.find(name); at != file.functions.end()) {
      if (at->second.refused) return *at->second.refused;
      if (auto graph = at->second.graph.lock()) {
        file.nodes += at->second.nodes;
        return graph;
      }
    }
    const std::int64_t before = file.nodes;
    auto graph = import_body(attributes, types);
    ImportedFunction& imported = file.functions[name];
    if (!graph) {
      imported.refused = graph.error();
      return graph.error();
    }
    auto shared = std::make_shared<Graph>(graph.take());
    imported.graph = shared;
    imported.nodes = file.nodes - before;
    return shared;
  }

  Result<Graph> import_body(const Bound& attributes, const Types& types) {
    GraphDef body;
    body.name = function_.name;
    body.nodes = function_.nodes;
    body.inputs = given_;
    for (std::string_view output : function_.outputs) {
      body.outputs.emplace_back().name = output;
    }
    Binder(attributes, absent_).bind(body.nodes);
    FileContext& file = in_.file();
    file.calls.push_back(&function_);
    GraphImporter inner(file, function_.opsets, in_.depth() + 1);
    auto graph = inner.import_function(body, types);
    file.calls.pop_back();
    if (!graph) return graph.error().with_context("in function '" + full_name(function_) + "'");
    return graph;
  }

  Status add(std::shared_ptr<Graph> body) {
    const OpDef* op = in_.file().ops.find("Call", "polaris");
    if (op == nullptr) return Error::unsupported(node_label(node_) + "functions need polaris.Call");
    const std::string_view name = node_.name.empty() ? node_.outputs[0] : node_.name;
    Graph& graph = in_.graph();
    const NodeId id = graph.add_node(op, nullptr, operands_,
                                     static_cast<int>(function_.outputs.size()), std::string(name));
    graph.node(id).subgraphs.push_back(std::move(body));
    for (std::size_t i = node_.outputs.size(); i < function_.outputs.size(); ++i) {
      graph.node(id).outputs[i] = kNoValue;
    }
    return in_.bind_outputs(id, node_);
  }

  GraphImporter& in_;
  const NodeDef& node_;
  const FunctionDef& function_;
  std::vector<ValueId> operands_;
  std::vector<ValueDef> given_;  // the function's inputs that the call gives
  Types types_;
  std::set<std::string_view> absent_;
};

}  // namespace

Status index_functions(const ModelDef& model, FunctionIndex& index) {
  for (const FunctionDef& function : model.functions) {
    if (index.try_emplace({function.domain, function.name, function.overload}, &function).second) {
      continue;
    }
    return Error::invalid("[onnx] function '" + full_name(function) + "' is defined twice");
  }
  return Status::success();
}

const FunctionDef* find_function(const FunctionIndex& index, const NodeDef& node) {
  const auto at = index.find({node.domain, node.op_type, node.overload});
  return at == index.end() ? nullptr : at->second;
}

Status call_function(GraphImporter& in, const NodeDef& node, const FunctionDef& function) {
  return Call(in, node, function).run();
}

}  // namespace polaris::onnx
