#include "ir/text/build.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/strings.h"
#include "ir/control.h"
#include "ir/infer.h"

namespace polaris {
namespace {

using Kind = AttrLiteral::Kind;

/// Gives every field the value written for it.
class AttrWriter final : public AttrVisitor {
 public:
  explicit AttrWriter(const std::vector<AttrText>& written) : written_(written) {}

  void field(std::string_view name, std::int64_t& v) override {
    if (const AttrText* a = take(name, {Kind::kInt}, "an integer")) v = a->value.integer;
  }
  void field(std::string_view name, float& v) override {
    if (const AttrText* a = take(name, {Kind::kInt, Kind::kFloat}, "a number")) {
      v = static_cast<float>(a->value.real);
    }
  }
  void field(std::string_view name, bool& v) override {
    if (const AttrText* a = take(name, {Kind::kBool, Kind::kInt}, "true or false")) {
      v = a->value.integer != 0;
    }
  }
  void field(std::string_view name, std::string& v) override {
    if (const AttrText* a = take(name, {Kind::kString}, "a string")) v = a->value.text;
  }
  void field(std::string_view name, DType& v) override {
    const AttrText* a = take(name, {Kind::kWord}, "a type name");
    if (a == nullptr) return;
    const auto dtype = dtype_from_name(a->value.text);
    if (dtype) {
      v = *dtype;
    } else {
      fail(*a, "a type name");
    }
  }
  void field(std::string_view name, Tensor& v) override {
    if (const AttrText* a = take(name, {Kind::kTensor}, "a tensor")) v = a->value.tensor;
  }
  void field(std::string_view name, std::vector<std::int64_t>& v) override {
    if (const AttrText* a = take(name, {Kind::kInts, Kind::kEmpty}, "a list of integers")) {
      v = a->value.integers;
    }
  }
  void field(std::string_view name, std::vector<float>& v) override {
    const AttrText* a = take(name, {Kind::kInts, Kind::kFloats, Kind::kEmpty}, "a list of numbers");
    if (a == nullptr) return;
    v.clear();
    for (double x : a->value.reals) v.push_back(static_cast<float>(x));
  }
  void field(std::string_view name, std::vector<std::string>& v) override {
    if (const AttrText* a = take(name, {Kind::kStrings, Kind::kEmpty}, "a list of strings")) {
      v = a->value.strings;
    }
  }

  std::size_t used() const { return used_; }
  const Status& status() const { return status_; }

 private:
  const AttrText* take(std::string_view name, std::initializer_list<Kind> kinds,
                       std::string_view wanted) {
    for (const AttrText& attr : written_) {
      if (attr.name != name) continue;
      ++used_;
      for (Kind kind : kinds) {
        if (attr.value.kind == kind) return &attr;
      }
      fail(attr, wanted);
      return nullptr;
    }
    return nullptr;
  }
  void fail(const AttrText& attr, std::string_view wanted) {
    if (!status_) return;
    status_ =
        text_error(attr.place, "attribute '" + attr.name + "', wanted " + std::string(wanted));
  }

  const std::vector<AttrText>& written_;
  std::size_t used_ = 0;
  Status status_;
};

std::optional<AttrValue> generic_value(const AttrLiteral& literal) {
  switch (literal.kind) {
    case Kind::kInt:
    case Kind::kBool: return literal.integer;
    case Kind::kFloat: return static_cast<float>(literal.real);
    case Kind::kWord:
    case Kind::kString: return literal.text;
    case Kind::kTensor: return literal.tensor;
    case Kind::kEmpty:
    case Kind::kInts: return literal.integers;
    case Kind::kFloats: return std::vector<float>(literal.reals.begin(), literal.reals.end());
    case Kind::kStrings: return literal.strings;
    case Kind::kVariable: break;
  }
  return std::nullopt;
}

class Builder {
 public:
  Builder(const OpSet& ops, const ParseOptions& options, const States& declared)
      : ops_(ops), options_(options), declared_(declared) {}

