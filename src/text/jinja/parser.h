#pragma once
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "text/jinja/lexer.h"
#include "text/jinja/limits.h"
#include "text/jinja/syntax.h"

namespace polaris::jinja {

/// Tokens to syntax, as Jinja 3.1 does it. After the first fault everything returns what it has, at
/// the end of the tokens. One is used once.
class Parser {
 public:
  Parser(std::vector<Token> tokens, const Limits& limits)
      : tokens_(std::move(tokens)), limits_(limits) {}
  Result<Syntax> parse();

 private:
  using Body = std::vector<const Statement*>;
  using Words = std::initializer_list<std::string_view>;

  // parser.cc: tokens, and what nests.
  const Token& now() const { return tokens_[at_]; }
  const Token& after() const { return tokens_[at_ + (at_ + 1 < tokens_.size() ? 1 : 0)]; }
  Token next();
  bool is_name(std::string_view name) const;
  bool is_operator(std::string_view op) const;
  bool take_name(std::string_view name);
  bool take_operator(std::string_view op);
  void expect_name(std::string_view name);
  void expect_operator(std::string_view op);
  void expect(TokenKind kind, std::string_view wanted);
  std::string any_name(std::string_view wanted);
  void fail(const std::string& what);
  void unexpected(std::string_view wanted);
  Expression* expression(ExpressionKind kind, int line);
  Statement* statement(StatementKind kind, int line);
  bool enter();
  void leave() { --nesting_; }

  // parse_statement.cc
  Body body(Words ends);
  Body block(Words ends, bool take_end = true);
  const Statement* any_statement();
  const Statement* for_loop(int line);
  const Statement* if_chain(int line);
  const Statement* set(int line);
  const Statement* macro(int line);
  const Statement* call_block(int line);
  const Statement* filter_block(int line);
  const Statement* with(int line);
  const Statement* print(int line);
  void signature(Statement& out);
  Body macro_body(Statement& out, std::string_view end);

  // parse_expression.cc
  const Expression* full(bool with_condition = true);
  const Expression* either();
  const Expression* both();
  const Expression* negation();
  const Expression* comparison();
  const Expression* sum();
  const Expression* concatenation();
  const Expression* product();
  const Expression* power();
  const Expression* unary(bool with_filters = true);
  const Expression* primary(bool with_namespace = false);
  const Expression* constant(Value value, int line);
  const Expression* list();
  const Expression* dict();
  const Expression* postfix(const Expression* base);
  const Expression* filters_and_tests(const Expression* base);
  const Expression* subscript(const Expression* base);
  const Expression* subscribed();
  const Expression* call(const Expression* base);
  const Expression* filter(const Expression* base, bool inline_start = false);
  const Expression* test(const Expression* base);
  void call_arguments(Expression& out);
  std::string dotted_name(std::string_view wanted);
  struct TupleOptions {
    bool simplified = false;  // primary expressions only
    bool with_condition = true;
    bool explicit_parentheses = false;
    bool with_namespace = false;
    std::string_view end = {};  // a name that ends it
  };
  const Expression* tuple(const TupleOptions& options);
  const Expression* target(bool with_tuple, std::string_view end, bool with_namespace);
  void check_target(const Expression& target);

  std::vector<Token> tokens_;
  Limits limits_;
  std::size_t at_ = 0;
  int nesting_ = 0;
  int loops_ = 0;
  std::vector<Statement*> macros_;  // those whose bodies are being read
  Syntax out_;
  Status status_;
};

}  // namespace polaris::jinja
