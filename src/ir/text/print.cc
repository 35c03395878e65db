#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/strings.h"
#include "ir/control.h"
#include "ir/text/build.h"
#include "ir/text/lexer.h"
#include "ir/text/model_text.h"
#include "ir/text/text.h"
#include "tensor/element.h"

namespace polaris {
namespace {

std::string encode_base64(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t k) {
      return i + k < bytes.size() ? static_cast<std::uint32_t>(bytes[i + k]) : 0u;
    };
    const std::uint32_t bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    out += kDigits[bits >> 18];
    out += kDigits[bits >> 12 & 63];
    out += i + 1 < bytes.size() ? kDigits[bits >> 6 & 63] : '=';
    out += i + 2 < bytes.size() ? kDigits[bits & 63] : '=';
  }
  return out;
}

std::string word_or_quoted(std::string_view name) {
  return is_bare_word(name) ? std::string(name) : quote_text(name);
}

/// A float that cannot be taken for an integer.
std::string real_literal(float value) {
  std::string out = format_f32(value);
  if (out.find_first_of(".eEn") == std::string::npos) out += ".0";
  return out;
}

std::string element_text(const Tensor& tensor, std::int64_t index) {
  const DType dtype = element_storage(tensor.type());
  if (dtype == DType::kString) return quote_text(tensor.string(index));
  const std::byte* data = tensor.bytes().data();
  // A power of two that is spelled short of its last bit would be rounded up.
  if (dtype == DType::kF64 || dtype == DType::kF8E8M0) {
    return format_f64(load_f64(dtype, data, index));
  }
  if (is_float(dtype)) return format_f32(static_cast<float>(load_f64(dtype, data, index)));
  const std::int64_t v = load_i64(dtype, data, index);
  if (dtype == DType::kU64) return std::to_string(static_cast<std::uint64_t>(v));
  if (dtype == DType::kBool) return v != 0 ? "true" : "false";
  return std::to_string(v);
}

/// Whether element_text keeps every bit: not where the sign or payload of a NaN would be lost.
bool spells_exactly(DType dtype, const Tensor& tensor, std::int64_t count) {
  if (!is_float(dtype)) return true;
  for (std::int64_t i = 0; i < count; ++i) {
    if (std::isnan(load_f64(dtype, tensor.bytes().data(), i))) return false;
  }
  return true;
}

/// Whether there are several elements and all are the same, bit for bit.
bool all_equal(DType dtype, std::span<const std::byte> bytes, std::int64_t count) {
  if (count < 2 || dtype == DType::kString) return false;
  if (is_packed(dtype)) {
    const std::uint8_t first = load_code(dtype, bytes.data(), 0);
    for (std::int64_t i = 1; i < count; ++i) {
      if (load_code(dtype, bytes.data(), i) != first) return false;
    }
    return true;
  }
  const auto width = static_cast<std::size_t>(width_of(dtype).raw());
  return equal_bytes(bytes.data(), bytes.data() + width, bytes.size() - width);
}

/// Data after a type: a list, one number for all, base64, or (only where `may_elide`) elided.
std::string data_text(const Tensor& tensor, const PrintOptions& options, bool may_elide) {
  const TensorType& type = tensor.type();
  const std::int64_t count = type.shape.elements();
  const DType dtype = element_storage(type);
  const bool spelled = !type.encoding.is_block() && spells_exactly(dtype, tensor, count);
  if (spelled && count > 0) {
    if (count > 1 ? all_equal(dtype, tensor.bytes(), count) : type.shape.empty()) {
      return element_text(tensor, 0);
    }
  }
  const bool small = count <= options.inline_elements_max;
  const bool elide = may_elide && !small && options.constants == PrintOptions::Constants::kElide;
  // Strings have no other form.
  if (spelled && (small || (dtype == DType::kString && !elide))) {
    std::string out = "[";
    for (std::int64_t i = 0; i < count; ++i) {
      if (i > 0) out += ", ";
      out += element_text(tensor, i);
    }
    return out + "]";
  }
  if (elide) {
    return "elided \"" + hash_bytes(tensor.bytes()).hex() + "\"";
  }
  return "base64 \"" + encode_base64(tensor.bytes()) + "\"";
}

