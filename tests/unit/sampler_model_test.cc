// Each sampler against a float64 model of it, written here from the papers' definitions:
// chi-squared over 100,000 draws of a fixed seed.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "text/sampler.h"

namespace polaris {
namespace {

using Row = std::vector<double>;

constexpr int kDraws = 100000;

/// Fifty uneven logits, none equal.
std::vector<float> some_logits() {
  std::vector<float> out;
  for (int i = 0; i < 50; ++i) {
    out.push_back(2.5f * std::sin(1.7f * static_cast<float>(i)) - 0.03f * static_cast<float>(i));
  }
  return out;
}

/// A text whose every stretch of 16 has token 3 twice, tokens 5 and 49 once and others unlike
/// these.
std::vector<TokenId> some_text(int length) {
  const std::vector<TokenId> turn = {3, 5, 3, 49, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22};
  std::vector<TokenId> out;
  for (int i = 0; i < length; ++i) out.push_back(turn[static_cast<std::size_t>(i) % turn.size()]);
  return out;
}

SamplerOptions plain() {
  SamplerOptions options;
  options.temperature = 1;
  options.top_k = 0;
  options.top_p = 1;
  options.min_p = 0;
  options.seed = 20261128;
  return options;
}

Row softmax(const Row& logits, const std::vector<bool>& alive, double temperature = 1) {
  double sum = 0;
  Row out(logits.size(), 0);
  double top = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (alive[i]) top = std::max(top, logits[i]);
  }
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (alive[i]) out[i] = std::exp((logits[i] - top) / temperature);
    sum += out[i];
  }
  for (double& p : out) p /= sum;
  return out;
}

/// Ids from the smallest key to the largest.
std::vector<std::size_t> order_by(const Row& keys, const std::vector<bool>& alive) {
  std::vector<std::size_t> ids;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (alive[i]) ids.push_back(i);
  }
  std::sort(ids.begin(), ids.end(), [&](auto a, auto b) { return keys[a] < keys[b]; });
  return ids;
}

/// Only the first of `ids` until their probabilities reach p.
std::vector<bool> until(const std::vector<std::size_t>& ids, const Row& probability, double p) {
  std::vector<bool> out(probability.size(), false);
  double mass = 0;
  for (const std::size_t id : ids) {
    out[id] = true;
    mass += probability[id];
    if (mass >= p) break;
  }
  return out;
}

Row negative(Row values) {
  for (double& v : values) v = -v;
  return values;
}

/// Bias and penalties, then the filters one after the other: the documented order.
Row adjusted(const std::vector<float>& logits, const SamplerOptions& o,
             std::span<const TokenId> text) {
  Row out(logits.begin(), logits.end());
  for (const LogitBias& b : o.logit_bias) {
    out[static_cast<std::size_t>(b.id)] += static_cast<double>(b.bias);
  }
  std::map<TokenId, int> seen;
  const std::size_t window = static_cast<std::size_t>(o.penalty_window);
  const std::size_t begin = window == 0 || text.size() < window ? 0 : text.size() - window;
  for (std::size_t i = begin; i < text.size(); ++i) ++seen[text[i]];
  for (const auto& [id, count] : seen) {
    double& l = out[static_cast<std::size_t>(id)];
    const auto r = static_cast<double>(o.repetition_penalty);
    l = l > 0 ? l / r : l * r;
    l -= count * static_cast<double>(o.frequency_penalty) + static_cast<double>(o.presence_penalty);
  }
  return out;
}

