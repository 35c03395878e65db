#include <cmath>
#include <utility>

#include "base/strings.h"
#include "pipeline/tokenizer_file/tokenizer_file.h"
#include "wire/protobuf.h"

namespace polaris {
namespace {

constexpr std::string_view kMetaspace = "\xE2\x96\x81";  // U+2581

/// What the trainer's and the normalizer's messages say, with protobuf's defaults.
struct Spec {
  std::int64_t model_type = 1;
  bool space_is_suffix = false;
  bool byte_fallback = false;
  std::int64_t unknown = 0;
  std::int64_t bos = 1;
  std::int64_t eos = 2;
  std::string map;
  bool prefix = true;
  bool squeeze = true;
  bool show_spaces = true;
};

Error bad(std::string_view what) { return Error::invalid("[sentencepiece] " + std::string(what)); }

bool is_bytes(const ProtoField& field) { return field.wire == ProtoWire::kBytes; }
bool is_varint(const ProtoField& field) { return field.wire == ProtoWire::kVarint; }

Result<Token> read_piece(std::span<const std::byte> message) {
  Token out;
  ProtoReader reader(message);
  for (ProtoField field; reader.next(field);) {
    if (field.number == 1 && is_bytes(field)) out.text = field.as_text();
    if (field.number == 2 && field.wire == ProtoWire::kFixed32) out.score = field.as_f32();
    if (field.number != 3 || !is_varint(field)) continue;
    if (field.scalar < 1 || field.scalar > 6) {
      return bad("piece, got type " + std::to_string(field.scalar) + ", wanted 1 to 6");
    }
    out.kind = static_cast<TokenKind>(field.scalar);
  }
  if (!reader.status()) return reader.status().error().with_context("[sentencepiece] piece");
  if (std::isnan(out.score)) return bad("piece, got a score that is no number");
  return out;
}

Status read_trainer(std::span<const std::byte> message, Spec& spec) {
  ProtoReader reader(message);
  for (ProtoField field; reader.next(field);) {
    if (!is_varint(field)) continue;
    // Ids may be -1 for none, written as a 64-bit number.
    switch (field.number) {
      case 3: spec.model_type = field.as_i64(); break;
      case 24: spec.space_is_suffix = field.scalar != 0; break;
      case 35: spec.byte_fallback = field.scalar != 0; break;
      case 40: spec.unknown = field.as_i64(); break;
      case 41: spec.bos = field.as_i64(); break;
      case 42: spec.eos = field.as_i64(); break;
      default: break;
    }
  }
  if (!reader.status()) return reader.status().error().with_context("[sentencepiece] trainer");
  return Status::success();
}

Status read_normalizer(std::span<const std::byte> message, Spec& spec) {
  ProtoReader reader(message);
  for (ProtoField field; reader.next(field);) {
    if (field.number == 2 && is_bytes(field)) spec.map = field.as_text();
    if (!is_varint(field)) continue;
    if (field.number == 3) spec.prefix = field.scalar != 0;
    if (field.number == 4) spec.squeeze = field.scalar != 0;
    if (field.number == 5) spec.show_spaces = field.scalar != 0;
  }
  if (!reader.status()) return reader.status().error().with_context("[sentencepiece] normalizer");
  return Status::success();
}

std::vector<NormalizerStep> normalizer_steps(Spec& spec) {
  using Kind = NormalizerStep::Kind;
  std::vector<NormalizerStep> out;
  if (!spec.map.empty()) {
    NormalizerStep step{Kind::kCharsMap};
    step.to = std::move(spec.map);
    out.push_back(std::move(step));
  }
  if (spec.squeeze) out.push_back({Kind::kSqueezeSpaces});
  if (spec.prefix) {
    NormalizerStep step{Kind::kPrepend};
    step.when = NormalizerStep::When::kAfterSpecial;
    step.to = " ";
    out.push_back(std::move(step));
  }
  if (spec.show_spaces) {
    NormalizerStep step{Kind::kReplace};
    step.from = " ";
    step.to = kMetaspace;
    out.push_back(std::move(step));
  }
  return out;
}

Result<TokenizerSettings> settings_of(std::vector<Token> tokens, Spec spec) {
  if (spec.model_type != 1 && spec.model_type != 2) {
    return Error::unsupported("[sentencepiece] model type, got " + std::to_string(spec.model_type) +
                              ", wanted 1 (unigram) or 2 (BPE)");
  }
  if (spec.space_is_suffix) {
    return Error::unsupported(
        "[sentencepiece] got spaces at the ends of words, wanted them before");
  }
  TokenizerSettings out;
  out.model = spec.model_type == 1 ? TokenModelKind::kUnigram : TokenModelKind::kSpm;
  const auto size = static_cast<std::int64_t>(tokens.size());
  const auto id = [&](std::int64_t value) {
    return value >= 0 && value < size ? std::optional(static_cast<TokenId>(value)) : std::nullopt;
  };
  out.unknown = id(spec.unknown);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].kind == TokenKind::kUnknown) out.unknown = static_cast<TokenId>(i);
    if (tokens[i].kind != TokenKind::kUserDefined) continue;
    AddedToken added{static_cast<TokenId>(i)};
    added.normalized = added.as_written = true;
    out.added.push_back(added);
  }
  out.bos = id(spec.bos);
  out.eos = id(spec.eos);
  out.byte_fallback = spec.byte_fallback;
  out.strip_first_space = spec.prefix;
  out.normalizer = normalizer_steps(spec);
  out.tokens = std::move(tokens);
  return out;
}

}  // namespace

Result<TokenizerSettings> read_sentencepiece(std::span<const std::byte> file) {
  std::vector<Token> tokens;
  Spec spec;
  ProtoReader reader(file);
  for (ProtoField field; reader.next(field);) {
    if (!is_bytes(field)) continue;
    Status status;
    if (field.number == 1) {
      auto token = read_piece(field.bytes);
      if (!token) return token.error();
      if (tokens.size() >= Vocabulary::kTokensMax) return bad("too many pieces");
      tokens.push_back(token.take());
    } else if (field.number == 2) {
      status = read_trainer(field.bytes, spec);
    } else if (field.number == 3) {
      status = read_normalizer(field.bytes, spec);
    }
    if (!status) return status.error();
  }
  if (!reader.status()) return reader.status().error().with_context("[sentencepiece] model");
  if (tokens.empty()) return bad("model, got no pieces");
  return settings_of(std::move(tokens), std::move(spec));
}

}  // namespace polaris
