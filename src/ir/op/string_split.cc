#include <algorithm>
#include <limits>
#include <string_view>
#include <vector>

#include "base/checked.h"
#include "base/unicode.h"
#include "ir/op_attrs/string.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

using Parts = std::vector<std::string_view>;

Parts split_at_delimiter(std::string_view text, std::string_view delimiter, std::int64_t most) {
  Parts out;
  for (; most > 0; --most) {
    const std::size_t at = text.find(delimiter);
    if (at == text.npos) break;
    out.push_back(text.substr(0, at));
    text.remove_prefix(at + delimiter.size());
  }
  out.push_back(text);
  return out;
}

/// Bytes of `text` at its front whose characters are white space, or are not.
std::size_t run_length(std::string_view text, bool space) {
  std::size_t at = 0;
  while (at < text.size()) {
    const Character c = decode_utf8(text, at);
    if (is_white_space(c.code) != space) break;
    at += c.bytes;
  }
  return at;
}

/// The last part keeps the space at its end, as the rest that was not split.
Parts split_at_space(std::string_view text, std::int64_t most) {
  Parts out;
  text.remove_prefix(run_length(text, true));
  for (; !text.empty() && most > 0; --most) {
    const std::size_t word = run_length(text, false);
    out.push_back(text.substr(0, word));
    text.remove_prefix(word);
    text.remove_prefix(run_length(text, true));
  }
  if (!text.empty()) out.push_back(text);
  return out;
}

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kStringTypes), check_rank(c, 0, 0, kMaxRank - 1)); !s)
    return s;
  Shape shape = c.in(0).shape;
  set_output(c, 1, DType::kI64, shape);
  shape.push_back(kUnknownDim);
  set_output(c, 0, DType::kString, shape);
  return Status::success();
}

Status host(HostContext& c) {
  const auto& attrs = c.as<StringSplitAttrs>();
  const Tensor& x = c.in(0);
  const std::int64_t most =
      attrs.maxsplit < 0 ? std::numeric_limits<std::int64_t>::max() : attrs.maxsplit;
  std::vector<Parts> all;
  std::size_t longest = 0;
  for (std::int64_t i = 0, n = x.elements(); i < n; ++i) {
    all.push_back(attrs.delimiter.empty() ? split_at_space(x.string(i), most)
                                          : split_at_delimiter(x.string(i), attrs.delimiter, most));
    longest = std::max(longest, all.back().size());
  }
  Shape shape = x.shape();
  shape.push_back(static_cast<std::int64_t>(longest));
  // One long list of parts makes all others as long.
  const auto elements = shape.checked_elements();
  const auto bytes = elements ? bytes_of(DType::kI64, *elements) : std::nullopt;
  if (!bytes || *bytes > c.bytes_max) {
    return Error::exhausted(c.fail("result, got " + shape.to_string() + " strings").message());
  }
  Parts strings;
  std::vector<std::int64_t> counts;
  for (const Parts& parts : all) {
    strings.insert(strings.end(), parts.begin(), parts.end());
    strings.insert(strings.end(), longest - parts.size(), std::string_view());
    counts.push_back(static_cast<std::int64_t>(parts.size()));
  }
  auto out = Tensor::strings(shape, strings);
  if (!out) return out.error();
  c.give(0, out.take());
  auto count = Tensor::from<std::int64_t>(DType::kI64, x.shape(), counts);
  if (!count) return count.error();
  c.give(1, count.take());
  return Status::success();
}

constexpr Port kInputs[] = {{"X", kStrings}};
constexpr Port kOutputs[] = {{"Y"}, {"Z", kOptional}};

}  // namespace

extern constinit const OpDef op_string_split{
    .name = "StringSplit",
    .doc =
        "Each string split at a delimiter, or at white space where there is none, along a new last "
        "dim, filled up with empty strings; and how many parts each has.",
    .since = 20,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<StringSplitAttrs>,
    .infer = infer,
    .host = host,
};

}  // namespace polaris
