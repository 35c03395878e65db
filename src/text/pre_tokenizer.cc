#include "text/pre_tokenizer.h"

#include <utility>

#include "text/byte_letters.h"
#include "text/decoded_text.h"

namespace polaris {
namespace {

struct Stretch {
  std::size_t begin;
  std::size_t end;
  bool match;
};

// Matches and what lies between them, none empty, in order.
Result<std::vector<Stretch>> stretches(const Regex& pattern, const DecodedText& text, bool invert) {
  std::vector<Stretch> out;
  std::int64_t budget = regex_budget(text.codes.size());
  for (std::size_t at = 0; at < text.codes.size();) {
    const auto match = pattern.find(text.codes, at, budget);
    if (!match) return match.error();
    const Regex::Match found = *match;
    if (found.begin > at) out.push_back({at, found.begin, invert});
    if (found.end > found.begin) out.push_back({found.begin, found.end, !invert});
    at = found.end;
  }
  return out;
}

}  // namespace

Result<PreTokenizer> PreTokenizer::create(const std::vector<PreTokenizerStep>& steps) {
  PreTokenizer out;
  for (const PreTokenizerStep& step : steps) {
    Step made{step.kind, step.behavior, step.invert, {}, {}};
    if (step.kind == PreTokenizerStep::Kind::kNormalize) {
      auto normalizer = Normalizer::create({step.normalize});
      if (!normalizer) return normalizer.error();
      made.normalizer = normalizer.take();
    } else if (step.kind == PreTokenizerStep::Kind::kSplit) {
      auto pattern = Regex::compile(step.pattern);
      if (!pattern) return pattern.error();
      made.pattern = pattern.take();
    }
    out.steps_.push_back(std::move(made));
  }
  return out;
}

Result<std::vector<std::string>> PreTokenizer::split(std::string_view text,
                                                     StretchPlace place) const {
  std::vector<std::string> pieces;
  if (!text.empty()) pieces.emplace_back(text);
  for (const Step& step : steps_) {
    std::vector<std::string> next;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      if (step.kind == PreTokenizerStep::Kind::kByteLetters) {
        next.push_back(to_byte_letters(pieces[i]));
        continue;
      }
      if (step.kind == PreTokenizerStep::Kind::kSplit) {
        if (auto status = split_piece(step, pieces[i], next); !status) return status.error();
        continue;
      }
      const bool first = i == 0;
      auto changed =
          step.normalizer.apply(pieces[i], {first && place.first, first && place.after_special});
      if (!changed) return changed.error();
      if (!(*changed).empty()) next.push_back(changed.take());
    }
    pieces = std::move(next);
  }
  return pieces;
}

Status PreTokenizer::split_piece(const Step& step, const std::string& piece,
                                 std::vector<std::string>& out) {
  const DecodedText decoded(piece);
  const auto parts = stretches(step.pattern, decoded, step.invert);
  if (!parts) return parts.error();
  const auto text = [&](const Stretch& s) {
    return std::string_view(piece).substr(decoded.offsets[s.begin],
                                          decoded.offsets[s.end] - decoded.offsets[s.begin]);
  };
  bool joins_next = false;  // the piece before waits for what follows
  bool last_is_match = false;
  bool any = false;
  for (const Stretch& s : *parts) {
    const bool with_last =
        any &&
        ((step.behavior == SplitBehavior::kMergedWithPrevious && s.match && !last_is_match) ||
         (step.behavior == SplitBehavior::kContiguous && s.match == last_is_match) ||
         (joins_next && !s.match));
    joins_next = step.behavior == SplitBehavior::kMergedWithNext && s.match;
    last_is_match = s.match;
    if (s.match && step.behavior == SplitBehavior::kRemoved) continue;
    if (with_last) {
      out.back() += text(s);
    } else {
      out.emplace_back(text(s));
    }
    any = true;
  }
  return Status::success();
}

}  // namespace polaris
