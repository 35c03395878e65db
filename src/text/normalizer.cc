#include "text/normalizer.h"

#include <algorithm>
#include <utility>

#include "text/decoded_text.h"

namespace polaris {
namespace {

using Kind = NormalizerStep::Kind;

// No chain of steps may blow a text up further.
constexpr std::size_t kGrowthMax = 64;

template <class F>
std::string map_characters(std::string_view text, F&& put) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Character c = decode_utf8(text, at);
    put(c.code, out);
    at += c.bytes;
  }
  return out;
}

std::string lower_case(std::string_view text) {
  return map_characters(text, [](char32_t c, std::string& out) {
    if (c == 0x130) {
      out += "i\xCC\x87";  // I with a dot has no lower case of one character
    } else {
      append_utf8(out, to_lower(c));
    }
  });
}

std::string strip_marks(std::string_view text) {
  static const CategoryMask kMarks = category_mask("Mn");
  return map_characters(text, [](char32_t c, std::string& out) {
    if (c < 0x80 || (category_of(c) & kMarks) == 0) append_utf8(out, c);
  });
}

std::string clean_controls(std::string_view text) {
  // Not those that are yet to be assigned.
  static const CategoryMask kControls =
      category_mask("Cc") | category_mask("Cf") | category_mask("Co");
  return map_characters(text, [](char32_t c, std::string& out) {
    const bool space = is_white_space(c);
    const bool control =
        c == 0 || c == 0xFFFD || c >= kBadByte ||
        (!(c == '\t' || c == '\n' || c == '\r') && (category_of(c) & kControls) != 0);
    if (control) return;
    if (space) {
      out += ' ';
    } else {
      append_utf8(out, c);
    }
  });
}

std::string space_ideographs(std::string_view text) {
  return map_characters(text, [](char32_t c, std::string& out) {
    const bool alone = is_ideograph(c);
    if (alone) out += ' ';
    append_utf8(out, c);
    if (alone) out += ' ';
  });
}

std::string squeeze_spaces(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::string strip_ends(std::string_view text, bool left, bool right) {
  const DecodedText decoded(text);
  std::size_t begin = 0;
  std::size_t end = decoded.codes.size();
  while (left && begin < end && is_white_space(decoded.codes[begin])) ++begin;
  while (right && end > begin && is_white_space(decoded.codes[end - 1])) --end;
  return std::string(
      text.substr(decoded.offsets[begin], decoded.offsets[end] - decoded.offsets[begin]));
}

// Stops where the result is longer than `bytes_max`, which the caller refuses.
std::string replace_text(std::string_view text, std::string_view from, std::string_view to,
                         std::size_t bytes_max) {
  std::string out;
  out.reserve(text.size());
  while (!from.empty() && out.size() <= bytes_max) {
    const std::size_t at = text.find(from);
    out += text.substr(0, at);
    if (at == std::string_view::npos) return out;
    out += to;
    text.remove_prefix(at + from.size());
  }
  return from.empty() ? std::string(text) : out;
}

Result<std::string> replace_matches(std::string_view text, const Regex& pattern,
                                    std::string_view to, std::size_t bytes_max) {
  const DecodedText decoded(text);
  std::int64_t budget = regex_budget(decoded.codes.size());
  std::string out;
  for (std::size_t at = 0; at < decoded.codes.size() && out.size() <= bytes_max;) {
    const auto match = pattern.find(decoded.codes, at, budget);
    if (!match) return match.error();
    const std::size_t begin = decoded.offsets[at];
    out += text.substr(begin, decoded.offsets[(*match).begin] - begin);
    if ((*match).end > (*match).begin) out += to;
    at = (*match).end;
  }
  return out;
}

}  // namespace

std::int64_t regex_budget(std::size_t characters) {
  return 4096 + 512 * static_cast<std::int64_t>(characters);
}

Result<Normalizer> Normalizer::create(const std::vector<NormalizerStep>& steps) {
  Normalizer out;
  for (const NormalizerStep& rule : steps) {
    Step step{rule, std::nullopt, std::nullopt};
    if (rule.kind == Kind::kReplace && rule.is_pattern) {
      auto pattern = Regex::compile(rule.from);
      if (!pattern) return pattern.error();
      step.pattern = pattern.take();
    }
    if (rule.kind == Kind::kCharsMap) {
      auto map = CharactersMap::create(rule.to);
      if (!map) return map.error();
      step.map = map.take();
      step.rule.to.clear();
    }
    out.steps_.push_back(std::move(step));
  }
  return out;
}

Result<std::string> Normalizer::apply(std::string_view text, StretchPlace place) const {
  std::string out(text);
  const std::size_t most = kGrowthMax * (text.size() + 1024);
  for (const Step& step : steps_) {
    auto next = apply_step(step, std::move(out), place, most);
    if (!next) return next.error();
    out = next.take();
    if (out.size() > most) {
      return Error::exhausted("[tokenizer] normalized text, got " + std::to_string(out.size()) +
                              " bytes from " + std::to_string(text.size()) + ", wanted at most " +
                              std::to_string(most));
    }
  }
  return out;
}

Result<std::string> Normalizer::apply_step(const Step& step, std::string text, StretchPlace place,
                                           std::size_t bytes_max) {
  const NormalizerStep& rule = step.rule;
  switch (rule.kind) {
    case Kind::kForm: return normalize(text, rule.form);
    case Kind::kLowerCase: return lower_case(text);
    case Kind::kStripMarks: return strip_marks(text);
    case Kind::kReplace:
      if (step.pattern) return replace_matches(text, *step.pattern, rule.to, bytes_max);
      return replace_text(text, rule.from, rule.to, bytes_max);
    case Kind::kPrepend: {
      const bool here = rule.when == NormalizerStep::When::kAlways || place.first ||
                        (rule.when == NormalizerStep::When::kAfterSpecial && place.after_special);
      if (here && !text.empty() && !(rule.unless_there && text.starts_with(rule.to))) {
        text.insert(0, rule.to);
      }
      return text;
    }
    case Kind::kStrip: return strip_ends(text, rule.left, rule.right);
    case Kind::kSqueezeSpaces: return squeeze_spaces(text);
    case Kind::kCharsMap: return step.map->apply(text, bytes_max);
    case Kind::kCleanControls: return clean_controls(text);
    case Kind::kSpaceIdeographs: return space_ideographs(text);
  }
  return text;
}

}  // namespace polaris
