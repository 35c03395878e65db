#include <cmath>
#include <utility>

#include "base/regex.h"
#include "base/strings.h"
#include "pipeline/tokenizer_file/file_parts.h"
#include "pipeline/tokenizer_file/json_steps.h"
#include "pipeline/tokenizer_file/tokenizer_file.h"

namespace polaris {

namespace {

std::string message(std::string_view path, std::string_view got, std::string_view wanted) {
  return "[tokenizer.json] " + std::string(path) + ", got " + std::string(got) + ", wanted " +
         std::string(wanted);
}

}  // namespace

Error json_invalid(std::string_view path, std::string_view got, std::string_view wanted) {
  return Error::invalid(message(path, got, wanted));
}

Error json_unsupported(std::string_view path, std::string_view got, std::string_view wanted) {
  return Error::unsupported(message(path, got, wanted));
}

Result<std::string_view> json_type(JsonValue value, const std::string& path) {
  if (const auto type = value["type"].text()) return *type;
  return json_invalid(path, "no type", "an object with a type");
}

Result<bool> json_flag(JsonValue object, std::string_view name, bool otherwise,
                       const std::string& path) {
  const JsonValue value = object[name];
  if (!value || value.is(JsonKind::kNull)) return otherwise;
  if (const auto flag = value.boolean()) return *flag;
  return json_invalid(path + "." + std::string(name), "something else", "a bool");
}

Result<std::string> json_text(JsonValue object, std::string_view name, const std::string& path) {
  const JsonValue value = object[name];
  if (!value || value.is(JsonKind::kNull)) return std::string();
  if (const auto text = value.text()) return std::string(*text);
  return json_invalid(path + "." + std::string(name), "something else", "a text");
}

Result<JsonPattern> json_pattern(JsonValue value, const std::string& path) {
  if (const auto text = value["String"].text()) return JsonPattern{std::string(*text), false};
  const auto regex = value["Regex"].text();
  if (!regex) return json_invalid(path, "something else", "a String or a Regex");
  if (const auto made = Regex::compile(*regex); !made) return made.error().with_context(path);
  return JsonPattern{std::string(*regex), true};
}

namespace {

Status read_unknown(JsonValue model, TokenizerSettings& out) {
  const auto text = json_text(model, "unk_token", "model");
  if (!text) return text.error();
  if ((*text).empty()) return Status::success();
  out.unknown = find_token(out.tokens, *text);
  if (out.unknown) return Status::success();
  return json_invalid("model.unk_token", "'" + printable(*text) + "'", "a token");
}

/// <0xNN> are bytes where the model falls back to them.
void mark_bytes(TokenizerSettings& out) {
  for (Token& token : out.tokens) {
    if (out.byte_fallback && Vocabulary::byte_of(token)) token.kind = TokenKind::kByte;
  }
}

Status read_merges(JsonValue merges, TokenizerSettings& out) {
  if (!merges.is(JsonKind::kArray)) {
    return json_invalid("model.merges", "something else", "a list");
  }
  for (JsonValue v = merges.first(); v; v = v.next()) {
    const auto left = v.is(JsonKind::kArray) && v.size() == 2 ? v.first().text() : std::nullopt;
    const auto right = left ? v.first().next().text() : std::nullopt;
    if (right) {
      out.merges.emplace_back(*left, *right);
      continue;
    }
    auto merge = parse_merge(v.text().value_or(""));
    if (!merge) return merge.error().with_context("model.merges");
    out.merges.push_back(merge.take());
  }
  return Status::success();
}

Status read_bpe(JsonValue model, TokenizerSettings& out) {
  out.model = TokenModelKind::kBpe;
  if (const auto dropout = model["dropout"].number(); dropout && *dropout != 0) {
    return json_unsupported("model.dropout", format_f64(*dropout), "none: it is for training");
  }
  auto status = read_vocabulary_object(model["vocab"], "model.vocab", out.tokens);
  if (status) status = read_merges(model["merges"], out);
  if (status) status = read_unknown(model, out);
  if (!status) return status;
  auto prefix = json_text(model, "continuing_subword_prefix", "model");
  auto suffix = json_text(model, "end_of_word_suffix", "model");
  const auto fuse = json_flag(model, "fuse_unk", false, "model");
  const auto fallback = json_flag(model, "byte_fallback", false, "model");
  const auto whole = json_flag(model, "ignore_merges", false, "model");
  if (!prefix) return prefix.error();
  if (!suffix) return suffix.error();
  if (!fuse) return fuse.error();
  if (!fallback) return fallback.error();
  if (!whole) return whole.error();
  out.continuing_prefix = prefix.take();
  out.word_suffix = suffix.take();
  out.fuse_unknown = *fuse;
  out.byte_fallback = *fallback;
  out.whole_words = *whole;
  mark_bytes(out);
  // Without merges nothing is merged; an empty list would stand for the order of ids.
  if (out.merges.empty()) return json_unsupported("model.merges", "none", "at least one");
  return Status::success();
}

Status read_wordpiece(JsonValue model, TokenizerSettings& out) {
  out.model = TokenModelKind::kWordPiece;
  auto status = read_vocabulary_object(model["vocab"], "model.vocab", out.tokens);
  if (status) status = read_unknown(model, out);
  if (!status) return status;
  auto prefix = json_text(model, "continuing_subword_prefix", "model");
  if (!prefix) return prefix.error();
  out.continuing_prefix = (*prefix).empty() ? "##" : prefix.take();
  out.word_characters_max = model["max_input_chars_per_word"].i64().value_or(100);
  return Status::success();
}

Status read_unigram(JsonValue model, TokenizerSettings& out) {
  out.model = TokenModelKind::kUnigram;
  const JsonValue vocabulary = model["vocab"];
  if (!vocabulary.is(JsonKind::kArray)) {
    return json_invalid("model.vocab", "something else", "a list of texts and scores");
  }
  for (JsonValue v = vocabulary.first(); v; v = v.next()) {
    const auto text = v.is(JsonKind::kArray) ? v.first().text() : std::nullopt;
    const auto score = text ? v.first().next().number() : std::nullopt;
    if (!score || !std::isfinite(*score)) {
      return json_invalid("model.vocab[" + std::to_string(out.tokens.size()) + "]",
                          "something else", "a text and its score");
    }
    out.tokens.push_back({std::string(*text), static_cast<float>(*score), TokenKind::kNormal});
  }
  const auto unknown = model["unk_id"].i64();
  if (!unknown || *unknown < 0 || *unknown >= static_cast<std::int64_t>(out.tokens.size())) {
    return json_invalid("model.unk_id", "none", "a token's number");
  }
  out.unknown = static_cast<TokenId>(*unknown);
  out.tokens[static_cast<std::size_t>(*unknown)].kind = TokenKind::kUnknown;
  const auto fallback = json_flag(model, "byte_fallback", false, "model");
  if (!fallback) return fallback.error();
  out.byte_fallback = *fallback;
  mark_bytes(out);
  return Status::success();
}

Status read_model(JsonValue model, TokenizerSettings& out) {
  // Files of old name no type.
  const std::string_view type = model["type"].text().value_or(model["merges"]   ? "BPE"
                                                              : model["unk_id"] ? "Unigram"
                                                                                : "WordPiece");
  if (type == "BPE") return read_bpe(model, out);
  if (type == "WordPiece") return read_wordpiece(model, out);
  if (type == "Unigram") return read_unigram(model, out);
  return json_unsupported("model.type", "'" + printable(type) + "'",
                          "one of: BPE, WordPiece, Unigram");
}

Status read_added(JsonValue added, TokenizerSettings& out) {
  int index = 0;
  for (JsonValue v = added.first(); v; v = v.next()) {
    const std::string path = "added_tokens[" + std::to_string(index++) + "]";
    const auto text = v["content"].text();
    const auto id = v["id"].i64();
    if (!text || !id) return json_invalid(path, "something else", "a content and an id");
    AddedToken row;
    const auto special = json_flag(v, "special", false, path);
    const auto word = json_flag(v, "single_word", false, path);
    const auto left = json_flag(v, "lstrip", false, path);
    const auto right = json_flag(v, "rstrip", false, path);
    if (!special) return special.error();
    if (!word) return word.error();
    if (!left) return left.error();
    if (!right) return right.error();
    const auto normalized = json_flag(v, "normalized", !*special, path);
    if (!normalized) return normalized.error();
    Token token{std::string(*text), 0, *special ? TokenKind::kControl : TokenKind::kUserDefined};
    if (static_cast<std::uint64_t>(*id) > 2 * out.tokens.size() + 4096) {
      return json_invalid(path + ".id", std::to_string(*id), "one near those of the vocabulary");
    }
    const auto at = static_cast<std::size_t>(*id < 0 ? out.tokens.size() : *id);
    const bool byte = at < out.tokens.size() && out.tokens[at].kind == TokenKind::kByte;
    if (byte) token.kind = TokenKind::kByte;
    token.outside_model = at >= out.tokens.size() || out.tokens[at].text != token.text;
    if (auto status = put_token(std::move(token), *id, path, out.tokens); !status) return status;
    row.id = static_cast<TokenId>(*id);
    row.single_word = *word;
    row.left_strip = *left;
    row.right_strip = *right;
    row.normalized = *normalized;
    out.added.push_back(row);
  }
  return Status::success();
}

}  // namespace

Result<TokenizerSettings> read_tokenizer_json(JsonValue root) {
  TokenizerSettings out;
  out.style = PieceStyle::kPlain;
  Status status = read_model(root["model"], out);
  if (status) status = read_added(root["added_tokens"], out);
  if (status) status = read_json_normalizer(root["normalizer"], "normalizer", out.normalizer);
  if (status) status = read_json_pre_tokenizer(root["pre_tokenizer"], "pre_tokenizer", out);
  if (status) status = read_json_post_processor(root["post_processor"], "post_processor", out);
  if (status) status = read_json_decoder(root["decoder"], "decoder", out);
  if (!status) return status.error();
  return out;
}

}  // namespace polaris
