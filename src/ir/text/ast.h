#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/constant.h"
#include "ir/graph.h"
#include "ir/text/lexer.h"

/// Text IR as written, before names are resolved. docs/passes.md has the grammar.
namespace polaris {

struct TypeText {
  TensorType type;                   // symbols stand as kUnknownDim
  std::vector<std::string> symbols;  // one per dim; "" where the dim is a size or `?`
  TextPlace place;
};

/// A value where it is defined or read; `name` is its real name where that is not the token.
struct ValueText {
  std::string token;
  std::optional<std::string> name;
  bool absent = false;            // `_`
  std::optional<double> literal;  // a number where a value stands, in patterns only
  TextPlace place;
};

struct AttrLiteral {
  enum class Kind : std::uint8_t {
    kInt,
    kFloat,
    kBool,
    kWord,
    kString,
    kTensor,
    kInts,
    kFloats,
    kStrings,
    kEmpty,
    kVariable,
  };
  Kind kind = Kind::kInt;
  std::int64_t integer = 0;  // kInt, kBool
  double real = 0;           // kFloat, and kInt widened
  std::string text;          // kWord (a dtype), kString, kVariable
  Tensor tensor;
  std::vector<std::int64_t> integers;
  std::vector<double> reals;  // kFloats, and kInts widened
  std::vector<std::string> strings;
};

struct AttrText {
  std::string name;
  AttrLiteral value;
  TextPlace place;
};

struct SymbolText {
  Symbol symbol;
  TextPlace place;
};
struct InputText {
  ValueText value;
  TypeText type;
};
struct ConstText {
  ValueText value;
  TypeText type;
  std::shared_ptr<Constant> constant;  // null: elided
  bool any = false;                    // `const %w` without more, in patterns only
  std::optional<std::string> weight;   // the constant's name where it is not the value's
};
struct StateText {
  ValueText value;
  TypeText type;
  bool paged = false;
  std::shared_ptr<Constant> initial;
  std::optional<std::string> name;  // the state's where it is not the value's
};
struct OutputText {
  ValueText value;
  std::optional<std::string> name;  // where it is not the value's
};
struct UpdateText {
  ValueText state;
  ValueText value;
};

struct GraphText;
struct NodeText {
  std::vector<ValueText> results;
  std::string op;  // full name
  std::vector<ValueText> args;
  std::vector<AttrText> attrs;
  std::vector<std::optional<TypeText>> types;  // empty, or one per result
  std::optional<std::string> name;
  std::vector<GraphText> subgraphs;
  TextPlace place;
};
struct GraphText {
  std::string name;
  bool again = false;  // `graph NAME` without more: the graph of that name above, called again
  std::vector<SymbolText> symbols;
  std::vector<InputText> inputs;
  std::vector<ConstText> constants;
  std::vector<StateText> states;
  std::vector<NodeText> nodes;
  std::vector<OutputText> outputs;
  std::vector<UpdateText> updates;
  TextPlace place;
};

struct ModelText {
  std::vector<StateText> states;  // `name` is set, `value` has only its place
  std::vector<GraphText> graphs;
};

}  // namespace polaris
