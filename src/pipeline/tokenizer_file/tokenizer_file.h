#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "load/source.h"
#include "text/tokenizer_settings.h"
#include "wire/json.h"

namespace polaris {

/// Settings of a tokenizer that has a file of its own: tokenizer.json, tokenizer.model of
/// SentencePiece, vocab.json with merges.txt beside it, vocab.txt, a tiktoken file; told apart by
/// their content. Nothing for a file that is none of them. Errors: invalid, unsupported, with what
/// is wrong.
Result<std::optional<TokenizerSettings>> read_tokenizer_file(Source& source);

/// The file of a folder that describes its tokenizer best; empty where there is none.
std::string tokenizer_file_in(const std::string& folder);

// One reader a format. Errors: invalid where the file is malformed; unsupported, by name, for what
// none of our models does.
Result<TokenizerSettings> read_tokenizer_json(JsonValue root);
Result<TokenizerSettings> read_sentencepiece(std::span<const std::byte> file);
Result<TokenizerSettings> read_wordpiece_vocabulary(std::string_view text);
/// `added`: the text of an added_tokens.json, or empty.
Result<TokenizerSettings> read_vocabulary_and_merges(std::string_view vocabulary,
                                                     std::string_view merges,
                                                     std::string_view added);
Result<TokenizerSettings> read_tiktoken(std::string_view text);

}  // namespace polaris
