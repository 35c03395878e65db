#include "pipeline/tokenizer_file/tokenizer_file.h"

#include <algorithm>
#include <utility>

#include "base/os/files.h"
#include "base/strings.h"
#include "pipeline/tokenizer_file/file_parts.h"

namespace polaris {
namespace {

std::string_view text_of(const SourceFile& file) {
  return {reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size()};
}

bool is_json_object(std::string_view text) {
  const std::size_t at = text.find_first_not_of(" \t\r\n");
  return at != std::string_view::npos && text[at] == '{';
}

/// A line of base64, a space, a rank.
bool is_tiktoken(std::string_view text) {
  const std::string_view line = text.substr(0, std::min(text.find('\n'), std::size_t{4096}));
  const std::size_t gap = line.find(' ');
  return gap != std::string_view::npos && gap > 0 && decode_base64(line.substr(0, gap)) &&
         trim(line.substr(gap + 1)) == "0";
}

/// The first field of a SentencePiece model is a piece, which begins with its text.
bool is_sentencepiece(std::string_view text) {
  if (text.size() < 4 || text[0] != '\x0A') return false;
  const std::size_t piece = 1 + (static_cast<unsigned char>(text[1]) >= 0x80 ? 2u : 1u);
  return piece < text.size() && text[piece] == '\x0A';
}

bool is_wordpiece_vocabulary(std::string_view text) {
  const auto has_line = [&](std::string_view line) {
    return text.starts_with(std::string(line) + "\n") ||
           text.find("\n" + std::string(line) + "\n") != std::string_view::npos ||
           text.find("\n" + std::string(line) + "\r\n") != std::string_view::npos;
  };
  return has_line("[UNK]") && has_line("[CLS]");
}

Result<std::optional<TokenizerSettings>> some(Result<TokenizerSettings> settings) {
  if (!settings) return settings.error();
  return std::optional(settings.take());
}

/// vocab.json and merges.txt: one of them was named, the other lies beside it.
Result<std::optional<TokenizerSettings>> read_pair(Source& source, bool named_merges) {
  auto other = source.file(named_merges ? "vocab.json" : "merges.txt");
  if (!other) return other.error();
  const std::string_view main = text_of(source.main());
  const std::string_view beside = text_of(*other);
  const auto added = source.file("added_tokens.json");
  if (!added && added.error().code() != ErrorCode::kNotFound) return added.error();
  return some(read_vocabulary_and_merges(named_merges ? beside : main, named_merges ? main : beside,
                                         added ? text_of(*added) : std::string_view()));
}

}  // namespace

Result<std::optional<TokenizerSettings>> read_tokenizer_file(Source& source) {
  const std::string_view text = text_of(source.main());
  if (is_json_object(text)) {
    const auto document = JsonDocument::parse(text);
    if (!document) return document.error();
    const JsonValue root = (*document).root();
    if (root["model"].is(JsonKind::kObject)) return some(read_tokenizer_json(root));
    // A vocabulary has nothing but ids.
    const bool ids = root.first() && root.first().i64().has_value();
    if (ids) return read_pair(source, false);
    return std::optional<TokenizerSettings>();
  }
  if (text.starts_with("#version")) return read_pair(source, true);
  if (is_tiktoken(text)) return some(read_tiktoken(text));
  if (is_sentencepiece(text)) return some(read_sentencepiece(source.main().bytes));
  if (is_wordpiece_vocabulary(text)) return some(read_wordpiece_vocabulary(text));
  return std::optional<TokenizerSettings>();
}

std::string tokenizer_file_in(const std::string& folder) {
  for (const char* name : {"tokenizer.json", "vocab.json", "tokenizer.model", "vocab.txt"}) {
    const std::string path = folder + "/" + name;
    if (path_kind(path) == PathKind::kFile) return path;
  }
  return {};
}

}  // namespace polaris
