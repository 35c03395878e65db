#include "text/pre_tokenizer_family.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace polaris {

namespace {

constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3})"
    R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2 = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N})"
                                    R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// Words in mixed case are cut where a capital follows.
constexpr std::string_view kGpt4o =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr std::string_view kDigit = R"(\p{N})";
constexpr std::string_view kLineEnd = R"([\r\n])";
constexpr std::string_view kEastAsian = R"([\x{4E00}-\x{9FA5}\x{800}-\x{4E00}\x{AC00}-\x{D7FF}]+)";
// The letters that have case, with those of other scripts left out.
constexpr std::string_view kDeepseekLetters =
    R"(\s?[)"
    R"(A-Za-z\x{B5}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1BA}\x{1BC}-\x{1BF}\x{1C4}-\x{293})"
    R"(\x{295}-\x{2AF}\x{370}-\x{373}\x{376}\x{377}\x{37B}-\x{37D}\x{37F}\x{386}\x{388}-)"
    R"(\x{38A}\x{38C}\x{38E}-\x{3A1}\x{3A3}-\x{3F5}\x{3F7}-\x{481}\x{48A}-\x{52F}\x{531}-)"
    R"(\x{556}\x{10A0}-\x{10C5}\x{13A0}-\x{13F5}\x{13F8}-\x{13FD}\x{1C90}-\x{1CBA})"
    R"(\x{1CBD}-\x{1CBF}\x{1D00}-\x{1D2B}\x{1D6B}-\x{1D77}\x{1D79}-\x{1D9A}\x{1E00}-)"
    R"(\x{1F15}\x{1F18}-\x{1F1D}\x{1F20}-\x{1F45}\x{1F48}-\x{1F4D}\x{1F50}-\x{1F57})"
    R"(\x{1F59}\x{1F5B}\x{1F5D}\x{1F5F}-\x{1F7D}\x{1F80}-\x{1FB4}\x{1FB6}-\x{1FBC})"
    R"(\x{1FBE}\x{1FC2}-\x{1FC4}\x{1FC6}-\x{1FCC}\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB})"
    R"(\x{1FE0}-\x{1FEC}\x{1FF2}-\x{1FF4}\x{1FF6}-\x{1FFC}\x{2102}\x{2107}\x{210A}-)"
    R"(\x{2113}\x{2115}\x{2119}-\x{211D}\x{2124}\x{2126}\x{2128}\x{212A}-\x{212D}\x{212F})"
    R"(-\x{2134}\x{2139}\x{213C}-\x{213F}\x{2145}-\x{2149}\x{214E}\x{2183}\x{2184})"
    R"(\x{2C00}-\x{2C7B}\x{2C7E}-\x{2CE4}\x{2CEB}-\x{2CEE}\x{2CF2}\x{2CF3}\x{A640}-)"
    R"(\x{A66D}\x{A680}-\x{A69B}\x{A722}-\x{A76F}\x{A771}-\x{A787}\x{A78B}-\x{A78E})"
    R"(\x{AB70}-\x{ABBF}\x{FB00}-\x{FB06}\x{FB13}-\x{FB17}\x{FF21}-\x{FF3A}\x{FF41}-)"
    R"(\x{FF5A}\x{10400}-\x{1044F}\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}-)"
    R"(\x{10CB2}\x{10CC0}-\x{10CF2}\x{118A0}-\x{118DF}\x{1E900}-\x{1E943})"
    R"(]+)";

constexpr std::string_view kDeepseekSigns =
    R"(\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3000}-\x{3002}]+)";

using Pattern = std::string_view;
constexpr Pattern kGpt2Steps[] = {kGpt2Pattern};
constexpr Pattern kDigitSteps[] = {kDigit, kGpt2Pattern};
constexpr Pattern kLlama3Steps[] = {kLlama3};
constexpr Pattern kQwen2Steps[] = {kQwen2};
constexpr Pattern kGpt4oSteps[] = {kGpt4o};
constexpr Pattern kFalconSteps[] = {
    R"([\p{P}$+<=>^~|`]+)",
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S))",
    "[0-9][0-9][0-9]",
};
constexpr Pattern kDeepseekCoderSteps[] = {kLineEnd, R"(\s?\p{L}+)", R"(\s?\p{P}+)", kEastAsian,
                                           kDigit};
constexpr Pattern kDeepseekSteps[] = {kLineEnd,  kDeepseekLetters, kDeepseekSigns,
                                      R"(\s+$)", kEastAsian,       R"(\p{N}+)"};

constexpr PreTokenizerFamily kFamilies[] = {
    {"gpt-2", kGpt2Steps},
    {"phi-2", kGpt2Steps},
    {"mpt", kGpt2Steps},
    {"olmo", kGpt2Steps},
    {"jais", kGpt2Steps},
    {"gigachat", kGpt2Steps},
    {"starcoder", kDigitSteps},
    {"refact", kDigitSteps},
    {"command-r", kDigitSteps},
    {"smollm", kDigitSteps},
    {"codeshell", kDigitSteps},
    {"exaone", kDigitSteps},
    {"minerva-7b", kDigitSteps},
    {"llama-bpe", kLlama3Steps, true, true},
    {"llama3", kLlama3Steps, true, true},
    {"llama-v3", kLlama3Steps, true, true},
    {"falcon3", kLlama3Steps, true, true},
    {"falcon-h1", kLlama3Steps, true, true},
    {"pixtral", kLlama3Steps, true, true},
    {"midm-2.0", kLlama3Steps, true, true},
    {"lfm2", kLlama3Steps, true, true},
    {"dbrx", kLlama3Steps},
    {"smaug-bpe", kLlama3Steps},
    {"chatglm-bpe", kLlama3Steps},
    {"glm4", kLlama3Steps},
    {"qwen2", kQwen2Steps},
    {"deepseek-r1-qwen", kQwen2Steps},
    {"stablelm2", kQwen2Steps},
    {"megrez", kQwen2Steps},
    {"hunyuan", kQwen2Steps},
    {"gpt-4o", kGpt4oSteps},
    {"llama4", kGpt4oSteps},
    {"falcon", kFalconSteps},
    {"deepseek-coder", kDeepseekCoderSteps},
    {"deepseek-llm", kDeepseekSteps},
};

}  // namespace

const PreTokenizerFamily* find_pre_tokenizer_family(std::string_view name) {
  const auto at = std::find_if(std::begin(kFamilies), std::end(kFamilies),
                               [&](const auto& family) { return family.name == name; });
  return at == std::end(kFamilies) ? nullptr : at;
}

std::string pre_tokenizer_family_names() {
  std::string out;
  for (const PreTokenizerFamily& family : kFamilies) {
    if (!out.empty()) out += ", ";
    out += family.name;
  }
  return out;
}

std::vector<PreTokenizerStep> byte_level_steps(std::span<const std::string_view> patterns) {
  std::vector<PreTokenizerStep> out;
  for (std::string_view pattern : patterns) {
    PreTokenizerStep step;
    step.pattern = pattern;
    out.push_back(std::move(step));
  }
  PreTokenizerStep letters;
  letters.kind = PreTokenizerStep::Kind::kByteLetters;
  out.push_back(std::move(letters));
  return out;
}

}  // namespace polaris
