#include <algorithm>
#include <optional>

#include "text/jinja/parser.h"

namespace polaris::jinja {
namespace {

struct NamedOperator {
  std::string_view text;
  Operator op;
};

constexpr NamedOperator kComparisons[] = {
    {"==", Operator::kEqual},     {"!=", Operator::kNotEqual}, {"<", Operator::kLess},
    {"<=", Operator::kLessEqual}, {">", Operator::kGreater},   {">=", Operator::kGreaterEqual}};
constexpr NamedOperator kSums[] = {{"+", Operator::kAdd}, {"-", Operator::kSubtract}};
constexpr NamedOperator kProducts[] = {{"*", Operator::kMultiply},
                                       {"/", Operator::kDivide},
                                       {"//", Operator::kFloorDivide},
                                       {"%", Operator::kModulo}};

template <class Rows>
std::optional<Operator> find_operator(const Rows& rows, const Token& token) {
  if (token.kind != TokenKind::kOperator) return std::nullopt;
  for (const NamedOperator& row : rows) {
    if (row.text == token.text) return row.op;
  }
  return std::nullopt;
}

}  // namespace

const Expression* Parser::full(bool with_condition) {
  if (!with_condition) return either();
  const int line = now().line;
  const Expression* out = either();
  while (take_name("if")) {
    Expression* chosen = expression(ExpressionKind::kIf, line);
    const Expression* test = either();
    const Expression* otherwise = nullptr;
    if (take_name("else")) {
      if (!enter()) return out;
      otherwise = full();
      leave();
    }
    chosen->parts = {test, out, otherwise};
    out = chosen;
  }
  return out;
}

const Expression* Parser::either() {
  const int line = now().line;
  const Expression* out = both();
  while (take_name("or")) {
    Expression* more = expression(ExpressionKind::kOr, line);
    more->parts = {out, both()};
    out = more;
  }
  return out;
}

const Expression* Parser::both() {
  const int line = now().line;
  const Expression* out = negation();
  while (take_name("and")) {
    Expression* more = expression(ExpressionKind::kAnd, line);
    more->parts = {out, negation()};
    out = more;
  }
  return out;
}

const Expression* Parser::negation() {
  if (!is_name("not")) return comparison();
  Expression* out = expression(ExpressionKind::kNot, next().line);
  if (!enter()) return out;
  out->parts = {negation()};
  leave();
  return out;
}

const Expression* Parser::comparison() {
  const int line = now().line;
  const Expression* first = sum();
  Expression* out = nullptr;
  for (;;) {
    std::optional<Operator> op = find_operator(kComparisons, now());
    if (op) {
      next();
    } else if (take_name("in")) {
      op = Operator::kIn;
    } else if (is_name("not") && after().kind == TokenKind::kName && after().text == "in") {
      next();
      next();
      op = Operator::kNotIn;
    } else {
      break;
    }
    if (out == nullptr) {
      out = expression(ExpressionKind::kCompare, line);
      out->parts = {first};
    }
    out->operators.push_back(*op);
    out->parts.push_back(sum());
  }
  return out == nullptr ? first : out;
}

const Expression* Parser::sum() {
  const Expression* out = concatenation();
  while (const auto op = find_operator(kSums, now())) {
    Expression* more = expression(ExpressionKind::kBinary, next().line);
    more->operators = {*op};
    more->parts = {out, concatenation()};
    out = more;
  }
  return out;
}

const Expression* Parser::concatenation() {
  const int line = now().line;
  const Expression* first = product();
  if (!is_operator("~")) return first;
  Expression* out = expression(ExpressionKind::kConcat, line);
  out->parts = {first};
  while (take_operator("~")) out->parts.push_back(product());
  return out;
}

const Expression* Parser::product() {
  const Expression* out = power();
  while (const auto op = find_operator(kProducts, now())) {
    Expression* more = expression(ExpressionKind::kBinary, next().line);
    more->operators = {*op};
    more->parts = {out, power()};
    out = more;
  }
  return out;
}

const Expression* Parser::power() {
  const Expression* out = unary();
  while (is_operator("**")) {
    Expression* more = expression(ExpressionKind::kBinary, next().line);
    more->operators = {Operator::kPower};
    more->parts = {out, unary()};
    out = more;
  }
  return out;
}

const Expression* Parser::unary(bool with_filters) {
  if (!enter()) return constant({}, now().line);
  const Expression* out = nullptr;
  if (is_operator("-") || is_operator("+")) {
    const bool minus = is_operator("-");
    Expression* sign =
        expression(minus ? ExpressionKind::kNegative : ExpressionKind::kPositive, next().line);
    sign->parts = {unary(false)};
    out = sign;
  } else {
    out = primary();
  }
  out = postfix(out);
  if (with_filters) out = filters_and_tests(out);
  leave();
  return out;
}

const Expression* Parser::constant(Value value, int line) {
  Expression* out = expression(ExpressionKind::kConstant, line);
  out->value = value;
  return out;
}

const Expression* Parser::primary(bool with_namespace) {
  const Token token = now();
  switch (token.kind) {
    case TokenKind::kName: {
      next();
      if (token.text == "true" || token.text == "True") {
        return constant(Value::boolean(true), token.line);
      }
      if (token.text == "false" || token.text == "False") {
        return constant(Value::boolean(false), token.line);
      }
      if (token.text == "none" || token.text == "None") return constant(Value::none(), token.line);
      const bool dotted = with_namespace && take_operator(".");
      Expression* out =
          expression(dotted ? ExpressionKind::kNamespaceName : ExpressionKind::kName, token.line);
      out->name = token.text;
      if (dotted) out->attribute = any_name("a name after the dot");
      for (Statement* macro : macros_) {
        macro->names_caller |= out->name == "caller";
        macro->names_rest |= out->name == "varargs";
        macro->names_named_rest |= out->name == "kwargs";
      }
      return out;
    }
    case TokenKind::kText: {
      Expression* out = expression(ExpressionKind::kConstant, token.line);
      while (now().kind == TokenKind::kText) out->name += next().text;
      out->value = Value::text(out->name);
      return out;
    }
    case TokenKind::kInteger: next(); return constant(Value::integer(token.integer), token.line);
    case TokenKind::kFloat: next(); return constant(Value::real(token.real), token.line);
    default: break;
  }
  if (take_operator("(")) {
    const Expression* out = tuple({.explicit_parentheses = true});
    expect_operator(")");
    return out;
  }
  if (is_operator("[")) return list();
  if (is_operator("{")) return dict();
  unexpected("an expression");
  return constant({}, token.line);
}

const Expression* Parser::list() {
  Expression* out = expression(ExpressionKind::kList, next().line);
  while (status_ && !is_operator("]")) {
    if (!out->parts.empty()) expect_operator(",");
    if (is_operator("]")) break;
    out->parts.push_back(full());
  }
  expect_operator("]");
  return out;
}

const Expression* Parser::dict() {
  Expression* out = expression(ExpressionKind::kDict, next().line);
  while (status_ && !is_operator("}")) {
    if (!out->parts.empty()) expect_operator(",");
    if (is_operator("}")) break;
    out->parts.push_back(full());
    expect_operator(":");
    out->parts.push_back(full());
  }
  expect_operator("}");
  return out;
}

const Expression* Parser::tuple(const TupleOptions& options) {
  const int line = now().line;
  std::vector<const Expression*> parts;
  bool is_tuple = false;
  const auto ended = [&] {
    return now().kind == TokenKind::kPrintEnd || now().kind == TokenKind::kBlockEnd ||
           is_operator(")") || (!options.end.empty() && is_name(options.end));
  };
  while (status_ && !ended()) {
    parts.push_back(options.simplified ? primary(options.with_namespace)
                                       : full(options.with_condition));
    if (!take_operator(",")) break;
    is_tuple = true;
  }
  if (!is_tuple) {
    if (!parts.empty()) return parts.front();
    if (!options.explicit_parentheses) unexpected("an expression");
  }
  Expression* out = expression(ExpressionKind::kTuple, line);
  out->parts = std::move(parts);
  return out;
}

const Expression* Parser::target(bool with_tuple, std::string_view end, bool with_namespace) {
  const Expression* out = nullptr;
  if (with_tuple) {
    out = tuple({.simplified = true, .with_namespace = with_namespace, .end = end});
  } else {
    out = primary(with_namespace);
  }
  check_target(*out);
  return out;
}

void Parser::check_target(const Expression& target) {
  if (target.kind == ExpressionKind::kName || target.kind == ExpressionKind::kNamespaceName) return;
  if (target.kind != ExpressionKind::kTuple) return unexpected("a name to assign to before it");
  for (const Expression* part : target.parts) {
    // A tuple within a tuple has been through the nesting of its parentheses.
    check_target(*part);
  }
}

const Expression* Parser::postfix(const Expression* base) {
  while (status_) {
    if (is_operator(".") || is_operator("[")) {
      base = subscript(base);
    } else if (is_operator("(")) {
      base = call(base);
    } else {
      break;
    }
  }
  return base;
}

const Expression* Parser::filters_and_tests(const Expression* base) {
  while (status_) {
    if (is_operator("|")) {
      base = filter(base);
    } else if (is_name("is")) {
      base = test(base);
    } else if (is_operator("(")) {
      base = call(base);
    } else {
      break;
    }
  }
  return base;
}

const Expression* Parser::subscript(const Expression* base) {
  const Token token = next();
  Expression* out = expression(ExpressionKind::kItem, token.line);
  if (token.text == ".") {
    if (now().kind == TokenKind::kName) {
      out->kind = ExpressionKind::kAttribute;
      out->name = next().text;
      out->parts = {base};
      return out;
    }
    if (now().kind != TokenKind::kInteger) {
      unexpected("a name or a number after the dot");
      return base;
    }
    out->parts = {base, constant(Value::integer(now().integer), token.line)};
    next();
    return out;
  }
  std::vector<const Expression*> keys;
  while (status_ && !is_operator("]")) {
    if (!keys.empty()) expect_operator(",");
    keys.push_back(subscribed());
  }
  expect_operator("]");
  if (!status_) return base;
  if (keys.size() == 1) {
    out->parts = {base, keys[0]};
    return out;
  }
  Expression* key = expression(ExpressionKind::kTuple, token.line);
  key->parts = std::move(keys);
  out->parts = {base, key};
  return out;
}

const Expression* Parser::subscribed() {
  const int line = now().line;
  const Expression* from = is_operator(":") ? nullptr : full();
  if (!is_operator(":")) return from;
  Expression* out = expression(ExpressionKind::kSlice, line);
  out->parts = {from, nullptr, nullptr};
  for (std::size_t part = 1; part <= 2 && take_operator(":"); ++part) {
    if (!is_operator(":") && !is_operator("]") && !is_operator(",")) out->parts[part] = full();
  }
  return out;
}

const Expression* Parser::call(const Expression* base) {
  Expression* out = expression(ExpressionKind::kCall, now().line);
  out->parts = {base};
  call_arguments(*out);
  return out;
}

void Parser::call_arguments(Expression& out) {
  using ArgumentKind = CallArgument::Kind;
  expect_operator("(");
  bool more = false;
  while (status_ && !is_operator(")")) {
    if (more) expect_operator(",");
    if (is_operator(")")) break;
    more = true;
    CallArgument argument;
    if (take_operator("*")) {
      argument.kind = ArgumentKind::kSpreadList;
    } else if (take_operator("**")) {
      argument.kind = ArgumentKind::kSpreadDict;
    } else if (now().kind == TokenKind::kName && after().kind == TokenKind::kOperator &&
               after().text == "=") {
      argument.kind = ArgumentKind::kNamed;
      argument.name = next().text;
      next();
    }
    const auto is_late = [&](const CallArgument& before) {
      return before.kind == ArgumentKind::kSpreadDict ||
             (argument.kind == ArgumentKind::kPlain && before.kind != ArgumentKind::kPlain);
    };
    if (std::any_of(out.arguments.begin(), out.arguments.end(), is_late)) {
      return fail("arguments of a call, wanted those without a name first");
    }
    argument.value = full();
    out.arguments.push_back(std::move(argument));
  }
  expect_operator(")");
}

std::string Parser::dotted_name(std::string_view wanted) {
  std::string out = any_name(wanted);
  while (take_operator(".")) out += "." + any_name(wanted);
  return out;
}

const Expression* Parser::filter(const Expression* base, bool inline_start) {
  while (status_ && (inline_start || is_operator("|"))) {
    if (!inline_start) next();
    inline_start = false;
    Expression* out = expression(ExpressionKind::kFilter, now().line);
    out->name = dotted_name("the name of a filter");
    out->parts = {base};
    if (is_operator("(")) call_arguments(*out);
    base = out;
  }
  return base;
}

const Expression* Parser::test(const Expression* base) {
  const int line = next().line;
  const bool negated = take_name("not");
  Expression* out = expression(ExpressionKind::kTest, line);
  out->name = dotted_name("the name of a test");
  out->parts = {base};
  const bool takes_value =
      now().kind == TokenKind::kText || now().kind == TokenKind::kInteger ||
      now().kind == TokenKind::kFloat || is_operator("[") || is_operator("{") ||
      (now().kind == TokenKind::kName && !is_name("else") && !is_name("or") && !is_name("and"));
  if (is_operator("(")) {
    call_arguments(*out);
  } else if (is_name("is")) {
    fail("a test of a test, wanted one 'is'");
  } else if (takes_value) {
    CallArgument argument;
    argument.value = postfix(primary());
    out->arguments.push_back(std::move(argument));
  }
  if (!negated) return out;
  Expression* inverse = expression(ExpressionKind::kNot, line);
  inverse->parts = {out};
  return inverse;
}

}  // namespace polaris::jinja
