#include "pipeline/model_tokenizer.h"

#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/strings.h"
#include "text/end_tokens.h"

namespace polaris {
namespace {

constexpr std::string_view kKeys = "tokenizer.ggml.";

// Reads settings under tokenizer.ggml.; the first thing that is wrong is kept, status() tells.
class Settings {
 public:
  explicit Settings(const Model& model) : model_(model) {}

  /// Null where the file does not say.
  template <class T>
  const T* get(std::string_view name, std::string_view wanted) {
    const auto at = model_.metadata.find(std::string(kKeys) + std::string(name));
    if (at == model_.metadata.end()) return nullptr;
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
  const Status& status() const { return status_; }

 private:
  const Model& model_;
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

}  // namespace

Result<std::unique_ptr<Tokenizer>> make_tokenizer(const Model& model) {
  Settings settings(model);
  const auto* kind = settings.get<std::string>("model", "a text");
  if (!settings.status()) return settings.status().error();
  if (kind == nullptr) return Error::unsupported("[tokenizer] the file describes no tokenizer");
  if (*kind != "llama") {
    return Error::unsupported("[tokenizer] tokenizer.ggml.model, got '" + printable(*kind) +
                              "', wanted 'llama' (SentencePiece BPE)");
  }
  auto tokens = read_tokens(settings);
  if (!settings.status()) return settings.status().error();
  const auto size = static_cast<std::int64_t>(tokens.size());
  auto vocabulary = Vocabulary::create(std::move(tokens));
  if (!vocabulary) return vocabulary.error();
  // Defaults are SentencePiece's ids in Llama 2, for files that leave them out.
  vocabulary->bos = settings.id("bos_token_id", size);
  vocabulary->eos = settings.id("eos_token_id", size);
  vocabulary->unknown = settings.id("unknown_token_id", size);
  if (!vocabulary->bos && size > 1) vocabulary->bos = 1;
  if (!vocabulary->eos && size > 2) vocabulary->eos = 2;
  if (!vocabulary->unknown) vocabulary->unknown = 0;
  vocabulary->add_bos = settings.flag("add_bos_token", true);
  vocabulary->add_eos = settings.flag("add_eos_token", false);
  vocabulary->add_space_prefix = settings.flag("add_space_prefix", true);
  if (!settings.status()) return settings.status().error();
  return make_spm_tokenizer(vocabulary.take());
}

Result<std::vector<TokenId>> model_end_tokens(const Model& model, const Vocabulary& vocabulary) {
  Settings settings(model);
  std::vector<TokenId> named;
  if (vocabulary.eos) named.push_back(*vocabulary.eos);
  for (std::string_view name : {"eot_token_id", "eom_token_id", "fim_pad_token_id",
                                "fim_rep_token_id", "fim_sep_token_id"}) {
    if (const auto id = settings.id(name, vocabulary.size())) named.push_back(*id);
  }
  if (!settings.status()) return settings.status().error();
  return end_tokens(vocabulary, named);
}

}  // namespace polaris
