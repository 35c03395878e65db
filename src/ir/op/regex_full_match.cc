#include <algorithm>
#include <vector>

#include "base/regex.h"
#include "base/unicode.h"
#include "ir/op_attrs/string.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

// Steps that all the strings of a node may take together, and those that each may.
constexpr std::int64_t kStepsMax = std::int64_t{1} << 32;
constexpr std::int64_t kStepsOfOneMax = std::int64_t{1} << 26;

Status infer(InferContext& c) {
  if (auto s = check_dtype(c, 0, kStringTypes); !s) return s;
  set_output(c, 0, DType::kBool, c.in(0).shape);
  return Status::success();
}

Status host(HostContext& c) {
  const auto regex = Regex::compile(c.as<RegexFullMatchAttrs>().pattern, Regex::Syntax::kRe2);
  if (!regex) return Error(regex.error().code(), c.fail(regex.error().message()).message());
  auto out = Tensor::allocate(DType::kBool, c.in(0).shape());
  if (!out) return out.error();
  std::int64_t left = kStepsMax;
  for (std::int64_t i = 0, n = c.in(0).elements(); i < n; ++i) {
    const std::string_view text = c.in(0).string(i);
    std::vector<char32_t> characters;
    for (std::size_t at = 0; at < text.size();) {
      const Character one = decode_utf8(text, at);
      characters.push_back(one.code);
      at += one.bytes;
    }
    const std::int64_t given = std::min(left, kStepsOfOneMax);
    std::int64_t budget = given;
    const auto matches = regex->matches(characters, budget);
    if (!matches) return Error(matches.error().code(), c.fail(matches.error().message()).message());
    left -= given - budget;
    out->mutable_data<std::uint8_t>()[i] = *matches ? 1 : 0;
  }
  c.give(0, out.take());
  return Status::success();
}

constexpr Port kInputs[] = {{"X", kStrings}};
constexpr Port kOutputs[] = {{"Y"}};

}  // namespace

extern constinit const OpDef op_regex_full_match{
    .name = "RegexFullMatch",
    .doc =
        "Whether the pattern, a regular expression with RE2's meanings, matches the whole string. "
        "What of RE2 there is not, such as named groups and properties of scripts, is refused by "
        "name.",
    .since = 20,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<RegexFullMatchAttrs>,
    .infer = infer,
    .host = host,
};

}  // namespace polaris
