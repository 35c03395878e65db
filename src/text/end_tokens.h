#pragma once
#include <string_view>
#include <vector>

#include "text/vocabulary.h"

namespace polaris {

/// Whether a token of this text ends what a model has to say, whatever its file calls it: the end
/// of a turn, a text or a message in the chat formats that are about, and the marks between files
/// and repositories of models that fill in code.
bool is_end_text(std::string_view text);

/// The tokens of a vocabulary that end a text: those by their text, and `by_id`, which the file
/// names. Each once, in rising order. `<|end|>` only ends a part where `<|return|>` and `<|call|>`
/// (or `<|calls|>` and `<|flush|>`) are there to end the whole, and `</s>` nothing where
/// `<|tool_response>` does.
std::vector<TokenId> end_tokens(const Vocabulary& vocabulary, const std::vector<TokenId>& by_id);

}  // namespace polaris
