#include "load/gguf/gguf_tokenizer.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/strings.h"
#include "text/bert_steps.h"
#include "text/end_tokens.h"
#include "text/pre_tokenizer_family.h"

namespace polaris::gguf {
namespace {

constexpr std::string_view kKeys = "tokenizer.ggml.";

// Reads settings under tokenizer.ggml.; the first thing that is wrong is kept, status() tells.
class Settings {
 public:
  explicit Settings(const Metadata& metadata) : metadata_(metadata) {}

  /// Null where the file does not say.
  template <class T>
  const T* get(std::string_view name, std::string_view wanted) {
    const auto at = metadata_.find(std::string(kKeys) + std::string(name));
    if (at == metadata_.end()) return nullptr;
    const T* value = std::get_if<T>(&at->second);
    if (value == nullptr) fail(name, "a value of another type", wanted);
    return value;
  }

  std::optional<TokenId> id(std::string_view name, std::int64_t size) {
    const auto* value = get<std::int64_t>(name, "a token's number");
    if (value == nullptr) return std::nullopt;
    if (*value >= 0 && *value < size) return static_cast<TokenId>(*value);
    fail(name, std::to_string(*value), "0 to " + std::to_string(size - 1));
    return std::nullopt;
  }

  bool flag(std::string_view name, bool otherwise) {
    const bool* value = get<bool>(name, "a bool");
    return value != nullptr ? *value : otherwise;
  }

  void fail(std::string_view name, const std::string& got, std::string_view wanted) {
    if (!status_) return;
    status_ = Error::invalid("[tokenizer] " + std::string(kKeys) + std::string(name) + ", got " +
                             got + ", wanted " + std::string(wanted));
  }
  void refuse(std::string_view name, const std::string& got, const std::string& wanted) {
    if (!status_) return;
    status_ = Error::unsupported("[tokenizer] " + std::string(kKeys) + std::string(name) +
                                 ", got " + got + ", wanted " + wanted);
  }
  const Status& status() const { return status_; }

