#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/tokenizer_settings.h"
#include "wire/json.h"

namespace polaris {

/// `[tokenizer.json] PATH, got ..., wanted ...`.
Error json_invalid(std::string_view path, std::string_view got, std::string_view wanted);
Error json_unsupported(std::string_view path, std::string_view got, std::string_view wanted);

/// The "type" of an object. Errors: invalid.
Result<std::string_view> json_type(JsonValue value, const std::string& path);
/// A bool that may be left out (or null). Errors: invalid.
Result<bool> json_flag(JsonValue object, std::string_view name, bool otherwise,
                       const std::string& path);
/// A text that may be left out (or null). Errors: invalid.
Result<std::string> json_text(JsonValue object, std::string_view name, const std::string& path);

/// A pattern object, {"String": ...} or {"Regex": ...}.
struct JsonPattern {
  std::string text;
  bool is_regex = false;
};
Result<JsonPattern> json_pattern(JsonValue value, const std::string& path);

// Parts of tokenizer.json, each null or an object with a type; what a Sequence holds is appended in
// order. Errors: invalid; unsupported with the path and the type.
Status read_json_normalizer(JsonValue value, const std::string& path,
                            std::vector<NormalizerStep>& out);
Status read_json_pre_tokenizer(JsonValue value, const std::string& path, TokenizerSettings& out);
Status read_json_post_processor(JsonValue value, const std::string& path, TokenizerSettings& out);
Status read_json_decoder(JsonValue value, const std::string& path, TokenizerSettings& out);

inline constexpr std::string_view kMetaspaceSign = "\xE2\x96\x81";  // U+2581

}  // namespace polaris
