#pragma once
#include <memory>

#include "ir/model.h"
#include "text/tokenizer.h"
#include "text/tokenizer_settings.h"

namespace polaris {

/// What a model's metadata says of its tokenizer (tokenizer.ggml.*). Errors: unsupported (none, or
/// one that we do not have); invalid, with the key: a value of another type than it has to be, an
/// id that is no token, lists that disagree, a score that is no number.
Result<TokenizerSettings> model_tokenizer_settings(const Model& model);

/// The tokenizer that a model's metadata describes. Errors: as model_tokenizer_settings.
Result<std::unique_ptr<Tokenizer>> make_tokenizer(const Model& model);

}  // namespace polaris
