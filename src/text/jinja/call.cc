#include <algorithm>

#include "base/strings.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/operators.h"

namespace polaris::jinja {

Value Interpreter::call(const Expression& expression, Scope& scope, const Value* caller) {
  const Expression& what = *expression.parts[0];
  const Value callee = evaluate(what, scope);
  Arguments arguments(machine_);
  if (machine_.ok()) read_arguments(expression, scope, arguments);
  if (!machine_.ok()) return {};
  if (caller != nullptr) arguments.named.emplace_back("caller", *caller);
  machine_.at(expression.line, "call", what.name);
  return call_value(callee, arguments);
}

Value Interpreter::call_value(const Value& callee, Arguments& arguments) {
  if (callee.is(Kind::kLoop)) return call_loop(callee.loop(), arguments);
  if (!callee.is(Kind::kCallable)) {
    if (!must_be_defined(machine_, callee)) return {};
    return machine_.fail("got " + kind_name(callee) + ", wanted something to call");
  }
  const Callable& what = callee.callable();
  if (what.macro != nullptr) return call_macro(what, arguments);
  if (what.method != nullptr) return what.method(machine_, what.self, arguments);
  return what.function(machine_, arguments);
}

Value Interpreter::make_macro(const Statement& statement, std::string_view name, Scope& scope) {
  capture(scope);
  Callable out;
  out.name = name;
  out.macro = &statement;
  out.scope = &scope;
  return machine_.callable(out);
}

Value Interpreter::call_macro(const Callable& macro, Arguments& arguments) {
  if (!enter()) return {};
  Scope& scope = open(macro.scope);
  std::string text;
  std::string* const around = std::exchange(out_, &text);
  if (bind(macro, arguments, scope)) run_body(macro.macro->body, scope);
  out_ = around;
  close(scope);
  leave();
  return machine_.text(std::move(text));
}

bool Interpreter::bind(const Callable& macro, const Arguments& arguments, Scope& scope) {
  const Statement& what = *macro.macro;
  const int line = what.line;
  std::vector<std::pair<std::string_view, Value>> named = arguments.named;
  const auto take = [&](std::string_view name) -> std::optional<Value> {
    const auto at = std::find_if(named.begin(), named.end(),
                                 [&](const auto& entry) { return entry.first == name; });
    if (at == named.end()) return std::nullopt;
    const Value out = at->second;
    named.erase(at);
    return out;
  };
  const std::size_t count = what.parameters.size();
  const std::size_t given = std::min(count, arguments.plain.size());
  std::vector<std::optional<Value>> values(
      arguments.plain.begin(), arguments.plain.begin() + static_cast<std::ptrdiff_t>(given));
  bool found_caller = false;
  for (std::size_t i = given; i < count; ++i) {
    values.push_back(take(what.parameters[i].name));
    found_caller |= what.parameters[i].name == "caller";
  }
  if (what.names_caller && !found_caller) {
    define(scope, "caller", take("caller").value_or(Value::undefined("caller")));
  }
  if (what.names_named_rest) {
    const Value rest = machine_.dict();
    for (const auto& [name, value] : named) machine_.set(rest.dict(), Value::text(name), value);
    define(scope, "kwargs", rest);
  } else if (!named.empty()) {
    machine_.fail("macro '" + printable(macro.name) + "' has no parameter '" +
                  printable(named[0].first) + "'");
  }
  if (what.names_rest) {
    const auto from = arguments.plain.begin() + static_cast<std::ptrdiff_t>(given);
    define(scope, "varargs",
           machine_.list(std::vector<Value>(from, arguments.plain.end()), ListStyle::kTuple));
  } else if (arguments.plain.size() > count) {
    machine_.fail("macro '" + printable(macro.name) + "', got " +
                  std::to_string(arguments.plain.size()) + " values, wanted at most " +
                  std::to_string(count));
  }
  for (std::size_t i = 0; i < count && machine_.ok(); ++i) {
    const MacroParameter& parameter = what.parameters[i];
    if (!values[i] && parameter.otherwise != nullptr) {
      values[i] = evaluate(*parameter.otherwise, scope);
    }
    define(scope, parameter.name, values[i].value_or(Value::undefined(parameter.name)));
  }
  machine_.at(line);
  return machine_.ok();
}

Value Interpreter::call_loop(const LoopState& loop, Arguments& arguments) {
  const Value over = arguments.need("iterable");
  if (!arguments.done()) return {};
  if (!loop.statement->recursive) {
    return machine_.fail("the loop is not recursive, wanted 'recursive' at its end");
  }
  if (!enter()) return {};
  std::string text;
  std::string* const around = std::exchange(out_, &text);
  loop_over(*loop.statement, *loop.scope, walk(machine_, over), loop.depth + 1);
  out_ = around;
  leave();
  return machine_.text(std::move(text));
}

}  // namespace polaris::jinja
