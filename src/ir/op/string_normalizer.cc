#include <set>
#include <string>
#include <vector>

#include "base/unicode.h"
#include "ir/op_attrs/string.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

std::string in_case(std::string_view text, bool upper) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const Character c = decode_utf8(text, at);
    append_utf8(out, c.code >= kBadByte ? c.code : upper ? to_upper(c.code) : to_lower(c.code));
    at += c.bytes;
  }
  return out;
}

Status infer(InferContext& c) {
  const std::string& action = c.as<StringNormalizerAttrs>().case_change_action;
  if (action != "NONE" && action != "LOWER" && action != "UPPER") {
    return c.fail("case_change_action, got '" + action + "', wanted LOWER, UPPER or NONE");
  }
  if (auto s = all_of(check_dtype(c, 0, kStringTypes), check_rank(c, 0, 1, 2)); !s) return s;
  Shape shape = c.in(0).shape;
  if (shape.rank() == 2) {
    if (auto s = check_dims(c, "rows", shape[0], 1); !s) return s;
  }
  shape.back() = kUnknownDim;
  set_output(c, 0, DType::kString, shape);
  return Status::success();
}

Status host(HostContext& c) {
  const auto& attrs = c.as<StringNormalizerAttrs>();
  const bool by_case = attrs.is_case_sensitive;
  std::set<std::string, std::less<>> stopwords;
  for (const std::string& word : attrs.stopwords) {
    stopwords.insert(by_case ? word : in_case(word, false));
  }
  std::vector<std::string> kept;
  const Tensor& x = c.in(0);
  for (std::int64_t i = 0, n = x.elements(); i < n; ++i) {
    const std::string_view text = x.string(i);
    const bool stops =
        by_case ? stopwords.contains(text) : stopwords.contains(in_case(text, false));
    if (stops && !stopwords.empty()) continue;
    const bool changes = attrs.case_change_action != "NONE";
    kept.push_back(changes ? in_case(text, attrs.case_change_action == "UPPER")
                           : std::string(text));
  }
  // Nothing left is one empty string.
  if (kept.empty()) kept.emplace_back();
  Shape shape = x.shape();
  shape.back() = static_cast<std::int64_t>(kept.size());
  const std::vector<std::string_view> views(kept.begin(), kept.end());
  auto out = Tensor::strings(shape, views);
  if (!out) return out.error();
  c.give(0, out.take());
  return Status::success();
}

constexpr Port kInputs[] = {{"X", kStrings}};
constexpr Port kOutputs[] = {{"Y"}};

}  // namespace

extern constinit const OpDef op_string_normalizer{
    .name = "StringNormalizer",
    .doc =
        "The strings without the stop words, in lower or upper case where asked for, by Unicode's "
        "simple mapping whatever the locale; one empty string where none is left.",
    .since = 10,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<StringNormalizerAttrs>,
    .infer = infer,
    .host = host,
};

}  // namespace polaris
