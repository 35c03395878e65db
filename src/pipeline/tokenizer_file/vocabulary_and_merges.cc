#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "pipeline/tokenizer_file/file_parts.h"
#include "pipeline/tokenizer_file/tokenizer_file.h"
#include "text/pre_tokenizer_family.h"

namespace polaris {
namespace {

constexpr std::string_view kWordEnd = "</w>";

bool is_special(std::string_view text) {
  return (text.starts_with("<|") && text.ends_with("|>")) || text == "<s>" || text == "</s>" ||
         text == "<unk>" || text == "<pad>" || text == "<mask>";
}

// CLIP: words in lower case that end in </w>, between two marks (Radford et al. 2021).
void set_clip(TokenizerSettings& out) {
  using Kind = NormalizerStep::Kind;
  NormalizerStep spaces{Kind::kReplace};
  spaces.is_pattern = true;
  spaces.from = R"(\s+)";
  spaces.to = " ";
  out.normalizer = {{Kind::kForm}, std::move(spaces), {Kind::kLowerCase}};
  PreTokenizerStep words;
  words.pattern = R"('s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)";
  words.behavior = SplitBehavior::kRemoved;
  words.invert = true;
  PreTokenizerStep letters;
  letters.kind = PreTokenizerStep::Kind::kByteLetters;
  out.pre_tokenizer = {std::move(words), std::move(letters)};
  out.word_suffix = kWordEnd;
  out.style = PieceStyle::kWordEnd;
  out.bos = find_token(out.tokens, "<|startoftext|>");
  out.unknown = out.eos;
}

Status read_merges(std::string_view text, TokenizerSettings& out) {
  const auto lines = lines_of(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty() || (i == 0 && lines[i].starts_with("#version"))) continue;
    auto merge = parse_merge(lines[i]);
    if (!merge) return merge.error().with_context("merges.txt, line " + std::to_string(i + 1));
    out.merges.push_back(merge.take());
  }
  if (out.merges.empty()) return Error::invalid("[tokenizer] merges.txt, got no merge");
  return Status::success();
}

}  // namespace

Result<TokenizerSettings> read_vocabulary_and_merges(std::string_view vocabulary,
                                                     std::string_view merges,
                                                     std::string_view added) {
  TokenizerSettings out;
  out.model = TokenModelKind::kBpe;
  out.byte_level = true;
  out.style = PieceStyle::kByteLevel;
  for (const std::string_view text : {vocabulary, added}) {
    if (text.empty()) continue;
    const auto document = JsonDocument::parse(text);
    if (!document) return document.error();
    const std::size_t before = out.tokens.size();
    auto status = read_vocabulary_object((*document).root(), "vocabulary", out.tokens);
    if (!status) return status.error();
    for (std::size_t i = before; before > 0 && i < out.tokens.size(); ++i) {
      if (!out.tokens[i].text.empty()) out.tokens[i].kind = TokenKind::kControl;
    }
  }
  for (Token& token : out.tokens) {
    if (is_special(token.text)) token.kind = TokenKind::kControl;
  }
  if (auto status = read_merges(merges, out); !status) return status.error();
  out.eos = find_token(out.tokens, "<|endoftext|>");
  const auto first = find_token(out.tokens, "<s>");
  const auto last = find_token(out.tokens, "</s>");
  const bool clip = std::any_of(out.merges.begin(), out.merges.end(),
                                [](const auto& merge) { return merge.second.ends_with(kWordEnd); });
  if (clip) {
    set_clip(out);
  } else {
    out.pre_tokenizer = byte_level_steps({&kGpt2Pattern, 1});
    out.bos = first ? first : out.eos;
    if (last) out.eos = last;
  }
  // RoBERTa and CLIP put marks around a text, GPT-2 none.
  if ((clip || (first && last)) && out.bos && out.eos) {
    out.before = {*out.bos};
    out.after = {*out.eos};
  }
  return out;
}

}  // namespace polaris
