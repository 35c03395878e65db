#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "text/tokenizer_settings.h"
#include "wire/json.h"

namespace polaris {

/// Adds the tokens of an object {"text": id, ...} at their ids; ids left out in between are unused.
/// `what` names the object in messages. Errors: invalid (no id, ids far beyond the count).
Status read_vocabulary_object(JsonValue object, std::string_view what, std::vector<Token>& tokens);

/// Puts a token at its id, with unused ones before it where ids were left out.
Status put_token(Token token, std::int64_t id, std::string_view what, std::vector<Token>& tokens);

/// Lines of a text, without their ends; a last empty one is left out.
std::vector<std::string_view> lines_of(std::string_view text);

/// "a b" as a merge.
Result<std::pair<std::string, std::string>> parse_merge(std::string_view line);

/// The bytes that base64 stands for, or nothing where it is none.
std::optional<std::string> decode_base64(std::string_view text);

/// The id of a text, where a token has it.
std::optional<TokenId> find_token(const std::vector<Token>& tokens, std::string_view text);

}  // namespace polaris
