#include "text/jinja/interpreter.h"

#include <algorithm>

#include "base/strings.h"
#include "text/jinja/functions.h"
#include "text/jinja/operators.h"

namespace polaris::jinja {

Result<std::string> Interpreter::run(const Syntax& syntax, const Value& names) {
  std::string out;
  out_ = &out;
  Scope& given = open(nullptr);
  for (const FunctionRow& row : functions()) {
    Callable function;
    function.name = row.name;
    function.function = row.call;
    define(given, row.name, machine_.callable(function));
  }
  for (const auto& [name, value] : names.dict().entries) {
    if (name.is(Kind::kText)) define(given, name.text(), value);
  }
  run_body(syntax.body, open(&given));
  if (!machine_.ok()) return machine_.status().error();
  return out;
}

bool Interpreter::enter() {
  ++depth_;
  if (depth_ <= machine_.limits().depth) return machine_.step();
  machine_.exhaust("calls within calls, wanted at most " + std::to_string(machine_.limits().depth));
  return false;
}

void Interpreter::write(std::string_view text) {
  if (out_->size() + text.size() > machine_.limits().output_bytes) {
    machine_.exhaust("output, wanted at most " + std::to_string(machine_.limits().output_bytes) +
                     " bytes");
  } else if (machine_.room(text.size())) {
    *out_ += text;
  }
}

Scope& Interpreter::open(Scope* parent) {
  Scope* scope = nullptr;
  if (free_.empty()) {
    (void)machine_.room(sizeof(Scope));
    scope = &scopes_.emplace_back();
  } else {
    scope = free_.back();
    free_.pop_back();
  }
  scope->parent = parent;
  return *scope;
}

void Interpreter::close(Scope& scope) {
  if (scope.captured) return;
  scope.names.clear();
  free_.push_back(&scope);
}

void Interpreter::capture(Scope& scope) {
  for (Scope* at = &scope; at != nullptr && !at->captured; at = at->parent) at->captured = true;
}

void Interpreter::define(Scope& scope, std::string_view name, const Value& value) {
  if (!machine_.step(1 + static_cast<std::int64_t>(scope.names.size() / 16))) return;
  for (auto& [known, there] : scope.names) {
    if (known != name) continue;
    there = value;
    return;
  }
  if (machine_.room_for(2)) scope.names.emplace_back(name, value);
}

Value Interpreter::find(const Scope& scope, std::string_view name) {
  for (const Scope* at = &scope; at != nullptr; at = at->parent) {
    if (!machine_.step(static_cast<std::int64_t>(at->names.size() / 16))) return {};
    for (const auto& [known, value] : at->names) {
      if (known == name) return value;
    }
  }
  return Value::undefined(name);
}

Interpreter::Flow Interpreter::run_body(const Body& body, Scope& scope) {
  for (const Statement* statement : body) {
    const Flow flow = run_statement(*statement, scope);
    if (flow != Flow::kNormal || !machine_.ok()) return flow;
  }
  return Flow::kNormal;
}

Interpreter::Flow Interpreter::run_block(const Body& body, Scope& parent) {
  Scope& scope = open(&parent);
  const Flow flow = run_body(body, scope);
  close(scope);
  return flow;
}

Interpreter::Flow Interpreter::run_statement(const Statement& statement, Scope& scope) {
  machine_.at(statement.line);
  if (!enter()) return Flow::kNormal;
  Flow flow = Flow::kNormal;
  switch (statement.kind) {
    case StatementKind::kText: write(statement.name); break;
    case StatementKind::kPrint: print(statement, scope); break;
    case StatementKind::kIf: flow = choose(statement, scope); break;
    case StatementKind::kFor: for_loop(statement, scope); break;
    case StatementKind::kSet:
      assign(*statement.targets[0], evaluate(*statement.expressions[0], scope), scope);
      break;
    case StatementKind::kSetBlock:
      assign(*statement.targets[0], captured(statement, scope), scope);
      break;
    case StatementKind::kMacro:
      define(scope, statement.name, make_macro(statement, statement.name, scope));
      break;
    case StatementKind::kCallBlock: {
      const Value caller = make_macro(statement, "caller", scope);
      const Value printed = call(*statement.expressions[0], scope, &caller);
      write(text_of(machine_, printed));
      break;
    }
    case StatementKind::kFilterBlock: write(text_of(machine_, captured(statement, scope))); break;
    case StatementKind::kWith: flow = with(statement, scope); break;
    case StatementKind::kGeneration: flow = run_block(statement.body, scope); break;
    case StatementKind::kBreak: flow = Flow::kBreak; break;
    case StatementKind::kContinue: flow = Flow::kContinue; break;
  }
  leave();
  return flow;
}

void Interpreter::print(const Statement& statement, Scope& scope) {
  for (const Expression* part : statement.expressions) {
    const Value value = evaluate(*part, scope);
    if (!machine_.ok()) return;
    machine_.at(part->line, "print");
    if (value.is(Kind::kText)) {
      write(value.text());
    } else {
      write(text_of(machine_, value));
    }
  }
}

Interpreter::Flow Interpreter::choose(const Statement& statement, Scope& scope) {
  for (const IfBranch& branch : statement.branches) {
    const bool holds = truth(machine_, evaluate(*branch.test, scope));
    if (!machine_.ok()) return Flow::kNormal;
    if (holds) return run_body(branch.body, scope);
  }
  return run_body(statement.otherwise, scope);
}

Interpreter::Flow Interpreter::with(const Statement& statement, Scope& scope) {
  Scope& inner = open(&scope);
  std::vector<Value> values;
  for (const Expression* value : statement.expressions) values.push_back(evaluate(*value, scope));
  for (std::size_t i = 0; i < values.size(); ++i) assign(*statement.targets[i], values[i], inner);
  const Flow flow = machine_.ok() ? run_body(statement.body, inner) : Flow::kNormal;
  close(inner);
  return flow;
}

void Interpreter::for_loop(const Statement& statement, Scope& scope) {
  const Value over = evaluate(*statement.expressions[0], scope);
  if (!machine_.ok()) return;
  machine_.at(statement.line, "for");
  loop_over(statement, scope, walk(machine_, over), 0);
}

std::vector<Value> Interpreter::filtered(const Statement& statement, Scope& outer,
                                         std::vector<Value> items) {
  if (statement.test == nullptr) return items;
  std::vector<Value> out;
  for (const Value& item : items) {
    Scope& scope = open(&outer);
    define(scope, "loop", Value::undefined("loop"));
    assign(*statement.targets[0], item, scope);
    const bool kept = truth(machine_, evaluate(*statement.test, scope));
    close(scope);
    if (!machine_.ok()) return {};
    if (kept) out.push_back(item);
  }
  return out;
}

Interpreter::Flow Interpreter::loop_over(const Statement& statement, Scope& outer,
                                         std::vector<Value> items, int depth) {
  items = filtered(statement, outer, std::move(items));
  if (!machine_.ok()) return Flow::kNormal;
  LoopState& loop = machine_.loop();
  loop.items = std::move(items);
  loop.statement = &statement;
  loop.scope = &outer;
  loop.depth = depth;
  if (statement.recursive) capture(outer);
  // As Jinja compiles it: what skips the end of the first body has not been a round.
  bool had_round = false;
  for (; loop.index < loop.items.size(); ++loop.index) {
    Scope& scope = open(&outer);
    define(scope, "loop", Value::loop(&loop));
    machine_.at(statement.line, "for");
    assign(*statement.targets[0], loop.items[loop.index], scope);
    const Flow flow = machine_.ok() ? run_body(statement.body, scope) : Flow::kNormal;
    close(scope);
    if (!machine_.ok()) return Flow::kNormal;
    had_round |= flow == Flow::kNormal;
    if (flow == Flow::kBreak) break;
  }
  return had_round ? Flow::kNormal : run_block(statement.otherwise, outer);
}

Value Interpreter::captured(const Statement& statement, Scope& scope) {
  std::string text;
  std::string* const around = std::exchange(out_, &text);
  run_block(statement.body, scope);
  out_ = around;
  const Value out = machine_.text(std::move(text));
  if (statement.filter == nullptr || !machine_.ok()) return out;
  return filter_chain(*statement.filter, out, scope);
}

void Interpreter::assign(const Expression& target, const Value& value, Scope& scope) {
  if (!machine_.ok()) return;
  switch (target.kind) {
    case ExpressionKind::kName: define(scope, target.name, value); return;
    case ExpressionKind::kNamespaceName: {
      const Value owner = find(scope, target.name);
      machine_.at(target.line, "set", target.name);
      if (owner.is(Kind::kNamespace)) {
        machine_.set(owner.dict(), Value::text(target.attribute), value);
      } else if (must_be_defined(machine_, owner)) {
        machine_.fail("got " + kind_name(owner) + ", wanted a namespace");
      }
      return;
    }
    default: break;
  }
  const std::vector<Value> values = walk(machine_, value);
  if (!machine_.ok()) return;
  if (values.size() != target.parts.size()) {
    machine_.fail("got " + std::to_string(values.size()) + " values to unpack, wanted " +
                  std::to_string(target.parts.size()));
    return;
  }
  for (std::size_t i = 0; i < values.size(); ++i) assign(*target.parts[i], values[i], scope);
}

}  // namespace polaris::jinja
