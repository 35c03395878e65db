#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer_settings.h"

namespace polaris {

/// How a family of byte-level BPE models cuts text, by the name that GGUF files give it
/// (tokenizer.ggml.pre).
struct PreTokenizerFamily {
  std::string_view name;
  std::span<const std::string_view>
      patterns;              // one after the other, each on the pieces of the last
  bool whole_words = false;  // a piece that is a token is not built up by merges
  bool add_bos = false;      // where the file does not say
};

/// Null for a name that is not known, or whose pattern no vector has proven here.
const PreTokenizerFamily* find_pre_tokenizer_family(std::string_view name);
/// All names, joined with commas.
std::string pre_tokenizer_family_names();

/// Isolated splits at the patterns, then GPT-2's letters for bytes.
std::vector<PreTokenizerStep> byte_level_steps(std::span<const std::string_view> patterns);

/// GPT-2's pattern, which is in use far beyond it.
inline constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

}  // namespace polaris
