#pragma once
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/function_ref.h"
#include "base/result.h"
#include "pipeline/language_model.h"
#include "text/grammar/matcher.h"

namespace polaris {

/// What the grammars of one model's texts share: what its tokens write, and masks of those grammars
/// that several texts have. Not thread-safe.
class GrammarMasks {
 public:
  /// A text's beginning. Errors: unsupported where the model has no tokenizer, invalid where no
  /// token of it begins a text of the grammar, exhausted as Matcher::allowed.
  Result<grammar::Matcher> begin(const std::shared_ptr<const grammar::Grammar>& grammar,
                                 const LanguageModel& model);

 private:
  std::shared_ptr<const grammar::TokenTries> tries_;
  std::vector<std::weak_ptr<grammar::Masks>> masks_;
};

/// A token, or none: the text is whole and cannot go on, or `error` says why it cannot.
struct GrammarPick {
  TokenId token = -1;
  std::string error;
};
/// Picks among what a grammar allows, and prepares the matcher to go on by it, unless it is one of
/// `ends`.
/// `sample` picks one of a mask's tokens. Errors: those of `sample`.
Result<GrammarPick> pick_by_grammar(grammar::Matcher& matcher,
                                    FunctionRef<Result<TokenId>(const grammar::TokenMask&)> sample,
                                    std::span<const TokenId> ends);

}  // namespace polaris
