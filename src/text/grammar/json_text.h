#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/grammar/rules.h"

namespace polaris::grammar {

/// Pieces of JSON's own grammar, each made once. Characters of texts are written as they are where
/// JSON lets them, else by their short escape, else as \u00XX; any_character() takes other escapes
/// too.
class JsonText {
 public:
  explicit JsonText(Rules& rules) : rules_(rules) {}
  Rules& rules() { return rules_; }

  /// Nothing, a space, or a line end with indentation: 0 to 64 spaces or tabs.
  ExprId space();
  /// What a character may be written as, in any of JSON's ways. No surrogate stands alone.
  ExprId any_character();
  ExprId written_character() { return characters({{0, 0x10FFFF}}); }
  ExprId characters(const CharRanges& ranges);
  /// `"` around it.
  ExprId quoted(ExprId inside);
  /// The text with its quotes.
  static std::string escaped(std::string_view utf8);
  /// One of these, which are bytes; equal beginnings are written once.
  ExprId one_of(std::vector<std::string> texts);
  /// A text in quotes that is none of `names`.
  ExprId other_name(std::span<const std::string> names);
  /// `(part ("," part)*)` between min and max times with the spaces of a list, without brackets.
  ExprId list(ExprId part, std::uint32_t min, std::uint32_t max);
  /// A comma and what may stand behind it.
  ExprId comma();

 private:
  ExprId made_once(std::optional<RuleId>& rule, const char* name, ExprId (JsonText::*make)());
  ExprId make_space();
  ExprId make_any_character();
  ExprId make_written();
  ExprId make_comma();
  ExprId factored(std::span<const std::string> texts, std::size_t at, int depth);
  RuleId unlike(std::span<const std::u32string> names, std::size_t at);

  Rules& rules_;
  std::optional<RuleId> space_;
  std::optional<RuleId> any_;
  std::optional<RuleId> written_;
  std::optional<RuleId> comma_;
};

}  // namespace polaris::grammar
