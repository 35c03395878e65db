#include "text/logprobs.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace polaris {
namespace {

TEST_CASE("logprobs are the logarithm of the softmax, in double, to 1e-5") {
  std::vector<float> logits;
  for (int i = 0; i < 3001; ++i) logits.push_back(12 * std::sin(0.37f * static_cast<float>(i)));
  double sum = 0;
  for (const float l : logits) sum += std::exp(static_cast<double>(l));
  for (TokenId id = 0; id < 3001; ++id) {
    const double wanted = static_cast<double>(logits[static_cast<std::size_t>(id)]) - std::log(sum);
    CHECK(std::abs(log_probability(logits, id) - wanted) < 1e-5);
  }
  const auto top = top_logprobs(logits, 20);
  REQUIRE(top.size() == 20);
  for (std::size_t i = 0; i < top.size(); ++i) {
    CHECK(top[i].logprob == log_probability(logits, top[i].id));
    if (i > 0) CHECK(top[i].logprob <= top[i - 1].logprob);
  }
  int likelier = 0;
  for (const float l : logits) {
    if (l > logits[static_cast<std::size_t>(top.back().id)]) ++likelier;
  }
  CHECK(likelier == 19);
}

TEST_CASE("logprobs of few, equal, large and missing logits") {
  const std::vector<float> equal = {3e38f, 3e38f, 1};
  const auto top = top_logprobs(equal, 5);
  REQUIRE(top.size() == 3);
  CHECK(top[0].id == 0);
  CHECK(top[1].id == 1);
  CHECK(top[0].logprob == doctest::Approx(-std::log(2.0)));
  CHECK(top_logprobs(equal, 0).empty());
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto odd = top_logprobs(std::vector<float>{nan, 1, nan, 2}, 2);
  CHECK(odd[0].id == 3);
  CHECK(odd[1].id == 1);
  CHECK(std::isnan(odd[0].logprob));
}

}  // namespace
}  // namespace polaris