std::string type_text(const TensorType& type, const std::deque<Symbol>& symbols) {
  switch (type.kind) {
    case ValueKind::kTensor: break;
    case ValueKind::kSequence:
      return "seq(" + type_text(type.as(ValueKind::kTensor), symbols) + ")";
    case ValueKind::kOptional:
      return "opt(" + type_text(type.as(ValueKind::kTensor), symbols) + ")";
    case ValueKind::kOptionalSequence:
      return "opt(" + type_text(type.as(ValueKind::kSequence), symbols) + ")";
  }
  std::string out(dtype_name(type.dtype));
  out += '[';
  for (int i = 0; i < type.shape.rank(); ++i) {
    const std::int64_t dim = type.shape[i];
    if (i > 0) out += ", ";
    if (is_static_dim(dim)) {
      out += std::to_string(dim);
    } else if (is_symbol_dim(dim) && symbol_of(dim) < static_cast<std::int64_t>(symbols.size())) {
      out += word_or_quoted(symbols[static_cast<std::size_t>(symbol_of(dim))].name);
    } else {
      out += '?';
    }
  }
  out += ']';
  if (type.encoding.is_plain()) return out;
  // to_string ends with the encoding in the very syntax of the text form.
  TensorType bare = type;
  bare.shape = {};
  const std::string tail = bare.to_string();
  return out + tail.substr(tail.find(':'));
}

/// Collects the printed form of every attribute.
class AttrPrinter final : public AttrReader {
 public:
  explicit AttrPrinter(const PrintOptions& options) : options_(options) {}
  std::vector<std::pair<std::string, std::string>> fields;

  void field(std::string_view name, const std::int64_t& v) override {
    add(name, std::to_string(v));
  }
  void field(std::string_view name, const float& v) override { add(name, real_literal(v)); }
  void field(std::string_view name, const bool& v) override { add(name, v ? "true" : "false"); }
  void field(std::string_view name, const std::string& v) override { add(name, quote_text(v)); }
  void field(std::string_view name, const DType& v) override {
    add(name, std::string(dtype_name(v)));
  }
  void field(std::string_view name, const Tensor& v) override {
    if (!v) return;
    add(name, "tensor " + type_text(v.type(), {}) + " " + data_text(v, options_, false));
  }
  void field(std::string_view name, const std::vector<std::int64_t>& v) override {
    add_list(name, v, [](std::int64_t x) { return std::to_string(x); });
  }
  void field(std::string_view name, const std::vector<float>& v) override {
    add_list(name, v, real_literal);
  }
  void field(std::string_view name, const std::vector<std::string>& v) override {
    add_list(name, v, quote_text);
  }

 private:
  void add(std::string_view name, std::string text) {
    fields.emplace_back(std::string(name), std::move(text));
  }
  template <class V, class F>
  void add_list(std::string_view name, const V& values, F&& print) {
    std::string out = "[";
    for (const auto& value : values) {
      if (out.size() > 1) out += ", ";
      out += print(value);
    }
    add(name, out + "]");
  }
  const PrintOptions& options_;
};

/// What a state's declaration says after its type.
std::string state_tail(const State& state, const PrintOptions& options) {
  std::string out = state.paged ? " paged" : "";
  if (state.initial) out += " = " + data_text(state.initial->data, options, false);
  return out;
}

/// Names of called graphs, by which later calls of one name it.
class CalledNames {
 public:
  /// The name, and whether the graph has it already. `wanted` where it is free.
  std::pair<std::string, bool> name(const Graph& graph, const std::string& wanted) {
    const auto [at, fresh] = names_.try_emplace(&graph, wanted);
    for (std::int64_t n = 2; fresh && !used_.insert(at->second).second; ++n) {
      at->second = (wanted.empty() ? "called" : wanted) + "_" + std::to_string(n);
    }
    return {at->second, !fresh};
  }

 private:
  std::map<const Graph*, std::string> names_;
  std::set<std::string> used_;
};

