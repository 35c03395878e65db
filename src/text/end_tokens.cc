#include "text/end_tokens.h"

#include <algorithm>
#include <iterator>

namespace polaris {
namespace {

constexpr std::string_view kEndTexts[] = {
    // Turns, texts and messages.
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "\xE2\x96\x81<EOT>",  // with SentencePiece's visible space
    "[EOT]",
    "[EOS]",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<eos>",
    "<turn|>",
    "<|tool_response>",
    // Padding, repositories and files, when code is filled in.
    "<|fim_pad|>",
    "<fim-pad>",
    "<fim_pad>",
    "<PAD>",
    "[PAD]",
    "<|fim_repo|>",
    "<|repo_name|>",
    "<fim-repo>",
    "<REPO>",
    "<reponame>",
    "<|file_sep|>",
};

}  // namespace

bool is_end_text(std::string_view text) {
  return std::find(std::begin(kEndTexts), std::end(kEndTexts), text) != std::end(kEndTexts);
}

std::vector<TokenId> end_tokens(const Vocabulary& vocabulary, const std::vector<TokenId>& by_id) {
  std::vector<TokenId> out = by_id;
  for (std::string_view text : kEndTexts) {
    if (const auto id = vocabulary.find(text)) out.push_back(*id);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  const auto has = [&](std::string_view text) {
    const auto id = vocabulary.find(text);
    return id && std::binary_search(out.begin(), out.end(), *id);
  };
  const bool calls = has("<|call|>") || has("<|calls|>");
  const bool parts = calls && (has("<|return|>") || has("<|flush|>"));
  const bool tools = has("<|tool_response>");
  std::erase_if(out, [&](TokenId id) {
    const std::string& text = vocabulary.token(id).text;
    return (parts && text == "<|end|>") || (tools && text == "</s>");
  });
  return out;
}

}  // namespace polaris
