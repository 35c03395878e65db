#include "ir/text/syntax.h"

#include <utility>

#include "base/checked.h"
#include "base/strings.h"
#include "ir/nested.h"
#include "tensor/element.h"
#include "tensor/number.h"

namespace polaris {
namespace {

std::optional<std::int64_t> decode_base64(std::string_view text, std::span<std::byte> out) {
  std::uint32_t bits = 0;
  int have = 0;
  std::size_t at = 0;
  std::size_t padding = 0;
  for (char c : text) {
    std::uint32_t digit;
    if (c >= 'A' && c <= 'Z') {
      digit = static_cast<std::uint32_t>(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      digit = static_cast<std::uint32_t>(c - 'a') + 26;
    } else if (c >= '0' && c <= '9') {
      digit = static_cast<std::uint32_t>(c - '0') + 52;
    } else if (c == '+' || c == '/') {
      digit = c == '+' ? 62 : 63;
    } else if (c == '=') {
      ++padding;
      continue;
    } else {
      return std::nullopt;
    }
    if (padding > 0) return std::nullopt;
    bits = bits << 6 | digit;
    have += 6;
    if (have < 8) continue;
    have -= 8;
    if (at == out.size()) return std::nullopt;
    out[at++] = static_cast<std::byte>(bits >> have & 0xFFu);
  }
  if (padding > 2 || text.size() % 4 != 0) return std::nullopt;
  return static_cast<std::int64_t>(at);
}

/// A fixed sequence (splitmix64) for test data, so that no file needs to spell it out.
std::uint64_t random_bits(std::uint64_t& state) {
  std::uint64_t z = state += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/// Gives every element the bits of the first.
void repeat_first(Tensor& tensor) {
  const DType dtype = element_storage(tensor.type());
  auto to = tensor.mutable_bytes();
  if (is_packed(dtype)) {
    for (std::int64_t i = 1; i < tensor.elements(); ++i) {
      copy_elements(dtype, to.data(), i, to.data(), 0, 1);
    }
    return;
  }
  const auto width = static_cast<std::size_t>(width_of(dtype).raw());
  for (std::size_t i = width; i < to.size(); ++i) to[i] = to[i - width];
}

void fill_random(Tensor& tensor, std::uint64_t seed) {
  const DType dtype = tensor.dtype();
  for (std::int64_t i = 0; i < tensor.elements(); ++i) {
    const std::uint64_t bits = random_bits(seed);
    if (is_float(dtype)) {
      store_f64(dtype, tensor.mutable_bytes().data(), i,
                static_cast<double>(bits >> 40) / 0x1p23 - 1.0);
    } else {
      store_i64(dtype, tensor.mutable_bytes().data(), i,
                static_cast<std::int64_t>(dtype == DType::kBool ? bits & 1 : bits % 16) -
                    (is_signed_integer(dtype) ? 8 : 0));
    }
  }
}

}  // namespace

TextSyntax::TextSyntax(std::string_view text, const ParseOptions& options)
    : lexer_(text), constant_bytes_left_(options.constant_bytes_max) {
  if (static_cast<std::int64_t>(text.size()) > options.text_bytes_max) {
    status_ = text_error({}, "text of " + std::to_string(text.size()) + " bytes, wanted at most " +
                                 std::to_string(options.text_bytes_max));
  } else {
    next();
  }
}

void TextSyntax::next() {
  if (!status_) return;
  auto token = lexer_.next();
  if (token) {
    token_ = token.take();
  } else {
    status_ = token.error();
    token_ = TextToken{TextToken::Kind::kEnd, "", lexer_.place()};
  }
}

bool TextSyntax::is(std::string_view text) const {
  return (token_.kind == TextToken::Kind::kWord || token_.kind == TextToken::Kind::kMark) &&
         token_.text == text;
}

bool TextSyntax::accept(std::string_view text) {
  if (!is(text)) return false;
  next();
  return true;
}

Status TextSyntax::expect(std::string_view text) {
  if (accept(text)) return Status::success();
  return unexpected("'" + std::string(text) + "'");
}

Error TextSyntax::unexpected(std::string_view wanted) const {
  if (!status_) return status_.error();
  const std::string got =
      token_.kind == TextToken::Kind::kEnd ? "the end" : "'" + printable(token_.text) + "'";
  return text_error(token_.place, "got " + got + ", wanted " + std::string(wanted));
}

Result<std::string> TextSyntax::name() {
  if (token_.kind != TextToken::Kind::kWord && token_.kind != TextToken::Kind::kString) {
    return unexpected("a name");
  }
  std::string out = token_.text;
  next();
  return out;
}

Result<std::int64_t> TextSyntax::integer() {
  const auto value =
      token_.kind == TextToken::Kind::kNumber ? parse_i64(token_.text) : std::nullopt;
  if (!value) return unexpected("an integer");
  next();
  return *value;
}

Result<ModelText> TextSyntax::model() {
  ModelText out;
  do {
    if (!accept("state")) {
      auto graph = graph_at(0);
      if (!graph) return graph.error();
      out.graphs.push_back(graph.take());
      continue;
    }
    StateText state;
    state.value.place = token_.place;
    auto given = name();
    if (!given) return given.error();
    state.name = given.take();
    if (auto s = state_declaration(state); !s) return s.error();
    out.states.push_back(std::move(state));
  } while (!at_end());
  if (!status_) return status_.error();
  return out;
}

Result<GraphText> TextSyntax::graph_at(int depth) {
  const TextPlace place = token_.place;
  if (auto s = expect("graph"); !s) return s.error();
  std::string graph_name;
  if (!is("{")) {
    auto given = name();
    if (!given) return given.error();
    graph_name = given.take();
    if (depth > 0 && !is("{")) {
      GraphText again;
      again.name = std::move(graph_name);
      again.again = true;
      again.place = place;
      return again;
    }
  }
  auto out = body_at(depth);
  if (!out) return out;
  out->name = std::move(graph_name);
  out->place = place;
  return out;
}

Result<GraphText> TextSyntax::body_at(int depth) {
  if (depth > kGraphDepthMax) {
    return text_error(token_.place, "graphs nested deeper than " + std::to_string(kGraphDepthMax));
  }
  GraphText out;
  out.place = token_.place;
  if (auto s = expect("{"); !s) return s.error();
  while (!accept("}")) {
    if (auto s = statement(out, depth); !s) return s.error();
  }
  if (!status_) return status_.error();
  return out;
}

Status TextSyntax::statement(GraphText& graph, int depth) {
  if (accept("symbol")) return symbol(graph);
  if (accept("const")) return constant(graph);
  if (accept("state")) return state(graph);
  if (accept("output")) return output(graph);
  if (accept("input")) {
    InputText input;
    auto v = defined_value();
    if (!v) return v.error();
    input.value = v.take();
    if (auto s = expect(":"); !s) return s;
    auto t = type();
    if (!t) return t.error();
    input.type = t.take();
    graph.inputs.push_back(std::move(input));
    return Status::success();
  }
  if (accept("update")) {
    UpdateText update;
    auto v = value(false);
    if (!v) return v.error();
    update.state = v.take();
    if (auto s = expect("="); !s) return s;
    auto to = value(false);
    if (!to) return to.error();
    update.value = to.take();
    graph.updates.push_back(std::move(update));
    return Status::success();
  }
  auto parsed = node(depth);
  if (!parsed) return parsed.error();
  graph.nodes.push_back(parsed.take());
  return Status::success();
}

Status TextSyntax::symbol(GraphText& graph) {
  SymbolText out;
  out.place = token_.place;
  auto given = name();
  if (!given) return given.error();
  out.symbol.name = given.take();
  const bool bucketed = is("bucketed");
  if (bucketed || is("bounded")) {
    next();
    out.symbol.kind = bucketed ? Symbol::Kind::kBucketed : Symbol::Kind::kBounded;
    auto bound = integer();
    if (!bound) return bound.error();
    if (*bound < 0) return text_error(out.place, "a bound below 0");
    out.symbol.bound = *bound;
  }
  graph.symbols.push_back(std::move(out));
  return Status::success();
}

Status TextSyntax::constant(GraphText& graph) {
  ConstText out;
  auto v = defined_value();
  if (!v) return v.error();
  out.value = v.take();
  if (patterns_ && !is(":")) {
    out.any = true;
    graph.constants.push_back(std::move(out));
    return Status::success();
  }
  if (auto s = expect(":"); !s) return s;
  auto t = type();
  if (!t) return t.error();
  out.type = t.take();
  if (auto s = expect("="); !s) return s;
  if (accept("elided")) {
    if (token_.kind == TextToken::Kind::kString) next();
  } else {
    auto data = constant_data(out.type.type);
    if (!data) return data.error();
    out.constant = data.take();
  }
  if (accept("weight")) {
    auto weight = name();
    if (!weight) return weight.error();
    out.weight = weight.take();
  }
  graph.constants.push_back(std::move(out));
  return Status::success();
}

Status TextSyntax::state_declaration(StateText& state) {
  if (auto s = expect(":"); !s) return s;
  auto t = type();
  if (!t) return t.error();
  state.type = t.take();
  state.paged = accept("paged");
  if (!accept("=")) return Status::success();
  auto data = constant_data(state.type.type);
  if (!data) return data.error();
  state.initial = data.take();
  return Status::success();
}

Status TextSyntax::state(GraphText& graph) {
  StateText out;
  auto v = defined_value();
  if (!v) return v.error();
  out.value = v.take();
  if (auto s = state_declaration(out); !s) return s;
  if (accept("named")) {
    auto given = name();
    if (!given) return given.error();
    out.name = given.take();
  }
  graph.states.push_back(std::move(out));
  return Status::success();
}

Status TextSyntax::output(GraphText& graph) {
  OutputText out;
  auto v = value(false);
  if (!v) return v.error();
  out.value = v.take();
  if (token_.kind == TextToken::Kind::kString) {
    out.name = token_.text;
    next();
  }
  graph.outputs.push_back(std::move(out));
  return Status::success();
}

bool TextSyntax::is_literal_argument() const {
  return patterns_ && token_.kind == TextToken::Kind::kNumber;
}

Result<ValueText> TextSyntax::value(bool may_be_absent) {
  ValueText out;
  out.place = token_.place;
  if (may_be_absent && is_literal_argument()) {
    out.literal = parse_f64(token_.text);
    if (!out.literal) return unexpected("a number");
    next();
    return out;
  }
  if (may_be_absent && accept("_")) {
    out.absent = true;
    return out;
  }
  if (token_.kind != TextToken::Kind::kValue) return unexpected("a value, %name");
  out.token = token_.text;
  next();
  return out;
}

Result<ValueText> TextSyntax::defined_value() {
  auto out = value(false);
  if (out && token_.kind == TextToken::Kind::kString) {
    out->name = token_.text;
    next();
  }
  return out;
}

Result<NodeText> TextSyntax::node(int depth) {
  NodeText out;
  if (token_.kind == TextToken::Kind::kValue || is("_")) {
    do {
      auto result = is("_") ? value(true) : defined_value();
      if (!result) return result.error();
      out.results.push_back(result.take());
    } while (accept(","));
    if (auto s = expect("="); !s) return s.error();
  }
  out.place = token_.place;
  if (token_.kind != TextToken::Kind::kWord) return unexpected("an operator or a statement");
  out.op = token_.text;
  next();
  if (auto s = arguments(out); !s) return s.error();
  if (auto s = node_tail(out, depth); !s) return s.error();
  return out;
}

Status TextSyntax::arguments(NodeText& node) {
  if (auto s = expect("("); !s) return s;
  if (accept(")")) return Status::success();
  do {
    if (token_.kind == TextToken::Kind::kValue || is("_") || is_literal_argument()) {
      if (!node.attrs.empty()) return unexpected("an attribute: values come first");
      auto arg = value(true);
      if (!arg) return arg.error();
      node.args.push_back(arg.take());
      continue;
    }
    AttrText attr;
    attr.place = token_.place;
    auto given = name();
    if (!given) return given.error();
    attr.name = given.take();
    if (auto s = expect("="); !s) return s;
    auto parsed = literal();
    if (!parsed) return parsed.error();
    attr.value = parsed.take();
    node.attrs.push_back(std::move(attr));
  } while (accept(","));
  return expect(")");
}

Status TextSyntax::node_tail(NodeText& node, int depth) {
  if (accept(":")) {
    do {
      std::optional<TypeText> slot;
      if (!accept("_")) {
        auto t = type();
        if (!t) return t.error();
        slot = t.take();
      }
      node.types.push_back(std::move(slot));
    } while (accept(","));
    if (node.types.size() != node.results.size()) {
      return text_error(node.place, "got " + std::to_string(node.types.size()) + " types for " +
                                        std::to_string(node.results.size()) + " results");
    }
  }
  if (accept("as")) {
    auto given = name();
    if (!given) return given.error();
    node.name = given.take();
  }
  while (is("graph")) {
    auto sub = graph_at(depth + 1);
    if (!sub) return sub.error();
    node.subgraphs.push_back(sub.take());
  }
  return Status::success();
}

Result<TypeText> TextSyntax::type() {
  if (is("seq") || is("opt")) return type_around();
  TypeText out;
  out.place = token_.place;
  const auto dtype =
      token_.kind == TextToken::Kind::kWord ? dtype_from_name(token_.text) : std::nullopt;
  if (!dtype) return unexpected("a type such as float32[2, 3]");
  next();
  out.type.dtype = *dtype;
  if (auto s = dims(out); !s) return s.error();
  if (accept(":")) {
    if (auto s = encoding(out); !s) return s.error();
  }
  return out;
}

/// seq(tensor), opt(tensor) or opt(seq(tensor)).
Result<TypeText> TextSyntax::type_around() {
  const TextPlace place = token_.place;
  const bool sequence = is("seq");
  next();
  if (auto s = expect("("); !s) return s.error();
  const bool inner = is("seq") && !sequence;
  if ((is("seq") || is("opt")) && !inner) {
    return text_error(token_.place, "a type in a sequence or an optional, wanted a tensor" +
                                        std::string(sequence ? "" : " or a sequence of them"));
  }
  auto out = type();
  if (!out) return out;
  if (!out->type.encoding.is_plain())
    return text_error(place, "only plain tensors stand in others");
  out->place = place;
  out->type.kind = sequence ? ValueKind::kSequence
                   : inner  ? ValueKind::kOptionalSequence
                            : ValueKind::kOptional;
  if (auto s = expect(")"); !s) return s.error();
  return out;
}

Status TextSyntax::dims(TypeText& type) {
  if (auto s = expect("["); !s) return s;
  if (accept("]")) return Status::success();
  do {
    std::int64_t dim = kUnknownDim;
    std::string symbol_name;
    if (token_.kind == TextToken::Kind::kNumber) {
      const TextPlace place = token_.place;
      auto size = integer();
      if (!size) return size.error();
      if (*size < 0) return text_error(place, "a dim below 0");
      dim = *size;
    } else if (!accept("?")) {
      auto given = name();
      if (!given) return given.error();
      symbol_name = given.take();
    }
    if (!type.type.shape.push_back(dim)) {
      return text_error(type.place, "more than " + std::to_string(kMaxRank) + " dims");
    }
    type.symbols.push_back(std::move(symbol_name));
  } while (accept(","));
  return expect("]");
}

Status TextSyntax::encoding(TypeText& type) {
  if (token_.kind != TextToken::Kind::kWord) return unexpected("an encoding");
  if (const auto format = block_format_from_name(token_.text)) {
    next();
    type.type.encoding = Encoding::of(*format);
    return Status::success();
  }
  if (!accept("affine")) return unexpected("affine or a block format");
  type.type.encoding.kind = Encoding::Kind::kAffine;
  if (auto s = expect("("); !s) return s;
  const auto storage =
      token_.kind == TextToken::Kind::kWord ? dtype_from_name(token_.text) : std::nullopt;
  if (!storage) return unexpected("the stored type");
  next();
  type.type.encoding.storage = *storage;
  while (accept(",")) {
    const bool axis = is("axis");
    if (!axis && !is("block")) return unexpected("axis or block");
    next();
    const TextPlace place = token_.place;
    auto number = integer();
    if (!number) return number.error();
    if (*number < 0 || *number > (axis ? kMaxRank - 1 : INT32_MAX)) {
      return text_error(place, "a number out of range");
    }
    if (axis) {
      type.type.encoding.axis = static_cast<std::int8_t>(*number);
    } else {
      type.type.encoding.block = static_cast<std::int32_t>(*number);
    }
  }
  return expect(")");
}

Result<std::shared_ptr<Constant>> TextSyntax::constant_data(const TensorType& type) {
  auto out = std::make_shared<Constant>();
  auto data = tensor(type);
  if (!data) return data.error();
  out->data = data.take();
  for (const bool scale : {true, false}) {
    if (!accept(scale ? "scale" : "zero_point")) continue;
    auto part = typed_tensor();
    if (!part) return part.error();
    (scale ? out->scale : out->zero_point) = part.take();
  }
  return out;
}

Result<Tensor> TextSyntax::typed_tensor() {
  const TextPlace place = token_.place;
  auto t = type();
  if (!t) return t.error();
  if (!t->type.shape.is_static()) return text_error(place, "a tensor needs fixed dims");
  return tensor(t->type);
}

/// A list, or one string for every element.
Result<Tensor> TextSyntax::strings(const TensorType& type) {
  const TextPlace place = token_.place;
  const auto count = type.shape.checked_elements();
  if (!count || !type.encoding.is_plain()) {
    return text_error(place, "a constant of type " + type.to_string() + " has no fixed size");
  }
  const auto places = bytes_of(DType::kI64, *count);
  std::vector<std::string> given;
  std::int64_t characters = 0;
  const bool list = accept("[");
  while (!(list && is("]"))) {
    if (token_.kind != TextToken::Kind::kString) return unexpected("a string in quotes");
    characters += static_cast<std::int64_t>(token_.text.size());
    given.push_back(token_.text);
    next();
    if (!list || !accept(",")) break;
  }
  if (list) {
    if (auto s = expect("]"); !s) return s.error();
  }
  const bool one_for_all = !list && *count > 0;
  if (!one_for_all && std::cmp_not_equal(given.size(), *count)) {
    return text_error(place, "got " + std::to_string(given.size()) + " strings, wanted " +
                                 std::to_string(*count));
  }
  const auto all = one_for_all ? checked_mul(*count, characters) : std::optional(characters);
  const auto bytes = all && places ? checked_add(*all, *places) : std::nullopt;
  if (!bytes || *bytes > constant_bytes_left_) {
    return text_error(place, "a constant of type " + type.to_string() + " is too large");
  }
  constant_bytes_left_ -= *bytes;
  std::vector<std::string_view> elements(given.begin(), given.end());
  if (one_for_all) elements.assign(static_cast<std::size_t>(*count), given.front());
  return Tensor::strings(type.shape, elements);
}

Result<Tensor> TextSyntax::tensor(const TensorType& type) {
  const TextPlace place = token_.place;
  if (type.is_tensor() && type.dtype == DType::kString) return strings(type);
  const auto bytes = type.bytes();
  if (!bytes || *bytes > constant_bytes_left_) {
    return text_error(
        place, "a constant of type " + type.to_string() + " is too large or has no fixed size");
  }
  constant_bytes_left_ -= *bytes;
  auto out = Tensor::allocate(type);
  if (!out) return out.error();
  if (is("base64")) {
    if (auto s = base64(*out); !s) return s.error();
    return out;
  }
  if (type.encoding.is_block()) return unexpected("base64 data: blocks have no other form");
  const std::int64_t count = out->elements();
  if (accept("random")) {
    auto seed = integer();
    if (!seed) return seed.error();
    if (!type.encoding.is_plain()) return text_error(place, "only plain tensors can be random");
    fill_random(*out, static_cast<std::uint64_t>(*seed));
    return out;
  }
  if (!accept("[")) {
    // One number stands for every element.
    if (count == 0) return text_error(place, "an empty tensor is written []");
    if (auto s = element(*out, 0); !s) return s.error();
    repeat_first(*out);
    return out;
  }
  std::int64_t given = 0;
  if (!accept("]")) {
    do {
      if (given == count) break;
      if (auto s = element(*out, given); !s) return s.error();
      ++given;
    } while (accept(","));
    if (given < count || !is("]")) {
      return text_error(token_.place, "wanted " + std::to_string(count) + " elements");
    }
    next();
  } else if (count != 0) {
    return text_error(place, "wanted " + std::to_string(count) + " elements");
  }
  return out;
}

Status TextSyntax::element(Tensor& tensor, std::int64_t index) {
  const DType dtype = element_storage(tensor.type());
  std::byte* const to = tensor.mutable_bytes().data();
  if (dtype == DType::kBool && (is("true") || is("false"))) {
    store_i64(dtype, to, index, is("true") ? 1 : 0);
    next();
    return Status::success();
  }
  if (token_.kind != TextToken::Kind::kNumber && token_.kind != TextToken::Kind::kWord) {
    return unexpected("an element of type " + std::string(dtype_name(dtype)));
  }
  if (is_float(dtype)) {
    const auto value = parse_f64(token_.text);
    if (!value) return unexpected("a number");
    if (!store_number(dtype, to, index, *value)) {
      return unexpected("a number that fits " + std::string(dtype_name(dtype)));
    }
  } else if (dtype == DType::kU64) {
    const auto value = parse_u64(token_.text);
    if (!value) return unexpected("a uint64");
    store_number(dtype, to, index, *value);
  } else {
    const auto value = parse_i64(token_.text);
    if (!value) return unexpected("an integer");
    if (!store_number(dtype, to, index, *value)) {
      return unexpected("a number that fits " + std::string(dtype_name(dtype)));
    }
  }
  next();
  return Status::success();
}

Status TextSyntax::base64(Tensor& tensor) {
  const TextPlace place = token_.place;
  auto raw = lexer_.raw_string();
  if (!raw) return raw.error();
  const auto got = decode_base64(*raw, tensor.mutable_bytes());
  if (!tensor.type().encoding.is_block()) {
    clear_padding(element_storage(tensor.type()), tensor.mutable_bytes().data(), tensor.elements());
  }
  if (!got || *got != static_cast<std::int64_t>(tensor.bytes().size())) {
    return text_error(place,
                      "wanted base64 data of " + std::to_string(tensor.bytes().size()) + " bytes");
  }
  next();
  return Status::success();
}

Result<AttrLiteral> TextSyntax::literal() {
  using Kind = AttrLiteral::Kind;
  AttrLiteral out;
  if (accept("[")) return list();
  if (is("true") || is("false")) {
    out.kind = Kind::kBool;
    out.integer = is("true") ? 1 : 0;
  } else if (accept("tensor")) {
    out.kind = Kind::kTensor;
    auto parsed = typed_tensor();
    if (!parsed) return parsed.error();
    out.tensor = parsed.take();
    return out;
  } else if (token_.kind == TextToken::Kind::kVariable) {
    out.kind = Kind::kVariable;
    out.text = token_.text;
  } else if (token_.kind == TextToken::Kind::kString) {
    out.kind = Kind::kString;
    out.text = token_.text;
  } else if (token_.kind == TextToken::Kind::kNumber || is("inf") || is("nan")) {
    const auto whole = parse_i64(token_.text);
    const auto real = parse_f64(token_.text);
    if (!real) return unexpected("a number");
    out.kind = whole ? Kind::kInt : Kind::kFloat;
    out.integer = whole.value_or(0);
    out.real = *real;
  } else if (token_.kind == TextToken::Kind::kWord) {
    out.kind = Kind::kWord;
    out.text = token_.text;
  } else {
    return unexpected("an attribute's value");
  }
  next();
  return out;
}

Result<AttrLiteral> TextSyntax::list() {
  using Kind = AttrLiteral::Kind;
  AttrLiteral out;
  out.kind = Kind::kEmpty;
  if (accept("]")) return out;
  do {
    const TextPlace place = token_.place;
    if (token_.kind == TextToken::Kind::kString) {
      if (out.kind != Kind::kEmpty && out.kind != Kind::kStrings) {
        return text_error(place, "a list holds numbers or strings");
      }
      out.kind = Kind::kStrings;
      out.strings.push_back(token_.text);
      next();
      continue;
    }
    const auto real = parse_f64(token_.text);
    if (token_.kind == TextToken::Kind::kVariable || !real) return unexpected("a number");
    if (out.kind == Kind::kStrings) return text_error(place, "a list holds numbers or strings");
    const auto whole = parse_i64(token_.text);
    out.kind = whole && out.kind != Kind::kFloats ? Kind::kInts : Kind::kFloats;
    out.integers.push_back(whole.value_or(0));
    out.reals.push_back(*real);
    next();
  } while (accept(","));
  if (auto s = expect("]"); !s) return s.error();
  return out;
}

}  // namespace polaris