class Printer {
 public:
  /// `declared`: what states are stands above the graph.
  Printer(const Graph& graph, const PrintOptions& options, CalledNames& called, int depth,
          bool declared = false)
      : graph_(graph),
        options_(options),
        called_(called),
        indent_(static_cast<std::size_t>(depth) * 2 + 2, ' '),
        declared_(declared) {}

  /// The `{ ... }` of the graph; `inherited` symbols are not declared again.
  std::string body(std::size_t inherited, int depth);

 private:
  const std::string& token(ValueId id);
  std::string defined(ValueId id);
  std::string read(ValueId id) { return id.valid() ? "%" + token(id) : "_"; }
  void print_constant(ValueId id);
  void print_constants();
  void print_state(const StateUse& use);
  void print_node(const Node& node, int depth);
  std::string attributes(const Node& node);
  std::string node_types(const Node& node);
  void line(const std::string& text) { out_ += indent_ + text + "\n"; }

  const Graph& graph_;
  const PrintOptions& options_;
  CalledNames& called_;
  std::string indent_;
  bool declared_;
  std::string out_;
  std::map<ValueId, std::string> tokens_;
  std::set<std::string, std::less<>> used_;
  std::map<std::string, std::int64_t> numbered_;  // last number given, by what stands before it
  std::set<ValueId> printed_constants_;
};

const std::string& Printer::token(ValueId id) {
  const auto [at, fresh] = tokens_.try_emplace(id);
  if (!fresh) return at->second;
  std::string name = graph_.value(id).name;
  constexpr std::size_t kNameBytesMax = 4096;
  if (name.empty() || name.size() > kNameBytesMax || used_.contains(name)) {
    // Numbered in printing order, so that equal graphs print alike whatever their ids.
    const std::string base = is_bare_value_name(name) ? name + "_" : "v";
    std::int64_t& number = numbered_[base];
    do {
      name = base + std::to_string(++number);
    } while (used_.contains(name));
  }
  used_.insert(name);
  at->second = is_bare_value_name(name) ? name : quote_text(name);
  return at->second;
}

std::string Printer::defined(ValueId id) {
  const std::string& name = graph_.value(id).name;
  const std::string shown = "%" + token(id);
  if (token(id) == name || token(id) == quote_text(name)) return shown;
  return shown + " " + quote_text(name);
}

void Printer::print_constant(ValueId id) {
  const Value& value = graph_.value(id);
  if (!value.constant || !printed_constants_.insert(id).second) return;
  const Constant& constant = *value.constant;
  std::string text = "const " + defined(id) + " : " + type_text(value.type, graph_.symbols()) +
                     " = " + data_text(constant.data, options_, true);
  const bool elided = text.find(" = elided \"") != std::string::npos;
  if (!elided && constant.scale) {
    text += " scale " + type_text(constant.scale.type(), {}) + " " +
            data_text(constant.scale, options_, false);
  }
  if (!elided && constant.zero_point) {
    text += " zero_point " + type_text(constant.zero_point.type(), {}) + " " +
            data_text(constant.zero_point, options_, false);
  }
  if (constant.name != value.name) text += " weight " + quote_text(constant.name);
  line(text);
}

void Printer::print_constants() {
  // In the order of their first use, so that equal graphs print alike whatever their ids.
  for (NodeId id : graph_.order()) {
    for (ValueId input : graph_.node(id).inputs) {
      if (input.valid()) print_constant(input);
    }
  }
  for (ValueId id : graph_.outputs()) print_constant(id);
  for (const StateUse& use : graph_.states()) print_constant(use.update);
}

std::string Printer::attributes(const Node& node) {
  if (!node.attrs) return "";
  AttrPrinter actual(options_);
  node.attrs->read(actual);
  AttrPrinter defaults(options_);
  if (node.op->make_attrs != nullptr) node.op->make_attrs()->read(defaults);
  const std::set<std::pair<std::string, std::string>> usual(defaults.fields.begin(),
                                                            defaults.fields.end());
  std::string out;
  for (const auto& field : actual.fields) {
    if (usual.contains(field)) continue;
    out += ", " + word_or_quoted(field.first) + " = " + field.second;
  }
  return out;
}

