#include "pipeline/tokenizer_beside.h"

#include <memory>
#include <utility>
#include <variant>

#include "base/os/files.h"
#include "base/strings.h"
#include "pipeline/tokenizer_file/tokenizer_file.h"

namespace polaris {
namespace {

constexpr std::size_t kConfigMax = std::size_t{16} << 20;
constexpr std::size_t kTemplateMax = std::size_t{1} << 20;
constexpr std::size_t kTemplatesMax = 64;

/// The text of a file beside; empty where there is none.
Result<std::string_view> text_beside(Source& source, const char* name, std::size_t most) {
  const auto file = source.file(name);
  if (!file && file.error().code() == ErrorCode::kNotFound) return std::string_view();
  if (!file) return file.error();
  if (file->bytes.size() > most) {
    return Error::invalid("[" + std::string(name) + "] got " + std::to_string(file->bytes.size()) +
                          " bytes, wanted at most " + std::to_string(most));
  }
  return std::string_view(reinterpret_cast<const char*>(file->bytes.data()), file->bytes.size());
}

/// One template, or a list of them with names.
Status read_templates(JsonValue value, TokenizerSettings& out) {
  if (!value || value.is(JsonKind::kNull)) return Status::success();
  const auto add = [&](std::string_view name, std::string_view text) {
    if (text.size() <= kTemplateMax) out.chat_templates.emplace(name, text);
    return text.size() <= kTemplateMax;
  };
  bool good = false;
  if (const auto text = value.text()) {
    good = add("default", *text);
  } else if (value.is(JsonKind::kArray)) {
    good = value.size() <= kTemplatesMax;
    for (JsonValue v = value.first(); good && v; v = v.next()) {
      const auto name = v["name"].text();
      const auto content = v["template"].text();
      good = name && content && add(*name, *content);
    }
  }
  if (good) return Status::success();
  return Error::invalid(
      "[tokenizer_config.json] 'chat_template', got another value, wanted a text of at most 1 MiB, "
      "or a list of at most 64 with their names");
}

Status read_chat_templates(Source& source, TokenizerSettings& out) {
  const auto alone = text_beside(source, "chat_template.jinja", kTemplateMax);
  if (!alone) return alone.error();
  if (!alone->empty()) {
    out.chat_templates.emplace("default", *alone);
    return Status::success();
  }
  const auto text = text_beside(source, "tokenizer_config.json", kConfigMax);
  if (!text) return text.error();
  if (text->empty()) return Status::success();
  const auto document = JsonDocument::parse(*text);
  if (!document) return document.error().with_context("tokenizer_config.json");
  return read_templates(document->root()["chat_template"], out);
}

/// Ids that the model's configuration says end a text.
Status read_ends(const Model& model, TokenizerSettings& out) {
  const auto at = model.hyperparameters.find("end_tokens");
  if (at == model.hyperparameters.end()) return Status::success();
  const auto* ids = std::get_if<std::vector<std::int64_t>>(&at->second);
  for (const std::int64_t id : ids != nullptr ? *ids : std::vector<std::int64_t>()) {
    if (id < 0 || std::cmp_greater_equal(id, out.tokens.size())) {
      return Error::invalid("[tokenizer] token that ends a text, got " + std::to_string(id) +
                            ", wanted one of the " + std::to_string(out.tokens.size()) +
                            " of the tokenizer");
    }
    out.ends.push_back(static_cast<TokenId>(id));
  }
  return Status::success();
}

Result<TokenizerSettings> read_settings(const std::string& file, const Model& model) {
  auto source = Source::open_in(path_folder(file), path_name(file));
  if (!source) return source.error();
  auto settings = read_tokenizer_file(*source);
  if (settings && !*settings) {
    return Error::unsupported("[tokenizer] '" + file + "' is of no kind known here");
  }
  Status status = settings ? read_ends(model, **settings) : Status(settings.error());
  if (status) status = read_chat_templates(*source, **settings);
  if (auto whole = source->check(); !whole) return whole.error();
  if (!status) return status.error().with_context("'" + file + "'");
  return std::move(**settings);
}

}  // namespace

Status read_tokenizer_beside(const std::string& path, Model& model) {
  const bool texts = model.decoder || model.embedder;
  if (model.tokenizer || !texts || !model.no_tokenizer) return Status::success();
  const std::string folder = path_kind(path) == PathKind::kFolder ? path : path_folder(path);
  const std::string file = tokenizer_file_in(folder);
  if (file.empty()) {
    model.no_tokenizer = Error::not_found("[tokenizer] the model's file has none, and '" + folder +
                                          "' no tokenizer.json, vocab.json with merges.txt, "
                                          "tokenizer.model or vocab.txt");
    return Status::success();
  }
  auto settings = read_settings(file, model);
  if (!settings) return settings.error();
  model.tokenizer = std::make_shared<const TokenizerSettings>(settings.take());
  return Status::success();
}

}  // namespace polaris
