#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ir/attrs.h"

namespace polaris {

/// StringSplit: at each delimiter, at runs of white space where it is empty; at most maxsplit
/// times, below 0 at all of them.
struct StringSplitAttrs final : AttrsOf<StringSplitAttrs> {
  std::string delimiter;
  std::int64_t maxsplit = -1;

  void visit(AttrVisitor& v) override {
    v.field("delimiter", delimiter);
    v.field("maxsplit", maxsplit);
  }
};

/// RegexFullMatch: a pattern as RE2 has them.
struct RegexFullMatchAttrs final : AttrsOf<RegexFullMatchAttrs> {
  std::string pattern;

  void visit(AttrVisitor& v) override { v.field("pattern", pattern); }
};

/// StringNormalizer: LOWER, UPPER or NONE; whether stop words are told apart by case.
struct StringNormalizerAttrs final : AttrsOf<StringNormalizerAttrs> {
  std::string case_change_action = "NONE";
  bool is_case_sensitive = false;
  std::string locale;
  std::vector<std::string> stopwords;

  void visit(AttrVisitor& v) override {
    v.field("case_change_action", case_change_action);
    v.field("is_case_sensitive", is_case_sensitive);
    v.field("locale", locale);
    v.field("stopwords", stopwords);
  }
};

}  // namespace polaris
