#include "text/jinja/parser.h"

namespace polaris::jinja {

Result<Syntax> Parser::parse() {
  out_.body = body({});
  if (!status_) return status_.error();
  return std::move(out_);
}

Token Parser::next() {
  Token out = now();
  if (at_ + 1 < tokens_.size()) ++at_;
  return out;
}

bool Parser::is_name(std::string_view name) const {
  return now().kind == TokenKind::kName && now().text == name;
}

bool Parser::is_operator(std::string_view op) const {
  return now().kind == TokenKind::kOperator && now().text == op;
}

bool Parser::take_name(std::string_view name) {
  if (!is_name(name)) return false;
  next();
  return true;
}

bool Parser::take_operator(std::string_view op) {
  if (!is_operator(op)) return false;
  next();
  return true;
}

void Parser::expect_name(std::string_view name) {
  if (!take_name(name)) unexpected("'" + std::string(name) + "'");
}

void Parser::expect_operator(std::string_view op) {
  if (!take_operator(op)) unexpected("'" + std::string(op) + "'");
}

void Parser::expect(TokenKind kind, std::string_view wanted) {
  if (now().kind != kind) return unexpected(wanted);
  next();
}

std::string Parser::any_name(std::string_view wanted) {
  if (now().kind == TokenKind::kName) return next().text;
  unexpected(wanted);
  return {};
}

void Parser::fail(const std::string& what) {
  if (status_) status_ = template_error(now().line, what);
  at_ = tokens_.size() - 1;
}

void Parser::unexpected(std::string_view wanted) {
  fail("got " + token_name(now()) + ", wanted " + std::string(wanted));
}

Expression* Parser::expression(ExpressionKind kind, int line) {
  out_.expressions.push_back(std::make_unique<Expression>());
  out_.expressions.back()->kind = kind;
  out_.expressions.back()->line = line;
  return out_.expressions.back().get();
}

Statement* Parser::statement(StatementKind kind, int line) {
  out_.statements.push_back(std::make_unique<Statement>());
  out_.statements.back()->kind = kind;
  out_.statements.back()->line = line;
  return out_.statements.back().get();
}

bool Parser::enter() {
  if (++nesting_ <= limits_.nesting) return true;
  fail("nested too deep, wanted at most " + std::to_string(limits_.nesting));
  return false;
}

}  // namespace polaris::jinja
