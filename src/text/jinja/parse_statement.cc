#include <algorithm>

#include "base/strings.h"
#include "text/jinja/parser.h"

namespace polaris::jinja {

Parser::Body Parser::body(Words ends) {
  Body out;
  while (status_) {
    const Token token = now();
    switch (token.kind) {
      case TokenKind::kData: {
        Statement* text = statement(StatementKind::kText, token.line);
        text->name = next().text;
        out.push_back(text);
        break;
      }
      case TokenKind::kPrintBegin: {
        next();
        Statement* print = statement(StatementKind::kPrint, token.line);
        print->expressions = {tuple({})};
        expect(TokenKind::kPrintEnd, "'}}'");
        out.push_back(print);
        break;
      }
      case TokenKind::kBlockBegin: {
        next();
        if (std::any_of(ends.begin(), ends.end(), [&](auto end) { return is_name(end); })) {
          return out;
        }
        if (const Statement* read = any_statement()) out.push_back(read);
        expect(TokenKind::kBlockEnd, "'%}'");
        break;
      }
      default:
        if (ends.size() > 0) {
          unexpected("'" + std::string(*(ends.end() - 1)) + "'");
        } else if (token.kind != TokenKind::kEnd) {
          unexpected("the end of the template");
        }
        return out;
    }
  }
  return out;
}

Parser::Body Parser::block(Words ends, bool take_end) {
  take_operator(":");
  expect(TokenKind::kBlockEnd, "'%}'");
  if (!enter()) return {};
  Body out = body(ends);
  leave();
  if (take_end && status_) next();
  return out;
}

const Statement* Parser::any_statement() {
  const Token token = now();
  if (token.kind != TokenKind::kName) {
    unexpected("the name of a tag");
    return nullptr;
  }
  next();
  const int line = token.line;
  const std::string& name = token.text;
  if (name == "for") return for_loop(line);
  if (name == "if") return if_chain(line);
  if (name == "set") return set(line);
  if (name == "macro") return macro(line);
  if (name == "call") return call_block(line);
  if (name == "filter") return filter_block(line);
  if (name == "with") return with(line);
  if (name == "print") return print(line);
  if (name == "generation") {
    Statement* out = statement(StatementKind::kGeneration, line);
    out->body = block({"endgeneration"});
    return out;
  }
  if (name == "break" || name == "continue") {
    if (loops_ == 0) fail("'" + name + "' outside of a loop");
    return statement(name == "break" ? StatementKind::kBreak : StatementKind::kContinue, line);
  }
  --at_;
  unexpected(
      "one of: for, if, set, macro, call, filter, with, print, generation, break, continue, raw");
  return nullptr;
}

const Statement* Parser::for_loop(int line) {
  Statement* out = statement(StatementKind::kFor, line);
  out->targets = {target(true, "in", false)};
  expect_name("in");
  out->expressions = {tuple({.with_condition = false, .end = "recursive"})};
  if (take_name("if")) out->test = full();
  out->recursive = take_name("recursive");
  ++loops_;
  out->body = block({"else", "endfor"}, false);
  --loops_;
  if (take_name("else")) {
    out->otherwise = block({"endfor"});
  } else {
    expect_name("endfor");
  }
  return out;
}

const Statement* Parser::if_chain(int line) {
  Statement* out = statement(StatementKind::kIf, line);
  while (status_) {
    IfBranch branch;
    branch.test = tuple({.with_condition = false});
    branch.body = block({"elif", "else", "endif"}, false);
    out->branches.push_back(std::move(branch));
    if (!take_name("elif")) break;
  }
  if (take_name("else")) {
    out->otherwise = block({"endif"});
  } else {
    expect_name("endif");
  }
  return out;
}

const Statement* Parser::set(int line) {
  Statement* out = statement(StatementKind::kSet, line);
  out->targets = {target(true, {}, true)};
  if (take_operator("=")) {
    out->expressions = {tuple({})};
    return out;
  }
  out->kind = StatementKind::kSetBlock;
  if (is_operator("|")) out->filter = filter(nullptr);
  out->body = block({"endset"});
  return out;
}

void Parser::signature(Statement& out) {
  expect_operator("(");
  while (status_ && !is_operator(")")) {
    if (!out.parameters.empty()) expect_operator(",");
    MacroParameter parameter;
    parameter.name = any_name("the name of a parameter");
    if (take_operator("=")) {
      parameter.otherwise = full();
    } else if (!out.parameters.empty() && out.parameters.back().otherwise != nullptr) {
      return fail("parameter '" + printable(parameter.name) +
                  "' without a value after one that has");
    }
    out.parameters.push_back(std::move(parameter));
  }
  expect_operator(")");
}

Parser::Body Parser::macro_body(Statement& out, std::string_view end) {
  macros_.push_back(&out);
  const int loops = loops_;
  loops_ = 0;  // one does not leave a loop from within a macro
  Body body = block({end});
  loops_ = loops;
  macros_.pop_back();
  return body;
}

const Statement* Parser::macro(int line) {
  Statement* out = statement(StatementKind::kMacro, line);
  out->name = any_name("the name of a macro");
  signature(*out);
  out->body = macro_body(*out, "endmacro");
  return out;
}

const Statement* Parser::call_block(int line) {
  Statement* out = statement(StatementKind::kCallBlock, line);
  if (is_operator("(")) signature(*out);
  const Expression* callee = full();
  if (status_ && callee->kind != ExpressionKind::kCall) {
    unexpected("a call before it");
    return out;
  }
  out->expressions = {callee};
  out->body = macro_body(*out, "endcall");
  return out;
}

const Statement* Parser::filter_block(int line) {
  Statement* out = statement(StatementKind::kFilterBlock, line);
  out->filter = filter(nullptr, true);
  out->body = block({"endfilter"});
  return out;
}

const Statement* Parser::with(int line) {
  Statement* out = statement(StatementKind::kWith, line);
  while (status_ && now().kind != TokenKind::kBlockEnd) {
    if (!out->targets.empty()) expect_operator(",");
    out->targets.push_back(target(false, {}, false));
    expect_operator("=");
    out->expressions.push_back(full());
  }
  out->body = block({"endwith"});
  return out;
}

const Statement* Parser::print(int line) {
  Statement* out = statement(StatementKind::kPrint, line);
  while (status_ && now().kind != TokenKind::kBlockEnd) {
    if (!out->expressions.empty()) expect_operator(",");
    out->expressions.push_back(full());
  }
  return out;
}

}  // namespace polaris::jinja
