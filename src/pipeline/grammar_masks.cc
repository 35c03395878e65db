#include "pipeline/grammar_masks.h"

#include <algorithm>

namespace polaris {
namespace {

std::string no_token(const grammar::Matcher& matcher) {
  return "[grammar] the model has no token that may come next, wanted one that begins with one of "
         "'" +
         matcher.wanted() + "'";
}

/// What no token begins is refused before the prompt is computed.
Result<grammar::Matcher> checked(grammar::Matcher matcher) {
  const auto allowed = matcher.allowed();
  if (!allowed) return allowed.error();
  if (!matcher.may_end() && grammar::TokenMask{*allowed, {}}.empty()) {
    return Error::invalid(no_token(matcher));
  }
  return matcher;
}

}  // namespace

Result<grammar::Matcher> GrammarMasks::begin(const std::shared_ptr<const grammar::Grammar>& grammar,
                                             const LanguageModel& model) {
  if (!model.tokenizer) {
    return Error::unsupported("[grammar] got a model without a tokenizer, wanted one");
  }
  if (!tries_) {
    tries_ = std::make_shared<grammar::TokenTries>(
        *model.tokenizer, static_cast<std::size_t>(model.vocabulary), model.end_tokens);
  }
  std::erase_if(masks_, [](const auto& masks) { return masks.expired(); });
  for (const auto& shared : masks_) {
    auto masks = shared.lock();
    if (masks && masks->grammar() == grammar) return checked(grammar::Matcher(std::move(masks)));
  }
  auto masks = std::make_shared<grammar::Masks>(grammar, tries_);
  masks_.push_back(masks);
  return checked(grammar::Matcher(std::move(masks)));
}

Result<GrammarPick> pick_by_grammar(grammar::Matcher& matcher,
                                    FunctionRef<Result<TokenId>(const grammar::TokenMask&)> sample,
                                    std::span<const TokenId> ends) {
  GrammarPick out;
  const auto allowed = matcher.allowed();
  if (!allowed) {
    out.error = allowed.error().message();
    return out;
  }
  const bool may_end = matcher.may_end();
  const grammar::TokenMask mask{*allowed, may_end ? ends : std::span<const TokenId>()};
  if (mask.empty()) {
    if (!may_end) out.error = no_token(matcher);
    return out;
  }
  const auto token = sample(mask);
  if (!token) return token.error();
  if (std::find(ends.begin(), ends.end(), *token) == ends.end()) {
    if (auto status = matcher.prepare(*token); !status) {
      out.error = status.error().message();
      return out;
    }
  }
  out.token = *token;
  return out;
}

}  // namespace polaris
