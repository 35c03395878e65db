#include "pipeline/step_schedule.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "pipeline/step_inputs.h"

namespace polaris {
namespace {

using Counts = std::vector<std::int64_t>;

Counts plan(const Counts& pending, std::int64_t tokens, std::int64_t prompt,
            std::int64_t sequence = 1 << 20) {
  return plan_step(pending, {tokens, prompt, sequence});
}

TEST_CASE("texts that decode come first, prompts share what is left") {
  CHECK(plan({1, 1, 1}, 8, 8) == Counts{1, 1, 1});
  CHECK(plan({100, 1, 1}, 512, 64) == Counts{64, 1, 1});
  CHECK(plan({100, 1, 1}, 10, 64) == Counts{8, 1, 1});
  CHECK(plan({1, 1, 1}, 2, 64) == Counts{1, 1, 0});
  CHECK(plan({5, 1, 1}, 2, 64) == Counts{0, 1, 1});
  CHECK(plan({8000, 8000}, 512, 64) == Counts{32, 32});
  // The short one leaves most of its part.
  CHECK(plan({8000, 20}, 512, 64) == Counts{44, 20});
  CHECK(plan({20, 8000}, 512, 64) == Counts{20, 44});
  CHECK(plan({8000, 20, 300}, 512, 16) == Counts{5, 6, 5});
  CHECK(plan({8000, 20, 300}, 512, 2) == Counts{0, 1, 1});
  CHECK(plan({8000}, 512, 64, 10) == Counts{10});
  CHECK(plan({0, 3}, 512, 64) == Counts{0, 3});
  CHECK(plan({}, 512, 64).empty());
}

TEST_CASE("no plan exceeds a limit or leaves out what fits, whatever is pending") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 5000; ++round) {
    Counts pending;
    const std::uint64_t texts = random() % 20;
    for (std::uint64_t i = 0; i < texts; ++i) {
      const std::int64_t sizes[] = {1, static_cast<std::int64_t>(random() % 50),
                                    static_cast<std::int64_t>(random() % 9000)};
      pending.push_back(sizes[random() % 3]);
    }
    const auto tokens = static_cast<std::int64_t>(1 + random() % 600);
    const auto prompt = static_cast<std::int64_t>(1 + random() % 600);
    const auto sequence = static_cast<std::int64_t>(1 + random() % 600);
    const Counts got = plan(pending, tokens, prompt, sequence);
    std::int64_t all = 0;
    std::int64_t of_prompts = 0;
    std::int64_t wanted = 0;
    std::int64_t decoding = 0;
    for (std::size_t i = 0; i < pending.size(); ++i) {
      REQUIRE(got[i] >= 0);
      REQUIRE(got[i] <= std::min(pending[i], sequence));
      all += got[i];
      if (pending[i] == 1) ++decoding;
      if (pending[i] > 1) of_prompts += got[i];
      if (pending[i] > 1) wanted += std::min(pending[i], sequence);
    }
    REQUIRE(all <= tokens);
    REQUIRE(of_prompts <= prompt);
    const std::int64_t left = tokens - std::min(decoding, tokens);
    // Where no text meets its own bound nothing is left over.
    if (sequence >= prompt) REQUIRE(of_prompts == std::min({left, prompt, wanted}));
  }
}

/// A machine: a step of so many tokens, padded as steps are, takes so long.
double machine_ms(std::int64_t tokens, double fixed_ms, double token_ms) {
  return fixed_ms + token_ms * static_cast<double>(bucket_of(tokens, 1, 512));
}

TEST_CASE("20 tokens behind a prompt of 8000 wait for three chunks at most") {
  for (const double token_ms : {0.01, 0.1, 1.0, 3.0, 20.0}) {
    for (const int decoding : {0, 1, 15}) {
      CAPTURE(token_ms);
      CAPTURE(decoding);
      StepTimes times;
      Counts pending(static_cast<std::size_t>(decoding), 1);
      pending.push_back(8000);
      const auto step = [&] {
        const std::int64_t chunk = times.chunk(decoding, 100, 512 - decoding);
        const Counts counts = plan(pending, 512, chunk);
        std::int64_t prompt = 0;
        for (std::size_t i = static_cast<std::size_t>(decoding); i < pending.size(); ++i) {
          pending[i] -= counts[i];
          prompt += counts[i];
        }
        for (int i = 0; i < decoding; ++i) REQUIRE(counts[static_cast<std::size_t>(i)] == 1);
        times.note(decoding, prompt, machine_ms(prompt + decoding, 2, token_ms));
      };
      for (int i = 0; i < 7; ++i) step();
      pending.push_back(20);
      int chunks = 0;
      while (pending.back() > 0) {
        step();
        ++chunks;
      }
      CHECK(chunks <= 3);
    }
  }
}

TEST_CASE("chunks come to fill the budget and keep to it") {
  for (const double token_ms : {0.05, 0.4, 1.5, 5.0}) {
    for (const int decoding : {0, 3, 16}) {
      CAPTURE(token_ms);
      CAPTURE(decoding);
      constexpr double kBudget = 100;
      StepTimes times;
      if (decoding > 0) times.note(decoding, 0, machine_ms(decoding, 2, token_ms));
      for (int step = 0; step < 60; ++step) {
        const std::int64_t chunk = times.chunk(decoding, kBudget, 512 - decoding);
        const double ms = machine_ms(chunk + decoding, 2, token_ms);
        times.note(decoding, chunk, ms);
        // The least chunk is taken however long it takes.
        const double least = machine_ms(StepTimes::kChunkMin + decoding, 2, token_ms);
        if (step > 0) CHECK(ms <= std::max(kBudget * 1.5, least));
        const bool most = chunk + decoding == 512;
        if (step > 20 && !most) CHECK(ms >= std::min(kBudget / 3, least));
      }
    }
  }
}

TEST_CASE("chunks before anything is measured, and after odd measurements") {
  StepTimes times;
  CHECK(times.chunk(0, 100, 512) == StepTimes::kChunkFirst);
  CHECK(times.chunk(0, 100, 4) == 4);
  times.note(0, 100, 0);
  times.note(1, 0, -1);
  times.note(0, 1, std::numeric_limits<double>::quiet_NaN());
  times.note(0, 1, std::numeric_limits<double>::infinity());
  CHECK(times.chunk(0, 100, 512) == StepTimes::kChunkFirst);
  times.note(0, 100, 1e300);
  CHECK(times.chunk(0, 100, 512) == StepTimes::kChunkMin);
  StepTimes fast;
  fast.note(0, 1, 1e-300);
  CHECK(fast.chunk(0, 1e300, 512) == 512);
  // A step that only decodes takes the whole budget.
  times.note(4, 0, 500);
  CHECK(times.chunk(4, 100, 512) == StepTimes::kChunkMin);
}

}  // namespace
}  // namespace polaris