Row model(const std::vector<float>& logits, const SamplerOptions& o,
          std::span<const TokenId> text) {
  const Row l = adjusted(logits, o, text);
  std::vector<bool> alive(l.size(), true);
  if (o.top_k > 0) {
    const auto ids = order_by(negative(l), alive);
    for (std::size_t i = static_cast<std::size_t>(o.top_k); i < ids.size(); ++i) {
      alive[ids[i]] = false;
    }
  }
  if (o.typical_p < 1) {
    const Row p = softmax(l, alive);
    double entropy = 0;
    for (const double x : p) entropy -= x > 0 ? x * std::log(x) : 0;
    Row distance(p.size(), 0);
    for (std::size_t i = 0; i < p.size(); ++i) {
      distance[i] = alive[i] ? std::abs(-std::log(p[i]) - entropy) : 0;
    }
    alive = until(order_by(distance, alive), p, static_cast<double>(o.typical_p));
  }
  if (o.top_p < 1) {
    const Row p = softmax(l, alive);
    alive = until(order_by(negative(p), alive), p, static_cast<double>(o.top_p));
  }
  const Row p = softmax(l, alive);
  const double most = *std::max_element(p.begin(), p.end());
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (p[i] < most * static_cast<double>(o.min_p)) alive[i] = false;
  }
  return softmax(l, alive, static_cast<double>(o.temperature));
}

/// What chi-squared of so many degrees of freedom exceeds once in 10,000 (Wilson and Hilferty).
double chi_limit(int freedom) {
  const double k = freedom;
  return k * std::pow(1 - 2 / (9 * k) + 3.719 * std::sqrt(2 / (9 * k)), 3);
}

/// Nothing where nothing is expected; the rest by chi-squared, rare tokens together.
void check_counts(const std::vector<int>& got, const Row& expected) {
  double chi = 0;
  double rare = 0;
  double rare_got = 0;
  int bins = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (expected[i] <= 0) {
      CHECK_MESSAGE(got[i] == 0, "token " << i);
    } else if (expected[i] < 10) {
      rare += expected[i];
      rare_got += got[i];
    } else {
      chi += (got[i] - expected[i]) * (got[i] - expected[i]) / expected[i];
      ++bins;
    }
  }
  if (rare > 0) {
    chi += (rare_got - rare) * (rare_got - rare) / rare;
    ++bins;
  }
  REQUIRE(bins >= 2);
  CAPTURE(bins);
  CHECK(chi < chi_limit(bins - 1));
}

void check(const SamplerOptions& options) {
  const std::vector<float> logits = some_logits();
  const std::vector<TokenId> text = some_text(kDraws + 64);
  REQUIRE(check_sampler(options, 50));
  Sampler sampler(options);
  std::vector<int> got(logits.size(), 0);
  for (int d = 0; d < kDraws; ++d) {
    // Of every window of 64, whole turns: the distribution stands still.
    const auto before = std::span(text).first(static_cast<std::size_t>(d) + 64);
    ++got[static_cast<std::size_t>(sampler.sample(logits, before))];
  }
  Row expected = model(logits, options, std::span(text).first(64));
  for (double& e : expected) e *= kDraws;
  check_counts(got, expected);
}

TEST_CASE("sampler model: softmax and temperature") {
  check(plain());
  for (const float temperature : {0.3f, 0.8f, 2.5f}) {
    SamplerOptions o = plain();
    o.temperature = temperature;
    check(o);
  }
}

TEST_CASE("sampler model: top-k, top-p, min-p, typical") {
  SamplerOptions o = plain();
  o.top_k = 7;
  check(o);
  o = plain();
  o.top_p = 0.6f;
  check(o);
  o = plain();
  o.min_p = 0.2f;
  check(o);
  for (const float p : {0.2f, 0.5f, 0.9f}) {
    o = plain();
    o.typical_p = p;
    check(o);
  }
}

TEST_CASE("sampler model: penalties and bias") {
  SamplerOptions o = plain();
  o.repetition_penalty = 1.7f;
  check(o);
  o = plain();
  o.frequency_penalty = 0.3f;
  check(o);
  o = plain();
  o.presence_penalty = 1.1f;
  check(o);
  o.frequency_penalty = -0.05f;
  o.repetition_penalty = 0.8f;
  o.penalty_window = 16;
  check(o);
  o = plain();
  o.logit_bias = {{2, 3.5f}, {9, -2}, {20, -std::numeric_limits<float>::infinity()}};
  check(o);
}

