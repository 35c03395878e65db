#include <utility>

#include "base/regex.h"
#include "base/strings.h"
#include "pipeline/tokenizer_file/json_steps.h"
#include "text/bert_steps.h"
#include "text/pre_tokenizer_family.h"

namespace polaris {
namespace {

PreTokenizerStep split_step(std::string pattern, SplitBehavior behavior, bool invert = false) {
  PreTokenizerStep out;
  out.pattern = std::move(pattern);
  out.behavior = behavior;
  out.invert = invert;
  return out;
}

PreTokenizerStep change_step(NormalizerStep change) {
  PreTokenizerStep out;
  out.kind = PreTokenizerStep::Kind::kNormalize;
  out.normalize = std::move(change);
  return out;
}

/// A regular expression for a text as it stands.
std::string literal(std::string_view text) {
  std::string out;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte >= 0x80 || byte == ' ' || (c >= '0' && c <= '9') ||
                       (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || byte < 0x20;
    if (!plain) out += '\\';
    out += c;
  }
  return out;
}

Result<SplitBehavior> read_behavior(JsonValue value, std::string_view otherwise,
                                    const std::string& path) {
  const std::string_view name =
      value["behavior"] ? value["behavior"].text().value_or("") : otherwise;
  static constexpr std::pair<std::string_view, SplitBehavior> kNames[] = {
      {"Removed", SplitBehavior::kRemoved},
      {"Isolated", SplitBehavior::kIsolated},
      {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
      {"MergedWithNext", SplitBehavior::kMergedWithNext},
      {"Contiguous", SplitBehavior::kContiguous},
  };
  for (const auto& [known, behavior] : kNames) {
    if (name == known) return behavior;
  }
  return json_invalid(path + ".behavior", "'" + printable(name) + "'",
                      "Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous");
}

Status read_split(JsonValue value, const std::string& path, TokenizerSettings& out) {
  auto pattern = json_pattern(value["pattern"], path + ".pattern");
  if (!pattern) return pattern.error();
  const auto behavior = read_behavior(value, "", path);
  if (!behavior) return behavior.error();
  const auto invert = json_flag(value, "invert", false, path);
  if (!invert) return invert.error();
  std::string& text = (*pattern).text;
  if (text.empty())
    return json_invalid(path + ".pattern", "an empty text", "something to split at");
  out.pre_tokenizer.push_back(
      split_step((*pattern).is_regex ? std::move(text) : literal(text), *behavior, *invert));
  return Status::success();
}

Status read_byte_level(JsonValue value, const std::string& path, TokenizerSettings& out) {
  const auto prefix = json_flag(value, "add_prefix_space", true, path);
  const auto cut = json_flag(value, "use_regex", true, path);
  if (!prefix) return prefix.error();
  if (!cut) return cut.error();
  if (*prefix) {
    NormalizerStep space{NormalizerStep::Kind::kPrepend};
    space.unless_there = true;
    space.to = " ";
    out.pre_tokenizer.push_back(change_step(std::move(space)));
  }
  if (*cut) {
    out.pre_tokenizer.push_back(split_step(std::string(kGpt2Pattern), SplitBehavior::kIsolated));
  }
  PreTokenizerStep letters;
  letters.kind = PreTokenizerStep::Kind::kByteLetters;
  out.pre_tokenizer.push_back(std::move(letters));
  out.byte_level = true;
  return Status::success();
}

Status read_metaspace(JsonValue value, const std::string& path, TokenizerSettings& out) {
  const auto sign = json_text(value, "replacement", path);
  if (!sign) return sign.error();
  if (*sign != kMetaspaceSign) {
    return json_unsupported(path + ".replacement", "'" + printable(*sign) + "'", "U+2581");
  }
  const auto prefix = json_flag(value, "add_prefix_space", true, path);
  const auto cut = json_flag(value, "split", true, path);
  if (!prefix) return prefix.error();
  if (!cut) return cut.error();
  const std::string_view scheme =
      value["prepend_scheme"].text().value_or(*prefix ? "always" : "never");
  if (scheme != "always" && scheme != "first" && scheme != "never") {
    return json_invalid(path + ".prepend_scheme", "'" + printable(scheme) + "'",
                        "always, first or never");
  }
  NormalizerStep show{NormalizerStep::Kind::kReplace};
  show.from = " ";
  show.to = *sign;
  out.pre_tokenizer.push_back(change_step(std::move(show)));
  if (scheme != "never") {
    NormalizerStep space{NormalizerStep::Kind::kPrepend};
    space.when = scheme == "first" ? NormalizerStep::When::kFirst : NormalizerStep::When::kAlways;
    space.unless_there = true;
    space.to = *sign;
    out.pre_tokenizer.push_back(change_step(std::move(space)));
  }
  if (*cut) out.pre_tokenizer.push_back(split_step(*sign, SplitBehavior::kMergedWithNext));
  return Status::success();
}

Status read_simple(std::string_view type, JsonValue value, const std::string& path,
                   TokenizerSettings& out) {
  auto& steps = out.pre_tokenizer;
  if (type == "BertPreTokenizer") {
    for (PreTokenizerStep& step : bert_pre_tokenizer()) steps.push_back(std::move(step));
  } else if (type == "Whitespace") {
    steps.push_back(split_step(R"(\w+|[^\w\s]+)", SplitBehavior::kRemoved, true));
  } else if (type == "WhitespaceSplit") {
    steps.push_back(split_step(R"(\s)", SplitBehavior::kRemoved));
  } else if (type == "Digits") {
    const auto single = json_flag(value, "individual_digits", false, path);
    if (!single) return single.error();
    steps.push_back(
        split_step(R"(\p{N})", *single ? SplitBehavior::kIsolated : SplitBehavior::kContiguous));
  } else if (type == "Punctuation") {
    const auto behavior = read_behavior(value, "Isolated", path);
    if (!behavior) return behavior.error();
    steps.push_back(split_step(R"([!-/:-@\[-`{-~\p{P}])", *behavior));
  } else if (type == "CharDelimiterSplit") {
    const auto delimiter = json_text(value, "delimiter", path);
    if (!delimiter) return delimiter.error();
    if ((*delimiter).empty()) return json_invalid(path + ".delimiter", "nothing", "a character");
    steps.push_back(split_step(literal(*delimiter), SplitBehavior::kRemoved));
  } else {
    return json_unsupported(path + ".type", "'" + printable(type) + "'",
                            "one of: ByteLevel, Split, BertPreTokenizer, Whitespace, "
                            "WhitespaceSplit, Digits, Punctuation, Metaspace, CharDelimiterSplit, "
                            "Sequence");
  }
  return Status::success();
}

}  // namespace

Status read_json_pre_tokenizer(JsonValue value, const std::string& path, TokenizerSettings& out) {
  if (!value || value.is(JsonKind::kNull)) return Status::success();
  const auto type = json_type(value, path);
  if (!type) return type.error();
  if (*type == "Sequence") {
    int index = 0;
    for (JsonValue v = value["pretokenizers"].first(); v; v = v.next()) {
      auto status =
          read_json_pre_tokenizer(v, path + ".pretokenizers[" + std::to_string(index++) + "]", out);
      if (!status) return status;
    }
    return Status::success();
  }
  if (*type == "Split") return read_split(value, path, out);
  if (*type == "ByteLevel") return read_byte_level(value, path, out);
  if (*type == "Metaspace") return read_metaspace(value, path, out);
  return read_simple(*type, value, path, out);
}

}  // namespace polaris
