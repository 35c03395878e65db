#include "pipeline/perplexity.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

namespace polaris {
namespace {

/// BOS, where the tokenizer puts it before every text.
Result<std::optional<TokenId>> leading_bos(const Tokenizer& tokenizer) {
  const auto ids = tokenizer.encode("");
  if (!ids) return ids.error();
  const auto bos = tokenizer.settings().bos;
  return !ids->empty() && bos && ids->front() == *bos ? bos : std::nullopt;
}

/// Sums of what tokens cost.
struct Sums {
  double nll = 0;
  double squares = 0;
  std::int64_t count = 0;

  void add(std::span<const double> log_probabilities) {
    for (const double p : log_probabilities) {
      nll -= p;
      squares += p * p;
    }
    count += static_cast<std::int64_t>(log_probabilities.size());
  }
  double mean() const { return nll / static_cast<double>(count); }
};

Perplexity result_of(const Sums& sums, std::int64_t chunks) {
  Perplexity out;
  out.mean_nll = sums.mean();
  out.value = std::exp(out.mean_nll);
  const double variance =
      sums.squares / static_cast<double>(sums.count) - out.mean_nll * out.mean_nll;
  if (variance > 0 && sums.count > 1) {
    out.standard_error = out.value * std::sqrt(variance / static_cast<double>(sums.count - 1));
  }
  out.tokens = sums.count;
  out.chunks = chunks;
  return out;
}

}  // namespace

Result<Perplexity> measure_perplexity(Scorer& scorer, std::string_view text,
                                      const PerplexityOptions& options) {
  const Tokenizer& tokenizer = *scorer.model().tokenizer;
  const auto bos = leading_bos(tokenizer);
  if (!bos) return bos.error();
  auto ids = tokenizer.encode(text);
  if (!ids) return ids.error();
  const std::int64_t context = options.context;
  const std::int64_t half = context / 2;
  const auto count = static_cast<std::int64_t>(ids->size());
  if (count / 2 < context || half < 1 || context - half < 2) {
    return Error::invalid("[perplexity] text, got " + std::to_string(count) +
                          " tokens, wanted two chunks of " + std::to_string(context) +
                          " or more, and chunks of 3 tokens or more");
  }
  std::int64_t chunks = count / context;
  if (options.chunks_max > 0) chunks = std::min(chunks, options.chunks_max);
  Sums sums;
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
    const auto part = std::span(*ids).subspan(static_cast<std::size_t>(chunk * context),
                                              static_cast<std::size_t>(context));
    if (*bos) part[0] = **bos;
    const auto scores = scorer.score(part, half + 1, options.run);
    if (!scores) return scores.error();
    sums.add(*scores);
    if (options.progress) options.progress(chunk + 1, chunks, std::exp(sums.mean()));
  }
  return result_of(sums, chunks);
}

}  // namespace polaris
