// What is picked from the likeliest tokens of a row is what is picked from all of it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "support/sampler_sweep.h"
#include "text/sampler.h"

namespace polaris {
namespace {

constexpr std::size_t kVocabulary = 300;

struct Row {
  std::vector<float> logits;
  std::vector<float> top;
  std::vector<std::int64_t> ids;
  TopLogits of_top() const { return {top, ids, logits.size()}; }
};

/// As TopK does: NaN before all, of equals the lowest index.
Row row_of(std::vector<float> logits, std::size_t k) {
  Row out;
  out.ids.resize(logits.size());
  std::iota(out.ids.begin(), out.ids.end(), 0);
  const auto key = [&](std::int64_t id) {
    const auto value = static_cast<double>(logits[static_cast<std::size_t>(id)]);
    return std::isnan(value) ? std::numeric_limits<double>::max() : value;
  };
  std::ranges::stable_sort(out.ids, [&](auto a, auto b) { return key(a) > key(b); });
  out.ids.resize(std::min(k, logits.size()));
  for (const auto id : out.ids) out.top.push_back(logits[static_cast<std::size_t>(id)]);
  out.logits = std::move(logits);
  return out;
}

enum class Kind { kPeaked, kFlat, kTies, kSome, kNan, kCount };

std::vector<float> logits_of(Kind kind, std::mt19937& random) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  std::normal_distribution<float> normal(0, kind == Kind::kFlat ? 0.3f : 5.0f);
  std::vector<float> out(kVocabulary);
  for (float& logit : out) {
    logit = normal(random);
    if (kind == Kind::kTies) logit = std::round(logit / 4);  // with zeros of both signs
    if (kind == Kind::kSome && random() % 8 != 0) logit = -kInf;
    if (kind == Kind::kNan && random() % 100 == 0) logit = std::nanf("");
  }
  if (kind == Kind::kPeaked) out[random() % out.size()] += 15;
  return out;
}

}  // namespace

TEST_CASE("sampler: the likeliest tokens settle what the whole row would, or say nothing") {
  std::mt19937 random(11);
  const auto sweep = test::sampler_sweep(kVocabulary);
  REQUIRE(sweep.size() > 5000);
  std::vector<std::int64_t> settled(2, 0);
  std::int64_t wrong = 0;
  for (const SamplerOptions& options : sweep) {
    const auto kind = static_cast<Kind>(random() % static_cast<unsigned>(Kind::kCount));
    const std::size_t k = random() % 8 == 0 ? kVocabulary : 1 + random() % 64;
    const Row row = row_of(logits_of(kind, random), k);
    // Text that repeats itself, of likely tokens and of others.
    std::vector<TokenId> text(random() % 90);
    for (TokenId& token : text) {
      token = static_cast<TokenId>(random() % 2 == 0 ? random() % kVocabulary
                                                     : row.ids[random() % row.ids.size()]);
    }
    std::vector<std::uint64_t> words((kVocabulary + 63) / 64);
    for (std::uint64_t& word : words) word = random() | std::uint64_t{random()} << 32;
    words.back() &= (std::uint64_t{1} << kVocabulary % 64) - 1;
    const grammar::TokenMask mask{words, {}};
    for (const bool masked : {false, true}) {
      Sampler whole(options);
      Sampler top(options);
      const auto* allowed = masked ? &mask : nullptr;
      const TokenId want = whole.sample(row.logits, text, 7, allowed);
      const TokenId got = top.sample_top(row.of_top(), text, 7, allowed);
      ++settled[got >= 0 ? 1 : 0];
      if (got >= 0 && got != want) ++wrong;
      // Nothing stays of what was tried in vain.
      if (got < 0 && top.sample(row.logits, text, 7, allowed) != want) ++wrong;
    }
  }
  CHECK(wrong == 0);
  CAPTURE(settled[0]);
  CHECK(settled[1] > 1000);
}

TEST_CASE("sampler: the likeliest are enough for greedy texts, a top-k, and penalties that lower") {
  std::mt19937 random(3);
  const Row row = row_of(logits_of(Kind::kFlat, random), 64);
  const std::vector<TokenId> text = {static_cast<TokenId>(row.ids[0]), 5, 9};
  const auto settles = [&](void (*change)(SamplerOptions&)) {
    SamplerOptions options;
    change(options);
    return Sampler(options).sample_top(row.of_top(), text) >= 0;
  };
  CHECK(settles([](SamplerOptions&) {}));
  CHECK(settles([](SamplerOptions& o) { o.temperature = 0; }));
  CHECK(settles([](SamplerOptions& o) { o.temperature = 0, o.repetition_penalty = 1.1f; }));
  CHECK(settles([](SamplerOptions& o) { o.top_k = 60, o.presence_penalty = 0.1f; }));
  CHECK(settles([](SamplerOptions& o) { o.typical_p = 0.5f; }));
  CHECK(settles([](SamplerOptions& o) { o.top_k = 0, o.top_p = 1, o.min_p = 0.8f; }));
  CHECK_FALSE(settles([](SamplerOptions& o) { o.top_k = 0, o.min_p = 0; }));
  CHECK_FALSE(settles([](SamplerOptions& o) {
    o.top_k = 65;
    o.top_p = 1, o.min_p = 0;
  }));
  CHECK_FALSE(settles([](SamplerOptions& o) { o.repetition_penalty = 0.9f; }));
  CHECK_FALSE(settles([](SamplerOptions& o) { o.logit_bias = {{3, 0.5f}}; }));
  CHECK_FALSE(settles([](SamplerOptions& o) { o.mirostat = 2; }));
}

}  // namespace polaris