TEST_CASE("sampler model: all together, in the documented order") {
  SamplerOptions o = plain();
  o.logit_bias = {{2, 1.5f}, {10, -std::numeric_limits<float>::infinity()}};
  o.repetition_penalty = 1.2f;
  o.frequency_penalty = 0.1f;
  o.presence_penalty = 0.2f;
  o.top_k = 40;
  o.typical_p = 0.95f;
  o.top_p = 0.9f;
  o.min_p = 0.08f;
  o.temperature = 1.4f;
  o.sequence = 3;
  check(o);
}

/// The tokens that mirostat leaves at `mu`, in probability.
Row mirostat_model(const Row& p, int version, double mu) {
  const std::vector<bool> all(p.size(), true);
  const auto ids = order_by(negative(p), all);
  std::size_t keep = 0;
  if (version == 2) {
    for (const std::size_t id : ids) keep += -std::log2(p[id]) <= mu ? 1 : 0;
  } else {
    double tb = 0;
    double tt = 0;
    for (std::size_t i = 0; i + 1 < std::min<std::size_t>(ids.size(), 100); ++i) {
      const double t = std::log((static_cast<double>(i) + 2) / (static_cast<double>(i) + 1));
      tb += t * std::log(p[ids[i]] / p[ids[i + 1]]);
      tt += t * t;
    }
    const double s = tb / tt;
    const double e = s - 1;
    const auto n = static_cast<double>(p.size());
    keep = static_cast<std::size_t>(std::pow(e * std::pow(2, mu) / (1 - std::pow(n, -e)), 1 / s));
  }
  keep = std::clamp<std::size_t>(keep, 1, ids.size());
  Row out(p.size(), 0);
  double sum = 0;
  for (std::size_t i = 0; i < keep; ++i) sum += p[ids[i]];
  for (std::size_t i = 0; i < keep; ++i) out[ids[i]] = p[ids[i]] / sum;
  return out;
}

TEST_CASE("sampler model: mirostat, both versions, as it learns") {
  const std::vector<float> logits = some_logits();
  const Row wide(logits.begin(), logits.end());
  for (const int version : {1, 2}) {
    for (const float tau : {1.5f, 3.0f, 4.5f}) {
      CAPTURE(version);
      CAPTURE(tau);
      SamplerOptions o = plain();
      o.mirostat = version;
      o.mirostat_tau = tau;
      o.mirostat_eta = 0.05f;
      o.temperature = 1.3f;
      o.top_k = 2;  // filters are not asked
      Sampler sampler(o);
      const Row p = softmax(wide, std::vector<bool>(50, true), static_cast<double>(o.temperature));
      double mu = 2 * static_cast<double>(tau);
      std::vector<int> got(logits.size(), 0);
      Row expected(logits.size(), 0);
      std::vector<TokenId> text;
      text.reserve(kDraws);
      double surprise = 0;
      for (int d = 0; d < kDraws; ++d) {
        const Row now = mirostat_model(p, version, mu);
        const TokenId id = sampler.sample(logits, text);
        text.push_back(id);
        const auto at = static_cast<std::size_t>(id);
        REQUIRE(now[at] > 0);
        ++got[at];
        for (std::size_t i = 0; i < now.size(); ++i) expected[i] += now[i];
        const double observed = -std::log2(now[at]);
        mu -= static_cast<double>(o.mirostat_eta) * (observed - static_cast<double>(tau));
        surprise += observed;
      }
      check_counts(got, expected);
      // What the method is for, where the logits have so much surprise.
      CHECK(std::abs(surprise / kDraws - static_cast<double>(tau)) < 0.05);
    }
  }
}