std::string Printer::node_types(const Node& node) {
  if (!options_.types || node.outputs.empty()) return "";
  std::string out = " : ";
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (i > 0) out += ", ";
    out += node.outputs[i].valid() ? type_text(graph_.value(node.outputs[i]).type, graph_.symbols())
                                   : "_";
  }
  return out;
}

void Printer::print_node(const Node& node, int depth) {
  std::string text;
  std::vector<std::string> names;
  for (ValueId id : node.outputs) {
    if (!text.empty()) text += ", ";
    text += id.valid() ? defined(id) : "_";
    names.push_back(id.valid() ? graph_.value(id).name : "");
  }
  if (!text.empty()) text += " = ";
  text += op_full_name(*node.op) + "(";
  std::string args;
  for (ValueId id : node.inputs) args += ", " + read(id);
  args += attributes(node);
  if (!args.empty()) text += args.substr(2);
  text += ")" + node_types(node);
  if (node.name != default_node_name(names)) text += " as " + word_or_quoted(node.name);
  for (const auto& sub : node.subgraphs) {
    std::string name = sub->name;
    bool again = false;
    if (node.op->is_control() && node.op->control->calls) {
      std::tie(name, again) = called_.name(*sub, name);
    }
    text += " graph" + (name.empty() ? std::string() : " " + word_or_quoted(name));
    if (again) continue;
    Printer inner(*sub, options_, called_, depth + 1);
    text += " " + inner.body(graph_.symbols().size(), depth + 1);
  }
  line(text);
}

void Printer::print_state(const StateUse& use) {
  const Value& value = graph_.value(use.read);
  std::string text = "state " + defined(use.read) + " : " + type_text(value.type, graph_.symbols());
  if (!declared_) text += state_tail(*use.state, options_);
  if (use.state->name != value.name) text += " named " + quote_text(use.state->name);
  line(text);
}

std::string Printer::body(std::size_t inherited, int depth) {
  out_ = "{\n";
  for (std::size_t i = inherited; i < graph_.symbols().size(); ++i) {
    const Symbol& symbol = graph_.symbols()[i];
    std::string text = "symbol " + word_or_quoted(symbol.name);
    if (symbol.kind != Symbol::Kind::kFree) {
      text += symbol.kind == Symbol::Kind::kBucketed ? " bucketed " : " bounded ";
      text += std::to_string(symbol.bound);
    }
    line(text);
  }
  for (ValueId id : graph_.inputs()) {
    line("input " + defined(id) + " : " + type_text(graph_.value(id).type, graph_.symbols()));
  }
  for (const StateUse& use : graph_.states()) print_state(use);
  print_constants();
  for (NodeId id : graph_.order()) print_node(graph_.node(id), depth);
  for (std::size_t i = 0; i < graph_.outputs().size(); ++i) {
    const ValueId id = graph_.outputs()[i];
    std::string text = "output " + read(id);
    if (graph_.output_names()[i] != graph_.value(id).name) {
      text += " " + quote_text(graph_.output_names()[i]);
    }
    line(text);
  }
  for (const StateUse& use : graph_.states()) {
    if (use.update != use.read) line("update " + read(use.read) + " = " + read(use.update));
  }
  return out_ + indent_.substr(2) + "}";
}

}  // namespace

std::string print_graph(const Graph& graph, const PrintOptions& options) {
  CalledNames called;
  Printer printer(graph, options, called, 0);
  const std::string name = graph.name.empty() ? "" : word_or_quoted(graph.name) + " ";
  return "graph " + name + printer.body(0, 0) + "\n";
}

std::string print_model(const Model& model, const PrintOptions& options) {
  std::string out;
  for (const auto& [name, state] : model.states) {
    out += "state " + word_or_quoted(name) + " : " + type_text(state->type, {}) +
           state_tail(*state, options) + "\n";
  }
  for (const auto& [name, graph] : model.functions) {
    CalledNames called;
    Printer printer(graph, options, called, 0, true);
    out += "graph " + word_or_quoted(name) + " " + printer.body(0, 0) + "\n";
  }
  return out;
}

}  // namespace polaris