 private:
  const Metadata& metadata_;
  Status status_;
};

std::vector<Token> read_tokens(Settings& settings) {
  const auto* texts = settings.get<std::vector<std::string>>("tokens", "a list of texts");
  const auto* scores = settings.get<std::vector<double>>("scores", "a list of floats");
  const auto* kinds = settings.get<std::vector<std::int64_t>>("token_type", "a list of integers");
  if (texts == nullptr) {
    settings.fail("tokens", "nothing", "a list of texts");
    return {};
  }
  const std::string count = std::to_string(texts->size()) + " as tokens";
  if (scores != nullptr && scores->size() != texts->size()) {
    settings.fail("scores", std::to_string(scores->size()), count);
  }
  if (kinds != nullptr && kinds->size() != texts->size()) {
    settings.fail("token_type", std::to_string(kinds->size()), count);
  }
  if (!settings.status()) return {};
  std::vector<Token> tokens(texts->size());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    Token& token = tokens[i];
    token.text = (*texts)[i];
    if (scores != nullptr) token.score = static_cast<float>((*scores)[i]);
    if (std::isnan(token.score)) settings.fail("scores", "nan", "numbers");
    const std::int64_t kind = kinds != nullptr ? (*kinds)[i] : 1;
    if (kind < 0 || kind > 6) settings.fail("token_type", std::to_string(kind), "0 to 6");
    if (kind >= 1 && kind <= 6) token.kind = static_cast<TokenKind>(kind);
    // Converters have called such tokens plain text.
    if (is_end_text(token.text)) token.kind = TokenKind::kControl;
  }
  return tokens;
}

constexpr std::string_view kMetaspace = "\xE2\x96\x81";  // U+2581

NormalizerStep prepend_space() {
  NormalizerStep step{NormalizerStep::Kind::kPrepend};
  step.when = NormalizerStep::When::kAfterSpecial;
  step.to = " ";
  return step;
}

NormalizerStep show_spaces() {
  NormalizerStep step{NormalizerStep::Kind::kReplace};
  step.from = " ";
  step.to = kMetaspace;
  return step;
}

/// The special tokens that stand around a text.
struct Special {
  std::optional<TokenId> bos, eos, unknown;
  bool add_bos = false;
  bool add_eos = false;
};

void set_special(Settings& settings, Special otherwise, std::int64_t size, TokenizerSettings& out) {
  const auto id = [&](std::string_view name, std::optional<TokenId> other) {
    const auto given = settings.id(name, size);
    return given || !other || *other >= size ? given : other;
  };
  out.bos = id("bos_token_id", otherwise.bos);
  out.eos = id("eos_token_id", otherwise.eos);
  out.unknown = id("unknown_token_id", otherwise.unknown);
  if (settings.flag("add_bos_token", otherwise.add_bos) && out.bos) out.before = {*out.bos};
  if (settings.flag("add_eos_token", otherwise.add_eos) && out.eos) out.after = {*out.eos};
}

// Defaults are SentencePiece's ids in Llama 2, for files that leave them out.
void read_spm(Settings& settings, std::int64_t size, TokenizerSettings& out) {
  out.model = TokenModelKind::kSpm;
  set_special(settings, {1, 2, 0, true, false}, size, out);
  out.strip_first_space = settings.flag("add_space_prefix", true);
  if (out.strip_first_space) out.normalizer.push_back(prepend_space());
  out.normalizer.push_back(show_spaces());
}

void read_unigram(Settings& settings, std::int64_t size, TokenizerSettings& out) {
  out.model = TokenModelKind::kUnigram;
  set_special(settings, {std::nullopt, 1, 2, false, true}, size, out);
  using Bytes = std::vector<std::int64_t>;
  if (const auto* map = settings.get<Bytes>("precompiled_charsmap", "a list of bytes")) {
    NormalizerStep step{NormalizerStep::Kind::kCharsMap};
    for (std::int64_t byte : *map) step.to += static_cast<char>(byte & 0xFF);
    if (!step.to.empty()) out.normalizer.push_back(std::move(step));
  }
  if (settings.flag("remove_extra_whitespaces", false)) {
    out.normalizer.push_back({NormalizerStep::Kind::kSqueezeSpaces});
  }
  out.strip_first_space = settings.flag("add_space_prefix", true);
  if (out.strip_first_space) out.normalizer.push_back(prepend_space());
  out.normalizer.push_back(show_spaces());
}

void read_wordpiece(Settings& settings, std::int64_t size, TokenizerSettings& out) {
  out.model = TokenModelKind::kWordPiece;
  out.style = PieceStyle::kWordPiece;
  out.word_prefix = kMetaspace;
  set_special(settings, {101, std::nullopt, 100, false, false}, size, out);
  const auto given = settings.id("cls_token_id", size);
  const auto separator = settings.id("seperator_token_id", size);  // as files spell it
  const auto first = given ? given : out.bos;
  if (first && settings.flag("add_bos_token", true)) out.before = {*first};
  if (separator && settings.flag("add_eos_token", true)) out.after = {*separator};
  out.normalizer = bert_normalizer({});
  out.pre_tokenizer = bert_pre_tokenizer();
  out.strip_first_space = true;
  out.clean_up_spaces = true;
}

void read_bpe(Settings& settings, std::int64_t size, TokenizerSettings& out) {
  out.model = TokenModelKind::kBpe;
  out.style = PieceStyle::kByteLevel;
  out.byte_level = true;
  const auto* pre = settings.get<std::string>("pre", "a text");
  const auto* merges = settings.get<std::vector<std::string>>("merges", "a list of texts");
  if (!settings.status()) return;
  if (merges == nullptr || merges->empty()) return settings.fail("merges", "nothing", "a list");
  const PreTokenizerFamily* family = find_pre_tokenizer_family(pre == nullptr ? "" : *pre);
  if (family == nullptr) {
    return settings.refuse("pre", pre == nullptr ? "nothing" : "'" + printable(*pre) + "'",
                           "one of: " + pre_tokenizer_family_names());
  }
  set_special(settings, {std::nullopt, std::nullopt, std::nullopt, family->add_bos, false}, size,
              out);
  out.pre_tokenizer = byte_level_steps(family->patterns);
  out.whole_words = family->whole_words;
  out.merges.reserve(merges->size());
  for (const std::string& merge : *merges) {
    const std::size_t gap = merge.find(' ', 1);  // a space at the front is one to be merged
    if (gap == std::string::npos) {
      return settings.fail("merges", "'" + printable(merge) + "'", "two texts and a space between");
    }
    out.merges.emplace_back(merge.substr(0, gap), merge.substr(gap + 1));
  }
}

/// White space beside special tokens that belongs to them, which no key tells: by the models'
/// names, as llama.cpp knows them.
void set_strips(const Metadata& metadata, TokenizerSettings& out) {
  const auto text = [&](std::string_view key) {
    const auto at = metadata.find(key);
    const auto* value = at == metadata.end() ? nullptr : std::get_if<std::string>(&at->second);
    std::string lower = value == nullptr ? "" : *value;
    for (char& c : lower) c = static_cast<char>(to_lower(static_cast<unsigned char>(c)));
    return lower;
  };
  const std::string name = text("general.name");
  const bool phi3 =
      name.find("phi-3") != std::string::npos || name.find("phi3") != std::string::npos;
  const bool mask = text("general.architecture") == "nomic-bert-moe";
  if (!phi3 && !mask) return;
  for (std::size_t i = 0; i < out.tokens.size(); ++i) {
    const Token& token = out.tokens[i];
    AddedToken added{static_cast<TokenId>(i)};
    added.left_strip = mask && token.text == "<mask>";
    const bool special = token.kind == TokenKind::kControl || token.kind == TokenKind::kUnknown ||
                         token.kind == TokenKind::kUserDefined;
    added.right_strip = phi3 && special && token.text != "<unk>" && token.text != "<s>" &&
                        token.text != "<|endoftext|>";
    if (added.left_strip || added.right_strip) out.added.push_back(added);
  }
}

void read_ends(Settings& settings, std::int64_t size, TokenizerSettings& out) {
  for (std::string_view name : {"eot_token_id", "eom_token_id", "fim_pad_token_id",
                                "fim_rep_token_id", "fim_sep_token_id"}) {
    if (const auto id = settings.id(name, size)) out.ends.push_back(*id);
  }
}

/// tokenizer.chat_template is the usual one, tokenizer.chat_template.NAME are others.
Status read_chat_templates(const Metadata& metadata, TokenizerSettings& out) {
  constexpr std::string_view key = "tokenizer.chat_template";
  for (auto at = metadata.lower_bound(key); at != metadata.end(); ++at) {
    std::string_view name = at->first;
    if (!name.starts_with(key)) break;
    name.remove_prefix(key.size());
    if (!name.empty() && name[0] != '.') continue;  // ..._templates lists the names
    const auto* text = std::get_if<std::string>(&at->second);
    if (text == nullptr) {
      return Error::invalid("[tokenizer] " + printable(at->first) +
                            ", got a value of another type, wanted a text");
    }
    out.chat_templates.emplace(name.empty() ? "default" : name.substr(1), *text);
  }
  return Status::success();
}

struct Reader {
  std::string_view name;  // tokenizer.ggml.model
  void (*read)(Settings&, std::int64_t size, TokenizerSettings&);
};

constexpr Reader kReaders[] = {
    {"llama", read_spm}, {"gpt2", read_bpe}, {"bert", read_wordpiece}, {"t5", read_unigram}};

}  // namespace

Result<TokenizerSettings> read_tokenizer(const Metadata& metadata) {
  Settings settings(metadata);
  const auto* kind = settings.get<std::string>("model", "a text");
  if (!settings.status()) return settings.status().error();
  if (kind == nullptr) return Error::unsupported("[tokenizer] the file describes no tokenizer");
  const auto reader = std::find_if(std::begin(kReaders), std::end(kReaders),
                                   [&](const Reader& r) { return r.name == *kind; });
  if (reader == std::end(kReaders)) {
    return Error::unsupported("[tokenizer] tokenizer.ggml.model, got '" + printable(*kind) +
                              "', wanted one of: llama, gpt2, bert, t5");
  }
  TokenizerSettings out;
  out.tokens = read_tokens(settings);
  if (!settings.status()) return settings.status().error();
  const auto size = static_cast<std::int64_t>(out.tokens.size());
  reader->read(settings, size, out);
  read_ends(settings, size, out);
  if (!settings.status()) return settings.status().error();
  if (auto status = read_chat_templates(metadata, out); !status) return status.error();
  set_strips(metadata, out);
  return out;
}

}  // namespace polaris::gguf