TEST_CASE("sampler: greedy follows bias and penalties") {
  SamplerOptions o = plain();
  o.temperature = 0;
  o.logit_bias = {{1, -std::numeric_limits<float>::infinity()}};
  const std::vector<float> logits = {1, 5, 3, 2.9f};
  CHECK(Sampler(o).sample(logits, {}) == 2);
  o.presence_penalty = 0.5f;
  CHECK(Sampler(o).sample(logits, std::vector<TokenId>{2}) == 3);
  // Only the window counts, and ids that are none are no harm.
  o.penalty_window = 2;
  CHECK(Sampler(o).sample(logits, std::vector<TokenId>{2, 0, 99, -1}) == 2);
  o.penalty_window = 0;
  CHECK(Sampler(o).sample(logits, std::vector<TokenId>{2, 0, 99, -1}) == 3);
}

TEST_CASE("sampler: a place draws the same whatever was drawn before it") {
  const std::vector<float> logits = some_logits();
  const std::vector<TokenId> text = some_text(40);
  Sampler all(plain());
  std::vector<TokenId> drawn;
  for (std::size_t i = 0; i < 40; ++i) {
    drawn.push_back(all.sample(logits, std::span(text).first(i)));
  }
  for (std::size_t i = 40; i-- > 0;) {
    Sampler fresh(plain());
    CHECK(fresh.sample(logits, std::span(text).first(i)) == drawn[i]);
  }
}

TEST_CASE("sampler: hostile options are refused by name") {
  const auto refused = [](SamplerOptions o, std::string_view what) {
    const Status status = check_sampler(o, 100);
    REQUIRE_FALSE(status);
    CHECK_MESSAGE(status.error().message().find(what) != std::string::npos,
                  status.error().message());
    CHECK(status.error().message().starts_with("[sampler] "));
  };
  CHECK(check_sampler({}, 100));
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (const float bad : {std::nanf(""), kInf, -kInf, -101.0f, 1001.0f}) {
    const auto with = [&](float SamplerOptions::*member, std::string_view what) {
      SamplerOptions o;
      o.*member = bad;
      refused(o, what);
    };
    with(&SamplerOptions::temperature, "temperature");
    with(&SamplerOptions::top_p, "top_p");
    with(&SamplerOptions::min_p, "min_p");
    with(&SamplerOptions::typical_p, "typical_p");
    with(&SamplerOptions::repetition_penalty, "repetition_penalty");
    with(&SamplerOptions::frequency_penalty, "frequency_penalty");
    with(&SamplerOptions::presence_penalty, "presence_penalty");
    with(&SamplerOptions::mirostat_tau, "mirostat_tau");
    with(&SamplerOptions::mirostat_eta, "mirostat_eta");
  }
  SamplerOptions o;
  o.repetition_penalty = 0;
  refused(o, "repetition_penalty, got 0, wanted 0.01 to 100");
  o = {};
  o.top_k = -1;
  refused(o, "top_k");
  o = {};
  o.penalty_window = -1;
  refused(o, "penalty_window");
  o = {};
  o.mirostat = 3;
  refused(o, "mirostat, got 3, wanted 0 to 2");
  o.mirostat = 2;
  o.temperature = 0;
  refused(o, "mirostat draws");
  const auto biased = [&](std::vector<LogitBias> biases, std::string_view what) {
    SamplerOptions with;
    with.logit_bias = std::move(biases);
    refused(with, what);
  };
  biased({{100, 1}}, "got 100, wanted 0 to 99");
  biased({{-1, 1}}, "got -1, wanted 0 to 99");
  biased({{5, 1}, {6, 1}, {5, 2}}, "token 5, got two");
  biased({{5, kInf}}, "token 5, got inf");
  biased({{5, std::nanf("")}}, "token 5, got nan");
  biased({{5, 2e6f}}, "wanted -1e+06 to 1e+06");
  biased(std::vector<LogitBias>(kLogitBiasesMax + 1, {5, 1}), "wanted at most 65536");
}

}  // namespace
}  // namespace polaris
