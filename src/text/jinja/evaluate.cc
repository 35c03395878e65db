#include "base/strings.h"
#include "text/jinja/filters.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/operators.h"

namespace polaris::jinja {

Value Interpreter::evaluate(const Expression& expression, Scope& scope) {
  machine_.at(expression.line);
  Value out;
  if (enter()) out = evaluate_inner(expression, scope);
  leave();
  return machine_.ok() ? out : Value();
}

std::vector<Value> Interpreter::evaluate_parts(const Expression& expression, Scope& scope) {
  std::vector<Value> out;
  out.reserve(expression.parts.size());
  for (const Expression* part : expression.parts) out.push_back(evaluate(*part, scope));
  return out;
}

Value Interpreter::evaluate_inner(const Expression& expression, Scope& scope) {
  const auto part = [&](std::size_t i) { return evaluate(*expression.parts[i], scope); };
  switch (expression.kind) {
    case ExpressionKind::kConstant: return expression.value;
    case ExpressionKind::kName: return find(scope, expression.name);
    case ExpressionKind::kTuple:
      return machine_.list(evaluate_parts(expression, scope), ListStyle::kTuple);
    case ExpressionKind::kList: return machine_.list(evaluate_parts(expression, scope));
    case ExpressionKind::kDict: return make_dict(expression, scope);
    case ExpressionKind::kAttribute: {
      const Value value = part(0);
      machine_.at(expression.line, "attribute", expression.name);
      return attribute(machine_, value, expression.name);
    }
    case ExpressionKind::kItem: return look_up(expression, scope);
    case ExpressionKind::kCall: return call(expression, scope);
    case ExpressionKind::kFilter: return filter(expression, part(0), scope);
    case ExpressionKind::kTest: return test(expression, scope);
    case ExpressionKind::kNot: return Value::boolean(!truth(machine_, part(0)));
    case ExpressionKind::kNegative: {
      const Value value = part(0);
      machine_.at(expression.line);
      return negate(machine_, value);
    }
    case ExpressionKind::kPositive: {
      const Value value = part(0);
      machine_.at(expression.line);
      if (value.is_whole()) return Value::integer(value.integer());
      if (value.is(Kind::kFloat) || !must_be_defined(machine_, value)) return value;
      return machine_.fail("operator '+', got " + kind_name(value) + ", wanted a number");
    }
    case ExpressionKind::kBinary: {
      const Value a = part(0);
      const Value b = part(1);
      machine_.at(expression.line);
      return machine_.ok() ? arithmetic(machine_, expression.operators[0], a, b) : Value();
    }
    case ExpressionKind::kCompare: return chain(expression, scope);
    case ExpressionKind::kConcat: return concatenate(expression, scope);
    case ExpressionKind::kAnd: {
      const Value first = part(0);
      return truth(machine_, first) ? part(1) : first;
    }
    case ExpressionKind::kOr: {
      const Value first = part(0);
      return truth(machine_, first) ? first : part(1);
    }
    case ExpressionKind::kIf: {
      if (truth(machine_, part(0))) return part(1);
      return expression.parts[2] != nullptr ? part(2) : Value::undefined("an 'if' without 'else'");
    }
    case ExpressionKind::kSlice:
    case ExpressionKind::kNamespaceName: break;
  }
  return machine_.fail("an expression that stands for nothing by itself");
}

Value Interpreter::make_dict(const Expression& expression, Scope& scope) {
  const Value out = machine_.dict();
  for (std::size_t i = 0; i + 1 < expression.parts.size() && machine_.ok(); i += 2) {
    const Value key = evaluate(*expression.parts[i], scope);
    const Value value = evaluate(*expression.parts[i + 1], scope);
    if (machine_.ok()) machine_.set(out.dict(), key, value);
  }
  return out;
}

Value Interpreter::look_up(const Expression& expression, Scope& scope) {
  const Value value = evaluate(*expression.parts[0], scope);
  const Expression& key = *expression.parts[1];
  if (key.kind != ExpressionKind::kSlice) {
    const Value at = evaluate(key, scope);
    machine_.at(expression.line, "item", at.is(Kind::kText) ? at.text() : std::string_view());
    return machine_.ok() ? item(machine_, value, at) : Value();
  }
  Value bounds[3] = {Value::none(), Value::none(), Value::none()};
  for (std::size_t i = 0; i < 3; ++i) {
    if (key.parts[i] != nullptr) bounds[i] = evaluate(*key.parts[i], scope);
  }
  machine_.at(expression.line, "slice");
  return machine_.ok() ? slice(machine_, value, bounds[0], bounds[1], bounds[2]) : Value();
}

Value Interpreter::chain(const Expression& expression, Scope& scope) {
  Value left = evaluate(*expression.parts[0], scope);
  for (std::size_t i = 0; i < expression.operators.size(); ++i) {
    const Value right = evaluate(*expression.parts[i + 1], scope);
    if (!machine_.ok()) return {};
    machine_.at(expression.line);
    if (!compare(machine_, expression.operators[i], left, right)) return Value::boolean(false);
    left = right;
  }
  return Value::boolean(true);
}

Value Interpreter::concatenate(const Expression& expression, Scope& scope) {
  std::string out;
  for (const Expression* part : expression.parts) {
    const Value value = evaluate(*part, scope);
    machine_.at(expression.line, "operator", "~");
    const std::string text = machine_.ok() ? text_of(machine_, value) : std::string();
    if (!machine_.room(text.size())) return {};
    out += text;
  }
  return machine_.text(std::move(out));
}

Value Interpreter::filter(const Expression& expression, const Value& value, Scope& scope) {
  if (!machine_.ok()) return {};
  Arguments arguments(machine_);
  read_arguments(expression, scope, arguments);
  machine_.at(expression.line, "filter", expression.name);
  return machine_.ok() ? apply_filter(machine_, expression.name, value, arguments) : Value();
}

Value Interpreter::filter_chain(const Expression& expression, const Value& value, Scope& scope) {
  if (!enter()) return {};
  const Expression* before = expression.parts[0];
  const Value input = before == nullptr ? value : filter_chain(*before, value, scope);
  const Value out = filter(expression, input, scope);
  leave();
  return out;
}

Value Interpreter::test(const Expression& expression, Scope& scope) {
  const Value value = evaluate(*expression.parts[0], scope);
  Arguments arguments(machine_);
  read_arguments(expression, scope, arguments);
  machine_.at(expression.line, "test", expression.name);
  if (!machine_.ok()) return {};
  return Value::boolean(apply_test(machine_, expression.name, value, arguments));
}

void Interpreter::read_arguments(const Expression& expression, Scope& scope, Arguments& out) {
  for (const CallArgument& argument : expression.arguments) {
    const Value value = evaluate(*argument.value, scope);
    if (!machine_.ok()) return;
    switch (argument.kind) {
      case CallArgument::Kind::kPlain: out.plain.push_back(value); break;
      case CallArgument::Kind::kNamed: out.named.emplace_back(argument.name, value); break;
      case CallArgument::Kind::kSpreadList: {
        const std::vector<Value> items = walk(machine_, value);
        out.plain.insert(out.plain.end(), items.begin(), items.end());
        break;
      }
      case CallArgument::Kind::kSpreadDict:
        if (!value.is(Kind::kDict)) {
          machine_.fail("operator '**', got " + kind_name(value) + ", wanted a dict");
          return;
        }
        for (const auto& [name, entry] : value.dict().entries) {
          if (!name.is(Kind::kText)) {
            machine_.fail("operator '**', got a key that is " + kind_name(name));
            return;
          }
          if (!machine_.room_for(2)) return;
          out.named.emplace_back(name.text(), entry);
        }
    }
  }
}

}  // namespace polaris::jinja
