#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/normalizer.h"

namespace polaris {

/// Pre-tokenizer steps made ready. Immutable, thread-safe.
class PreTokenizer {
 public:
  /// Errors: as Regex and Normalizer.
  static Result<PreTokenizer> create(const std::vector<PreTokenizerStep>& steps);
  /// The pieces of a text, in order, none of them empty. Errors: exhausted.
  Result<std::vector<std::string>> split(std::string_view text, StretchPlace place) const;

 private:
  struct Step {
    PreTokenizerStep::Kind kind;
    SplitBehavior behavior;
    bool invert;
    Regex pattern;          // of kSplit
    Normalizer normalizer;  // of kNormalize
  };
  static Status split_piece(const Step& step, const std::string& piece,
                            std::vector<std::string>& out);
  std::vector<Step> steps_;
};

}  // namespace polaris
