#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/operators.h"
#include "text/jinja/value.h"

namespace polaris::jinja {

enum class ExpressionKind : std::uint8_t {
  kConstant,       // value, or a text: name
  kName,           // name
  kTuple,          // parts
  kList,           // parts
  kDict,           // parts: key, value, key, value ...
  kAttribute,      // parts[0].name
  kItem,           // parts[0][parts[1]]
  kSlice,          // inside kItem: three parts, null where left out
  kCall,           // parts[0](arguments)
  kFilter,         // parts[0] | name(arguments); parts[0] is null in a filter block
  kTest,           // parts[0] is name(arguments)
  kNot,            // parts[0]
  kNegative,       // parts[0]
  kPositive,       // parts[0]
  kBinary,         // parts[0] operators[0] parts[1]
  kCompare,        // parts[0] operators[0] parts[1] operators[1] parts[2] ...
  kConcat,         // parts, as texts
  kAnd,            // parts[0], parts[1]
  kOr,             // parts[0], parts[1]
  kIf,             // parts[1] where parts[0], else parts[2], null where left out
  kNamespaceName,  // name.attribute, as what is assigned to
};

struct Expression;

struct CallArgument {
  enum class Kind : std::uint8_t { kPlain, kNamed, kSpreadList, kSpreadDict } kind = Kind::kPlain;
  std::string name;
  const Expression* value = nullptr;
};

struct Expression {
  ExpressionKind kind = ExpressionKind::kConstant;
  int line = 0;
  std::string name;
  std::string attribute;  // of kNamespaceName
  Value value;
  std::vector<const Expression*> parts;
  std::vector<CallArgument> arguments;
  std::vector<Operator> operators;
};

enum class StatementKind : std::uint8_t {
  kText,         // name, as it is
  kPrint,        // expressions
  kIf,           // branches, otherwise
  kFor,          // target in expressions[0], where test; body, otherwise
  kSet,          // target = expressions[0]
  kSetBlock,     // target = body, through `filter`
  kMacro,        // name(parameters) body
  kCallBlock,    // expressions[0] is called with body(parameters) as its caller
  kFilterBlock,  // body, through `filter`
  kWith,         // targets[i] = expressions[i] in body
  kGeneration,   // body, in a scope of its own
  kBreak,
  kContinue,
};

struct Statement;

struct IfBranch {
  const Expression* test = nullptr;
  std::vector<const Statement*> body;
};

struct MacroParameter {
  std::string name;
  const Expression* otherwise = nullptr;
};

struct Statement {
  StatementKind kind = StatementKind::kText;
  int line = 0;
  std::string name;
  std::vector<const Expression*> targets;
  std::vector<const Expression*> expressions;
  const Expression* test = nullptr;
  const Expression* filter = nullptr;  // a chain of kFilter that ends in one without a value
  bool recursive = false;
  std::vector<IfBranch> branches;
  std::vector<const Statement*> body;
  std::vector<const Statement*> otherwise;
  std::vector<MacroParameter> parameters;
  // What the body of a macro names.
  bool names_caller = false;
  bool names_rest = false;        // varargs
  bool names_named_rest = false;  // kwargs
};

/// A template as parsed. Nodes lie flat, so that whatever is nested goes without recursion.
struct Syntax {
  std::vector<std::unique_ptr<Expression>> expressions;
  std::vector<std::unique_ptr<Statement>> statements;
  std::vector<const Statement*> body;
};

}  // namespace polaris::jinja
