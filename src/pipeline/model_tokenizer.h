#pragma once
#include <memory>
#include <vector>

#include "ir/model.h"
#include "text/tokenizer.h"

namespace polaris {

/// The tokenizer that a model's metadata describes (tokenizer.ggml.*). Errors: unsupported (none,
/// or one that we do not have); invalid, with the key: a value of another type than it has to be,
/// an id that is no token, lists that disagree, a score that is no number.
Result<std::unique_ptr<Tokenizer>> make_tokenizer(const Model& model);

/// Any of these ends a text: what the file names, and what is known by its text.
Result<std::vector<TokenId>> model_end_tokens(const Model& model, const Vocabulary& vocabulary);

}  // namespace polaris