  Status build(const GraphText& text, Graph& graph);
  Status apply_written_types();

 private:
  struct Written {
    Graph* graph;
    ValueId value;
    TensorType type;
    TextPlace place;
  };
  using Names = std::map<std::string, ValueId, std::less<>>;

  Status build_values(const GraphText& text, Graph& graph, Names& names);
  Status build_node(const NodeText& text, Graph& graph, Names& names);
  Result<std::shared_ptr<Graph>> nested_graph(const GraphText& text, const OpDef& op,
                                              const Graph& outer);
  Result<std::shared_ptr<const Constant>> constant_of(const ConstText& text,
                                                      const TensorType& type);
  Result<std::shared_ptr<const State>> state_of(const StateText& text,
                                                const TensorType& type) const;
  static Status define(Names& names, const ValueText& value, ValueId id);
  static Result<ValueId> find(const Names& names, const ValueText& value);
  static Result<TensorType> resolve(const TypeText& text, const Graph& graph);

  const OpSet& ops_;
  const ParseOptions& options_;
  const States& declared_;
  std::vector<Written> written_;
  std::map<std::string, std::weak_ptr<Graph>, std::less<>> called_;  // the last of each name
};

std::string real_name(const ValueText& value) { return value.name.value_or(value.token); }

Status Builder::define(Names& names, const ValueText& value, ValueId id) {
  if (names.emplace(value.token, id).second) return Status::success();
  return text_error(value.place, "%" + printable(value.token) + " is defined twice");
}

Result<ValueId> Builder::find(const Names& names, const ValueText& value) {
  if (value.absent) return kNoValue;
  const auto found = names.find(value.token);
  if (found != names.end()) return found->second;
  return text_error(value.place, "%" + printable(value.token) + " is not defined before this");
}

Result<TensorType> Builder::resolve(const TypeText& text, const Graph& graph) {
  TensorType type = text.type;
  for (int i = 0; i < type.shape.rank(); ++i) {
    const std::string& name = text.symbols[static_cast<std::size_t>(i)];
    if (name.empty()) continue;
    const auto id = graph.find_symbol(name);
    if (!id) return text_error(text.place, "symbol '" + printable(name) + "' is not declared");
    type.shape[i] = symbol_dim(*id);
  }
  return type;
}

Result<std::shared_ptr<const Constant>> Builder::constant_of(const ConstText& text,
                                                             const TensorType& type) {
  const std::string name = text.weight.value_or(real_name(text.value));
  if (!text.constant) {
    auto found = options_.resolve ? options_.resolve(name, type) : nullptr;
    if (!found || found->data.type() != type) {
      return text_error(text.value.place, "the data of constant '" + printable(name) +
                                              "' is elided and was not handed in");
    }
    return found;
  }
  text.constant->name = name;
  return std::shared_ptr<const Constant>(text.constant);
}

Result<std::shared_ptr<const State>> Builder::state_of(const StateText& text,
                                                       const TensorType& type) const {
  auto state = std::make_shared<State>();
  state->name = text.name.value_or(real_name(text.value));
  state->type = state_type(type);
  state->paged = text.paged;
  if (text.initial) text.initial->name = state->name;
  state->initial = text.initial;
  const auto found = declared_.find(state->name);
  if (found == declared_.end()) return std::shared_ptr<const State>(std::move(state));
  // A graph need not say again what the declaration says, but must not say otherwise.
  if (!state->initial) state->initial = found->second->initial;
  state->paged = state->paged || found->second->paged;
  if (auto s = check_same_state(*found->second, *state); !s) {
    return text_error(text.value.place, s.error().message());
  }
  return found->second;
}

Status Builder::build_values(const GraphText& text, Graph& graph, Names& names) {
  for (const InputText& input : text.inputs) {
    auto type = resolve(input.type, graph);
    if (!type) return type.error();
    const ValueId id = graph.add_input(real_name(input.value), *type);
    if (auto s = define(names, input.value, id); !s) return s;
  }
  for (const StateText& state : text.states) {
    auto type = resolve(state.type, graph);
    if (!type) return type.error();
    auto held = state_of(state, *type);
    if (!held) return held.error();
    const ValueId id = graph.add_state(held.take(), real_name(state.value), *type);
    if (auto s = define(names, state.value, id); !s) return s;
  }
  for (const ConstText& constant : text.constants) {
    auto type = resolve(constant.type, graph);
    if (!type) return type.error();
    auto data = constant_of(constant, *type);
    if (!data) return data.error();
    const ValueId id = graph.add_constant(data.take());
    graph.value(id).name = real_name(constant.value);
    if (auto s = define(names, constant.value, id); !s) return s;
  }
  return Status::success();
}

Status Builder::build_node(const NodeText& text, Graph& graph, Names& names) {
  const OpDef* op = ops_.find_full(text.op);
  if (op == nullptr) return text_error(text.place, "no operator " + printable(text.op));
  std::vector<ValueId> inputs;
  for (const ValueText& arg : text.args) {
    auto id = find(names, arg);
    if (!id) return id.error();
    inputs.push_back(*id);
  }
  std::unique_ptr<Attrs> attrs =
      op->make_attrs != nullptr ? op->make_attrs() : std::make_unique<NoAttrs>();
  if (auto s = set_attributes(*attrs, text.attrs); !s) return s;
  std::vector<std::string> output_names;
  for (const ValueText& result : text.results) {
    output_names.push_back(result.absent ? "" : real_name(result));
  }
  const std::string node_name = text.name.value_or(default_node_name(output_names));
  const NodeId id = graph.add_node(op, std::move(attrs), std::move(inputs),
                                   static_cast<int>(text.results.size()), node_name);
  for (std::size_t i = 0; i < text.results.size(); ++i) {
    ValueId& output = graph.node(id).outputs[i];
    if (text.results[i].absent) {
      output = kNoValue;
      continue;
    }
    graph.value(output).name = output_names[i];
    if (auto s = define(names, text.results[i], output); !s) return s;
    if (text.types.empty() || !text.types[i]) continue;
    auto type = resolve(*text.types[i], graph);
    if (!type) return type.error();
    written_.push_back({&graph, output, *type, text.types[i]->place});
  }
  for (const GraphText& sub : text.subgraphs) {
    auto nested = nested_graph(sub, *op, graph);
    if (!nested) return nested.error();
    graph.node(id).subgraphs.push_back(nested.take());
  }
  return Status::success();
}

Result<std::shared_ptr<Graph>> Builder::nested_graph(const GraphText& text, const OpDef& op,
                                                     const Graph& outer) {
  const bool calls = op.is_control() && op.control->calls;
  if (text.again) {
    const auto found = called_.find(text.name);
    auto graph = found != called_.end() && calls ? found->second.lock() : nullptr;
    if (graph) return graph;
    return text_error(text.place, "graph '" + printable(text.name) +
                                      "' is called, but no call above this says what it is");
  }
  auto nested = std::make_shared<Graph>();
  nested->share_symbols(outer);
  if (auto s = build(text, *nested); !s) return s.error();
  if (calls && !text.name.empty()) called_.insert_or_assign(text.name, nested);
  return nested;
}

Status Builder::build(const GraphText& text, Graph& graph) {
  graph.name = text.name;
  std::set<std::string_view> declared;
  for (const SymbolText& symbol : text.symbols) {
    // Two bodies may each declare a symbol of theirs; it is one symbol of the whole graph.
    const std::int64_t id = graph.add_symbol(symbol.symbol);
    const Symbol& kept = graph.symbols()[static_cast<std::size_t>(id)];
    if (!declared.insert(symbol.symbol.name).second || kept.kind != symbol.symbol.kind ||
        kept.bound != symbol.symbol.bound) {
      return text_error(symbol.place,
                        "symbol '" + printable(symbol.symbol.name) + "' is declared twice");
    }
  }
  Names names;
  if (auto s = build_values(text, graph, names); !s) return s;
  for (const NodeText& node : text.nodes) {
    if (auto s = build_node(node, graph, names); !s) return s;
  }
  for (const OutputText& output : text.outputs) {
    auto id = find(names, output.value);
    if (!id) return id.error();
    graph.mark_output(*id, output.name.value_or(graph.value(*id).name));
  }
  for (const UpdateText& update : text.updates) {
    auto state = find(names, update.state);
    if (!state) return state.error();
    auto value = find(names, update.value);
    if (!value) return value.error();
    std::size_t i = 0;
    while (i < graph.states().size() && graph.states()[i].read != *state) ++i;
    if (i == graph.states().size()) {
      return text_error(update.state.place, "%" + printable(update.state.token) + " is no state");
    }
    graph.set_state_update(i, *value);
  }
  return Status::success();
}

/// What infer knows stands; where it does not know a dim, the text's word for it is taken.
Status Builder::apply_written_types() {
  for (const Written& written : written_) {
    TensorType& type = written.graph->value(written.value).type;
    bool fits = type.dtype == written.type.dtype && type.encoding == written.type.encoding &&
                type.kind == written.type.kind && type.shape.rank() == written.type.shape.rank();
    for (int i = 0; fits && i < type.shape.rank(); ++i) {
      const std::int64_t said = written.type.shape[i];
      if (is_static_dim(type.shape[i])) {
        fits = !is_static_dim(said) || said == type.shape[i];
      } else if (said != kUnknownDim) {
        type.shape[i] = said;
      }
    }
    if (!fits) {
      return text_error(written.place, "type " + written.type.to_string() +
                                           ", but the operator gives " + type.to_string());
    }
  }
  return Status::success();
}

}  // namespace

Status set_attributes(Attrs& attrs, const std::vector<AttrText>& written) {
  for (std::size_t i = 0; i < written.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (written[i].name == written[j].name) {
        return text_error(written[i].place,
                          "attribute '" + printable(written[i].name) + "' is given twice");
      }
    }
  }
  if (GenericAttrs* generic = attrs.as_generic()) {
    for (const AttrText& attr : written) {
      auto value = generic_value(attr.value);
      if (!value) return text_error(attr.place, "a variable stands only in a pattern");
      generic->values[attr.name] = std::move(*value);
    }
    return Status::success();
  }
  AttrWriter writer(written);
  attrs.visit(writer);
  if (!writer.status()) return writer.status();
  if (writer.used() == written.size()) return Status::success();
  for (const AttrText& attr : written) {
    // One attribute alone tells whether the op has its name.
    const std::vector<AttrText> one{attr};
    AttrWriter single(one);
    attrs.visit(single);
    if (single.used() == 0) {
      return text_error(attr.place, "the operator has no attribute '" + printable(attr.name) + "'");
    }
  }
  return Status::success();
}

std::string default_node_name(const std::vector<std::string>& output_names) {
  for (const std::string& name : output_names) {
    if (name.empty()) continue;
    if (output_names.size() == 1) return name;
    return name.ends_with(":0") ? name.substr(0, name.size() - 2) : name;
  }
  return "";
}

Result<Graph> build_graph(const GraphText& text, const OpSet& ops, const ParseOptions& options,
                          const States& declared) {
  Graph graph;
  Builder builder(ops, options, declared);
  if (auto s = builder.build(text, graph); !s) return s.error();
  if (auto s = infer_graph(graph); !s) return s.error();
  if (auto s = builder.apply_written_types(); !s) return s.error();
  return graph;
}

}  // namespace polaris
