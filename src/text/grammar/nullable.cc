#include "text/grammar/nullable.h"

#include <cstdint>

namespace polaris::grammar {
namespace {

/// How many of its parts must be found to match nothing before it is; kMany: however many.
std::uint32_t wanted_parts(const Rules& rules, const Expr& e) {
  switch (e.kind) {
    case Expr::Kind::kText: return rules.text_of(e).empty() ? 0 : kMany;
    case Expr::Kind::kSet: return kMany;
    case Expr::Kind::kBytes: return rules.bytes_of(e).ends[0] ? 0 : kMany;
    case Expr::Kind::kRule: return 1;
    case Expr::Kind::kSequence: return e.count;
    case Expr::Kind::kChoice: return e.count == 0 ? kMany : 1;
    case Expr::Kind::kRepeat: return e.min == 0 ? 0 : 1;
  }
  return kMany;
}

}  // namespace

std::vector<bool> find_nullable(const Rules& rules) {
  // Who has an expression for a part, in one list.
  const std::size_t count = rules.exprs();
  std::vector<std::uint32_t> begins(count + 1, 0);
  std::vector<ExprId> users;
  const auto each_use = [&](auto&& f) {
    for (ExprId id = 0; id < count; ++id) {
      const Expr& e = rules.expr(id);
      if (e.kind == Expr::Kind::kRule) f(rules.body(e.first), id);
      for (ExprId part : rules.parts(e)) f(part, id);
    }
  };
  each_use([&](ExprId part, ExprId) { ++begins[part + 1]; });
  for (std::size_t i = 0; i < count; ++i) begins[i + 1] += begins[i];
  users.resize(begins[count]);
  std::vector<std::uint32_t> next(begins.begin(), begins.end() - 1);
  each_use([&](ExprId part, ExprId user) { users[next[part]++] = user; });

  std::vector<bool> out(count, false);
  std::vector<std::uint32_t> wanted(count);
  std::vector<ExprId> found;
  for (ExprId id = 0; id < count; ++id) {
    wanted[id] = wanted_parts(rules, rules.expr(id));
    if (wanted[id] == 0) found.push_back(id);
  }
  while (!found.empty()) {
    const ExprId id = found.back();
    found.pop_back();
    if (out[id]) continue;
    out[id] = true;
    for (std::uint32_t i = begins[id]; i < begins[id + 1]; ++i) {
      std::uint32_t& left = wanted[users[i]];
      if (left != kMany && left > 0 && --left == 0) found.push_back(users[i]);
    }
  }
  return out;
}

}  // namespace polaris::grammar
