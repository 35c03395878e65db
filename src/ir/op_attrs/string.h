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

/// TfIdfVectorizer: the pool holds all 1-grams, then all 2-grams ..., each starting at its
/// ngram_counts.
struct TfIdfVectorizerAttrs final : AttrsOf<TfIdfVectorizerAttrs> {
  std::int64_t max_gram_length = 1;
  std::int64_t max_skip_count = 0;
  std::int64_t min_gram_length = 1;
  std::string mode = "TF";
  std::vector<std::int64_t> ngram_counts;
  std::vector<std::int64_t> ngram_indexes;
  std::vector<std::int64_t> pool_int64s;
  std::vector<std::string> pool_strings;
  std::vector<float> weights;

  void visit(AttrVisitor& v) override {
    v.field("max_gram_length", max_gram_length);
    v.require("max_gram_length");
    v.field("max_skip_count", max_skip_count);
    v.require("max_skip_count");
    v.field("min_gram_length", min_gram_length);
    v.require("min_gram_length");
    v.field("mode", mode);
    v.require("mode");
    v.field("ngram_counts", ngram_counts);
    v.require("ngram_counts");
    v.field("ngram_indexes", ngram_indexes);
    v.require("ngram_indexes");
    v.field("pool_int64s", pool_int64s);
    v.field("pool_strings", pool_strings);
    v.field("weights", weights);
  }
};

}  // namespace polaris
