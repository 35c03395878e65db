#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/jinja/machine.h"
#include "text/jinja/syntax.h"

namespace polaris::jinja {

/// Names that hold in a block, in front of those around it.
struct Scope {
  Scope* parent = nullptr;
  std::vector<std::pair<std::string_view, Value>> names;
  bool captured = false;  // a macro refers to it, so it stays
};

/// Walks a template's syntax. One serves one run; after a failure of its machine all return soon.
class Interpreter {
 public:
  explicit Interpreter(Machine& machine) : machine_(machine) {}
  Result<std::string> run(const Syntax& syntax, const Value& names);

 private:
  enum class Flow : std::uint8_t { kNormal, kBreak, kContinue };
  using Body = std::vector<const Statement*>;

  // interpreter.cc: statements.
  Flow run_body(const Body& body, Scope& scope);
  Flow run_statement(const Statement& statement, Scope& scope);
  /// In a scope of its own.
  Flow run_block(const Body& body, Scope& parent);
  void print(const Statement& statement, Scope& scope);
  Flow choose(const Statement& statement, Scope& scope);
  Flow with(const Statement& statement, Scope& scope);
  void for_loop(const Statement& statement, Scope& scope);
  Flow loop_over(const Statement& statement, Scope& outer, std::vector<Value> items, int depth);
  std::vector<Value> filtered(const Statement& statement, Scope& outer, std::vector<Value> items);
  /// What a body prints, through a chain of filters if there is one.
  Value captured(const Statement& statement, Scope& scope);
  void assign(const Expression& target, const Value& value, Scope& scope);
  void write(std::string_view text);

  Scope& open(Scope* parent);
  void close(Scope& scope);
  void define(Scope& scope, std::string_view name, const Value& value);
  Value find(const Scope& scope, std::string_view name);
  void capture(Scope& scope);

  // evaluate.cc: expressions.
  Value evaluate(const Expression& expression, Scope& scope);
  Value evaluate_inner(const Expression& expression, Scope& scope);
  std::vector<Value> evaluate_parts(const Expression& expression, Scope& scope);
  Value make_dict(const Expression& expression, Scope& scope);
  Value look_up(const Expression& expression, Scope& scope);
  Value chain(const Expression& expression, Scope& scope);
  Value concatenate(const Expression& expression, Scope& scope);
  Value filter(const Expression& expression, const Value& value, Scope& scope);
  Value filter_chain(const Expression& expression, const Value& value, Scope& scope);
  Value test(const Expression& expression, Scope& scope);
  void read_arguments(const Expression& expression, Scope& scope, Arguments& out);

  // call.cc
  Value call(const Expression& expression, Scope& scope, const Value* caller = nullptr);
  Value call_value(const Value& callee, Arguments& arguments);
  Value call_macro(const Callable& macro, Arguments& arguments);
  Value call_loop(const LoopState& loop, Arguments& arguments);
  bool bind(const Callable& macro, const Arguments& arguments, Scope& scope);
  Value make_macro(const Statement& statement, std::string_view name, Scope& scope);

  /// Counts calls within calls.
  bool enter();
  void leave() { --depth_; }

  Machine& machine_;
  std::string* out_ = nullptr;
  int depth_ = 0;
  std::deque<Scope> scopes_;
  std::vector<Scope*> free_;
};

}  // namespace polaris::jinja
