// Post-processors and decoders of tokenizer.json.
#include <utility>

#include "base/strings.h"
#include "pipeline/tokenizer_file/json_steps.h"

namespace polaris {
namespace {

/// ["text", id]
Result<TokenId> read_pair(JsonValue value, const std::string& path) {
  const auto id =
      value.is(JsonKind::kArray) && value.size() == 2 ? value.first().next().i64() : std::nullopt;
  if (!id || *id < 0 || *id >= static_cast<std::int64_t>(Vocabulary::kTokensMax)) {
    return json_invalid(path, "something else", "a text and an id");
  }
  return static_cast<TokenId>(*id);
}

Status read_bert(JsonValue value, const std::string& path, TokenizerSettings& out) {
  const auto first = read_pair(value["cls"], path + ".cls");
  const auto last = read_pair(value["sep"], path + ".sep");
  if (!first) return first.error();
  if (!last) return last.error();
  out.bos = *first;
  out.before = {*first};
  out.after = {*last};
  return Status::success();
}

/// The ids of a special token of a template.
Status read_special(JsonValue special, std::string_view name, const std::string& path,
                    std::vector<TokenId>& out) {
  const JsonValue ids = special[name]["ids"];
  if (!ids.is(JsonKind::kArray)) {
    return json_invalid(path + ".special_tokens", "no ids of '" + printable(name) + "'",
                        "a list of them");
  }
  for (JsonValue v = ids.first(); v; v = v.next()) {
    const auto id = v.i64();
    if (!id || *id < 0 || *id >= static_cast<std::int64_t>(Vocabulary::kTokensMax)) {
      return json_invalid(path + ".special_tokens", "an id that is none", "a token's number");
    }
    out.push_back(static_cast<TokenId>(*id));
  }
  return Status::success();
}

Status read_template(JsonValue value, const std::string& path, TokenizerSettings& out) {
  const JsonValue single = value["single"];
  if (!single.is(JsonKind::kArray) || single.size() > 64) {
    return json_invalid(path + ".single", "something else", "a list of up to 64 parts");
  }
  std::vector<TokenId> around[2];  // before and after the text
  bool text_seen = false;
  for (JsonValue part = single.first(); part; part = part.next()) {
    if (const JsonValue special = part["SpecialToken"]) {
      auto status = read_special(value["special_tokens"], special["id"].text().value_or(""), path,
                                 around[text_seen ? 1 : 0]);
      if (!status) return status;
    } else if (part["Sequence"]["id"].text() == "A" && !text_seen) {
      text_seen = true;
    } else {
      return json_unsupported(path + ".single", "a part of another kind",
                              "special tokens around one text");
    }
  }
  if (!text_seen) return json_invalid(path + ".single", "no text", "the text A");
  out.before = std::move(around[0]);
  out.after = std::move(around[1]);
  if (!out.before.empty()) out.bos = out.before.front();
  return Status::success();
}

Status read_metaspace(JsonValue value, const std::string& path, TokenizerSettings& out) {
  if (value["replacement"].text() != kMetaspaceSign) {
    return json_unsupported(path + ".replacement", "another sign", "U+2581");
  }
  const auto prefix = json_flag(value, "add_prefix_space", true, path);
  if (!prefix) return prefix.error();
  const auto scheme = value["prepend_scheme"].text();
  out.style = PieceStyle::kMetaspace;
  out.strip_first_space = scheme ? *scheme != "never" : *prefix;
  return Status::success();
}

Status read_word_pieces(JsonValue value, const std::string& path, TokenizerSettings& out) {
  const auto prefix = json_text(value, "prefix", path);
  const auto clean = json_flag(value, "cleanup", true, path);
  if (!prefix) return prefix.error();
  if (!clean) return clean.error();
  if (*prefix != out.continuing_prefix) {
    return json_unsupported(path + ".prefix", "'" + printable(*prefix) + "'",
                            "that of the model, '" + printable(out.continuing_prefix) + "'");
  }
  out.style = PieceStyle::kWordPiece;
  out.strip_first_space = true;
  out.clean_up_spaces = *clean;
  return Status::success();
}

}  // namespace

Status read_json_post_processor(JsonValue value, const std::string& path, TokenizerSettings& out) {
  if (!value || value.is(JsonKind::kNull)) return Status::success();
  const auto type = json_type(value, path);
  if (!type) return type.error();
  if (*type == "Sequence") {
    int index = 0;
    for (JsonValue v = value["processors"].first(); v; v = v.next()) {
      auto status =
          read_json_post_processor(v, path + ".processors[" + std::to_string(index++) + "]", out);
      if (!status) return status;
    }
    return Status::success();
  }
  if (*type == "ByteLevel") return Status::success();  // trims offsets, which nobody asks for
  if (*type == "TemplateProcessing") return read_template(value, path, out);
  if (*type == "BertProcessing" || *type == "RobertaProcessing") return read_bert(value, path, out);
  return json_unsupported(path + ".type", "'" + printable(*type) + "'",
                          "one of: TemplateProcessing, BertProcessing, RobertaProcessing, "
                          "ByteLevel, Sequence");
}

Status read_json_decoder(JsonValue value, const std::string& path, TokenizerSettings& out) {
  if (!value || value.is(JsonKind::kNull)) return Status::success();
  const auto type = json_type(value, path);
  if (!type) return type.error();
  if (*type == "Sequence") {
    int index = 0;
    for (JsonValue v = value["decoders"].first(); v; v = v.next()) {
      auto status = read_json_decoder(v, path + ".decoders[" + std::to_string(index++) + "]", out);
      if (!status) return status;
    }
    return Status::success();
  }
  if (*type == "Fuse" || *type == "ByteFallback") return Status::success();  // as we do anyway
  if (*type == "ByteLevel") {
    out.style = PieceStyle::kByteLevel;
  } else if (*type == "Metaspace") {
    return read_metaspace(value, path, out);
  } else if (*type == "WordPiece") {
    return read_word_pieces(value, path, out);
  } else if (*type == "BPEDecoder") {
    out.style = PieceStyle::kWordEnd;
  } else if (*type == "Replace" && value["pattern"]["String"].text() == kMetaspaceSign &&
             value["content"].text() == " ") {
    out.style = PieceStyle::kMetaspace;
  } else if (*type == "Strip" && value["content"].text() == " ") {
    out.strip_first_space = value["start"].i64().value_or(0) > 0;
  } else {
    return json_unsupported(path + ".type", "'" + printable(*type) + "'",
                            "one of: ByteLevel, Metaspace, WordPiece, BPEDecoder, ByteFallback, "
                            "Fuse, Replace of U+2581, Strip of a space, Sequence");
  }
  return Status::success();
}

}  // namespace polaris
