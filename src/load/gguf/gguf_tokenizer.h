#pragma once
#include "base/result.h"
#include "ir/model.h"
#include "text/tokenizer_settings.h"

namespace polaris::gguf {

/// What a file's keys say of its tokenizer (tokenizer.ggml.*) and of its chat templates
/// (tokenizer.chat_template*). Errors: unsupported (none, or one
/// that we do not have); invalid, with the key: a value of another type than it has to be, an id
/// that is no token, lists that disagree, a score that is no number.
Result<TokenizerSettings> read_tokenizer(const Metadata& metadata);

}  // namespace polaris::gguf
