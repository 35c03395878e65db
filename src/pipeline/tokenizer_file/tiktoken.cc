#include <algorithm>
#include <iterator>
#include <utility>

#include "base/strings.h"
#include "pipeline/tokenizer_file/file_parts.h"
#include "pipeline/tokenizer_file/tokenizer_file.h"
#include "text/byte_letters.h"
#include "text/pre_tokenizer_family.h"

namespace polaris {
namespace {

struct Special {
  std::int64_t id;
  std::string_view text;
};

/// What programs know of the files and the files do not say.
struct Known {
  std::size_t ranks;
  std::string_view family;
  std::span<const Special> special;
  std::int64_t bos = -1;
};

constexpr Special kGpt2[] = {{50256, "<|endoftext|>"}};
constexpr Special kWhisper[] = {{50257, "<|endoftext|>"}};
constexpr Special kCl100k[] = {{100257, "<|endoftext|>"},
                               {100258, "<|fim_prefix|>"},
                               {100259, "<|fim_middle|>"},
                               {100260, "<|fim_suffix|>"},
                               {100276, "<|endofprompt|>"}};
constexpr Special kLlama3[] = {{128000, "<|begin_of_text|>"},
                               {128001, "<|end_of_text|>"},
                               {128004, "<|finetune_right_pad_id|>"},
                               {128006, "<|start_header_id|>"},
                               {128007, "<|end_header_id|>"},
                               {128008, "<|eom_id|>"},
                               {128009, "<|eot_id|>"},
                               {128010, "<|python_tag|>"}};
constexpr Special kO200k[] = {{199999, "<|endoftext|>"}, {200018, "<|endofprompt|>"}};
constexpr Special kLlama4[] = {
    {200000, "<|begin_of_text|>"}, {200001, "<|end_of_text|>"}, {200002, "<|fim_prefix|>"},
    {200003, "<|fim_middle|>"},    {200004, "<|fim_suffix|>"},  {200005, "<|header_start|>"},
    {200006, "<|header_end|>"},    {200007, "<|eom|>"},         {200008, "<|eot|>"}};

constexpr Known kFiles[] = {
    {50256, "gpt-2", kGpt2},
    {50257, "gpt-2", kWhisper},
    {100256, "llama-bpe", kCl100k},  // the pattern is the same
    {128000, "llama-bpe", kLlama3, 128000},
    {199998, "gpt-4o", kO200k},
    {200000, "gpt-4o", kLlama4, 200000},
};

}  // namespace

Result<TokenizerSettings> read_tiktoken(std::string_view text) {
  TokenizerSettings out;
  const auto lines = lines_of(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    const std::size_t gap = lines[i].find(' ');
    const auto bytes = decode_base64(lines[i].substr(0, gap));
    const auto rank =
        gap == std::string_view::npos ? std::nullopt : parse_i64(lines[i].substr(gap + 1));
    // Ranks are the ids, and come in order in every file.
    if (!bytes || !rank || *rank != static_cast<std::int64_t>(out.tokens.size())) {
      return Error::invalid("[tiktoken] line " + std::to_string(i + 1) + ", got '" +
                            printable(lines[i]) + "', wanted base64 and the rank " +
                            std::to_string(out.tokens.size()));
    }
    // Whisper's files have one that stands for nothing.
    out.tokens.push_back(
        {to_byte_letters(*bytes), 0, bytes->empty() ? TokenKind::kUnused : TokenKind::kNormal});
  }
  const auto known = std::find_if(std::begin(kFiles), std::end(kFiles), [&](const Known& file) {
    return file.ranks == out.tokens.size();
  });
  if (known == std::end(kFiles)) {
    return Error::unsupported("[tiktoken] ranks, got " + std::to_string(out.tokens.size()) +
                              ", which is no file known here: it does not say how text is cut");
  }
  for (const Special& special : known->special) {
    auto status = put_token({std::string(special.text), 0, TokenKind::kControl}, special.id,
                            "special token", out.tokens);
    if (!status) return status.error();
  }
  const PreTokenizerFamily& family = *find_pre_tokenizer_family(known->family);
  out.model = TokenModelKind::kBpe;
  out.byte_level = true;
  out.style = PieceStyle::kByteLevel;
  out.pre_tokenizer = byte_level_steps(family.patterns);
  out.whole_words = true;  // as tiktoken does it whatever the family
  out.eos = find_token(out.tokens, "<|endoftext|>");
  if (!out.eos) out.eos = find_token(out.tokens, "<|end_of_text|>");
  if (known->bos >= 0) {
    out.bos = static_cast<TokenId>(known->bos);
    out.before = {*out.bos};
  }
  return out;
}

}  // namespace polaris
