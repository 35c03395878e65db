#include <utility>

#include "base/regex.h"
#include "base/strings.h"
#include "pipeline/tokenizer_file/file_parts.h"
#include "pipeline/tokenizer_file/json_steps.h"
#include "text/bert_steps.h"

namespace polaris {
namespace {

using Kind = NormalizerStep::Kind;

Status read_bert(JsonValue value, const std::string& path, std::vector<NormalizerStep>& out) {
  const auto clean = json_flag(value, "clean_text", true, path);
  const auto ideographs = json_flag(value, "handle_chinese_chars", true, path);
  const auto lower = json_flag(value, "lowercase", true, path);
  if (!clean) return clean.error();
  if (!ideographs) return ideographs.error();
  if (!lower) return lower.error();
  // Left out, accents go where capitals go.
  const auto accents = json_flag(value, "strip_accents", *lower, path);
  if (!accents) return accents.error();
  for (NormalizerStep& step : bert_normalizer({*clean, *ideographs, *accents, *lower})) {
    out.push_back(std::move(step));
  }
  return Status::success();
}

Status read_replace(JsonValue value, const std::string& path, std::vector<NormalizerStep>& out) {
  auto pattern = json_pattern(value["pattern"], path + ".pattern");
  if (!pattern) return pattern.error();
  auto content = json_text(value, "content", path);
  if (!content) return content.error();
  NormalizerStep step{Kind::kReplace};
  step.from = std::move((*pattern).text);
  step.is_pattern = (*pattern).is_regex;
  step.to = content.take();
  out.push_back(std::move(step));
  return Status::success();
}

Status read_map(JsonValue value, const std::string& path, std::vector<NormalizerStep>& out) {
  const auto text = value["precompiled_charsmap"].text();
  auto bytes = text ? decode_base64(*text) : std::nullopt;
  if (!bytes) return json_invalid(path + ".precompiled_charsmap", "something else", "base64");
  NormalizerStep step{Kind::kCharsMap};
  step.to = std::move(*bytes);
  out.push_back(std::move(step));
  return Status::success();
}

struct Simple {
  std::string_view type;
  Kind kind;
  NormalForm form;
};
constexpr Simple kSimple[] = {
    {"NFC", Kind::kForm, NormalForm::kNfc},
    {"NFD", Kind::kForm, NormalForm::kNfd},
    {"NFKC", Kind::kForm, NormalForm::kNfkc},
    {"NFKD", Kind::kForm, NormalForm::kNfkd},
    {"Lowercase", Kind::kLowerCase, NormalForm::kNfc},
    {"StripAccents", Kind::kStripMarks, NormalForm::kNfc},
};

}  // namespace

Status read_json_normalizer(JsonValue value, const std::string& path,
                            std::vector<NormalizerStep>& out) {
  if (!value || value.is(JsonKind::kNull)) return Status::success();
  const auto type = json_type(value, path);
  if (!type) return type.error();
  if (*type == "Sequence") {
    int index = 0;
    for (JsonValue v = value["normalizers"].first(); v; v = v.next()) {
      auto status =
          read_json_normalizer(v, path + ".normalizers[" + std::to_string(index++) + "]", out);
      if (!status) return status;
    }
    return Status::success();
  }
  for (const Simple& simple : kSimple) {
    if (*type != simple.type) continue;
    NormalizerStep step{simple.kind};
    step.form = simple.form;
    out.push_back(std::move(step));
    return Status::success();
  }
  if (*type == "BertNormalizer") return read_bert(value, path, out);
  if (*type == "Replace") return read_replace(value, path, out);
  if (*type == "Precompiled") return read_map(value, path, out);
  NormalizerStep step{Kind::kPrepend};
  if (*type == "Prepend") {
    auto text = json_text(value, "prepend", path);
    if (!text) return text.error();
    step.to = text.take();
  } else if (*type == "Strip") {
    step.kind = Kind::kStrip;
    const auto left = json_flag(value, "strip_left", true, path);
    const auto right = json_flag(value, "strip_right", true, path);
    if (!left) return left.error();
    if (!right) return right.error();
    step.left = *left;
    step.right = *right;
  } else {
    return json_unsupported(
        path + ".type", "'" + printable(*type) + "'",
        "one of: BertNormalizer, NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, "
        "Replace, Prepend, Strip, Precompiled, Sequence");
  }
  out.push_back(std::move(step));
  return Status::success();
}

}  // namespace polaris
