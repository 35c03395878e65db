#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/regex.h"
#include "base/result.h"
#include "text/characters_map.h"
#include "text/tokenizer_settings.h"

namespace polaris {

/// Where a stretch of text stands, as far as normalizing asks.
struct StretchPlace {
  bool first = true;          // nothing stands before it
  bool after_special = true;  // or a special token does
};

/// Steps of a search that a text of so many characters may cost.
std::int64_t regex_budget(std::size_t characters);

/// Normalizer steps made ready. Immutable, thread-safe.
class Normalizer {
 public:
  /// Errors: as Regex and CharactersMap.
  static Result<Normalizer> create(const std::vector<NormalizerStep>& steps);
  /// Errors: exhausted, where a pattern takes too long or the text grows beyond bounds.
  Result<std::string> apply(std::string_view text, StretchPlace place) const;

 private:
  struct Step {
    NormalizerStep rule;
    std::optional<Regex> pattern;
    std::optional<CharactersMap> map;
  };
  static Result<std::string> apply_step(const Step& step, std::string text, StretchPlace place,
                                        std::size_t bytes_max);
  std::vector<Step> steps_;
};

}  // namespace polaris
