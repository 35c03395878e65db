#include "text/sampler.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <span>
#include <vector>

namespace polaris {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

SamplerOptions all_tokens(std::uint64_t seed) {
  SamplerOptions options;
  options.temperature = 1;
  options.top_k = 0;
  options.top_p = 1;
  options.min_p = 0;
  options.seed = seed;
  return options;
}

std::vector<int> counts(const SamplerOptions& options, const std::vector<float>& logits,
                        int draws) {
  Sampler sampler(options);
  const std::vector<TokenId> text(static_cast<std::size_t>(draws), 0);
  std::vector<int> out(logits.size(), 0);
  for (int d = 0; d < draws; ++d) {
    const auto before = std::span(text).first(static_cast<std::size_t>(d));
    ++out[static_cast<std::size_t>(sampler.sample(logits, before))];
  }
  return out;
}

TEST_CASE("greedy takes the largest, the lowest id of equals") {
  SamplerOptions options;
  options.temperature = 0;
  Sampler sampler(options);
  CHECK(sampler.sample(std::vector<float>{1, 3, 2, 3}, {}) == 1);
  CHECK(sampler.sample(std::vector<float>{kNan, -5, kNan}, {}) == 1);
  CHECK(sampler.sample(std::vector<float>{-INFINITY, -INFINITY}, {}) == 0);
  CHECK(argmax(std::vector<float>{kNan, kNan}) == 0);
}

TEST_CASE("the same seed draws the same tokens, another seed others") {
  const std::vector<float> logits = {0, 0.5f, 1, 0.2f, -1};
  const auto draw = [&](std::uint64_t seed) {
    Sampler sampler(all_tokens(seed));
    std::vector<TokenId> out;
    for (int d = 0; d < 50; ++d) out.push_back(sampler.sample(logits, out));
    return out;
  };
  CHECK(draw(7) == draw(7));
  CHECK(draw(7) != draw(8));
}

TEST_CASE("frequencies follow the softmax") {
  const std::vector<float> logits = {std::log(1.0f), std::log(2.0f), std::log(5.0f)};
  const auto got = counts(all_tokens(1), logits, 40000);
  CHECK(std::abs(got[0] / 40000.0 - 0.125) < 0.01);
  CHECK(std::abs(got[1] / 40000.0 - 0.25) < 0.01);
  CHECK(std::abs(got[2] / 40000.0 - 0.625) < 0.01);
  SamplerOptions cold = all_tokens(1);
  cold.temperature = 0.5f;  // weights 1, 4, 25
  const auto colder = counts(cold, logits, 40000);
  CHECK(std::abs(colder[2] / 40000.0 - 25.0 / 30) < 0.01);
}

TEST_CASE("filters leave only the likely") {
  const std::vector<float> logits = {std::log(0.05f), std::log(0.5f), std::log(0.3f),
                                     std::log(0.15f)};
  SamplerOptions top_k = all_tokens(3);
  top_k.top_k = 2;
  auto got = counts(top_k, logits, 2000);
  CHECK((got[0] == 0 && got[3] == 0 && got[1] > 0 && got[2] > 0));
  SamplerOptions top_p = all_tokens(3);
  top_p.top_p = 0.9f;  // 0.5 + 0.3 is short of it, with 0.15 it is reached
  got = counts(top_p, logits, 2000);
  CHECK((got[0] == 0 && got[1] > 0 && got[2] > 0 && got[3] > 0));
  SamplerOptions min_p = all_tokens(3);
  min_p.min_p = 0.4f;
  got = counts(min_p, logits, 2000);
  CHECK((got[0] == 0 && got[3] == 0 && got[1] > 0 && got[2] > 0));
  SamplerOptions none = all_tokens(3);
  none.top_p = 0;  // at least one is kept
  got = counts(none, logits, 100);
  CHECK(got[1] == 100);
}

TEST_CASE("odd logits give a token all the same") {
  Sampler sampler(all_tokens(5));
  std::vector<TokenId> text;
  for (int d = 0; d < 100; ++d) {
    text.push_back(sampler.sample(std::vector<float>{kNan, INFINITY, 1, kNan, INFINITY}, text));
    CHECK((text.back() == 1 || text.back() == 4));
    CHECK(sampler.sample(std::vector<float>{kNan, kNan}, text) == 0);
    CHECK(sampler.sample(std::vector<float>{-INFINITY, 0, -INFINITY}, text) == 1);
  }
}

}  // namespace
}  // namespace polaris
