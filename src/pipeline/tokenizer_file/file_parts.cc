#include "pipeline/tokenizer_file/file_parts.h"

#include <utility>

#include "base/strings.h"

namespace polaris {

Status put_token(Token token, std::int64_t id, std::string_view what, std::vector<Token>& tokens) {
  // A gap may be for special tokens to come; a number of another size is no id.
  const auto most = static_cast<std::int64_t>(Vocabulary::kTokensMax);
  if (id < 0 || id >= most) {
    return Error::invalid("[tokenizer] " + std::string(what) + ", got id " + std::to_string(id) +
                          ", wanted 0 to " + std::to_string(most - 1));
  }
  const auto at = static_cast<std::size_t>(id);
  while (tokens.size() <= at) tokens.push_back({"", 0, TokenKind::kUnused, true});
  tokens[at] = std::move(token);
  return Status::success();
}

Status read_vocabulary_object(JsonValue object, std::string_view what, std::vector<Token>& tokens) {
  if (!object.is(JsonKind::kObject)) {
    return Error::invalid("[tokenizer] " + std::string(what) + ", wanted an object of ids");
  }
  const std::size_t count = tokens.size() + object.size();
  for (JsonValue v = object.first(); v; v = v.next()) {
    const auto id = v.i64();
    // Real files leave out a few ids at most; twice the count bounds what a file can make us hold.
    if (!id || *id < 0 || static_cast<std::uint64_t>(*id) > 2 * count + 1024) {
      return Error::invalid("[tokenizer] " + std::string(what) + " '" + printable(v.name()) +
                            "', wanted an id below " + std::to_string(2 * count + 1024));
    }
    auto status = put_token({std::string(v.name()), 0, TokenKind::kNormal}, *id, what, tokens);
    if (!status) return status;
  }
  return Status::success();
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out = split(text, '\n');
  if (!out.empty() && out.back().empty()) out.pop_back();
  for (std::string_view& line : out) {
    if (line.ends_with('\r')) line.remove_suffix(1);
  }
  return out;
}

Result<std::pair<std::string, std::string>> parse_merge(std::string_view line) {
  const std::size_t gap = line.find(' ', 1);  // a space at the front is one to be merged
  if (line.empty() || gap == std::string_view::npos || gap + 1 == line.size()) {
    return Error::invalid("[tokenizer] merge, got '" + printable(line) +
                          "', wanted two texts and a space between them");
  }
  return std::pair{std::string(line.substr(0, gap)), std::string(line.substr(gap + 1))};
}

std::optional<std::string> decode_base64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    const auto in = [&](char low, char high) { return c >= low && c <= high; };
    int value = -1;
    if (in('A', 'Z')) value = c - 'A';
    if (in('a', 'z')) value = c - 'a' + 26;
    if (in('0', '9')) value = c - '0' + 52;
    if (c == '+') value = 62;
    if (c == '/') value = 63;
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xFF);
  }
  return out;
}

std::optional<TokenId> find_token(const std::vector<Token>& tokens, std::string_view text) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].text == text && tokens[i].kind != TokenKind::kUnused) {
      return static_cast<TokenId>(i);
    }
  }
  return std::nullopt;
}

}  // namespace polaris
