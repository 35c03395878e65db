// What is drafted, how much of it, and what a text keeps when its context is full.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>
#include <vector>

#include "pipeline/context_shift.h"
#include "pipeline/draft_plan.h"
#include "pipeline/token_lookup.h"

namespace polaris {
namespace {

using Ids = std::vector<TokenId>;

TEST_CASE("lookup: the longest end that stood in the text before, of equals the last") {
  const Ids text = {1, 2, 3, 9, 5, 2, 3, 7, 8, 2, 3};
  const auto found = find_repeat(text, 2, 8);
  REQUIRE(found);
  CHECK(found->next == 7);
  CHECK(found->length == 2);
  Ids out;
  copy_repeat(text, *found, 3, out);
  CHECK(out == Ids{7, 8, 2});
  CHECK(!find_repeat(text, 3, 8));
  CHECK(!find_repeat(Ids{4}, 1, 8));
  CHECK(!find_repeat(Ids{}, 1, 8));
  // What repeats itself goes on so, past its own end.
  const Ids turns = {7, 1, 2, 1, 2};
  out.clear();
  copy_repeat(turns, find_repeat(turns, 1, 8).value(), 5, out);
  CHECK(out == Ids{1, 2, 1, 2, 1});
}

TEST_CASE("lookup: random texts against trying all places") {
  std::mt19937_64 random(5);
  for (int round = 0; round < 2000; ++round) {
    Ids text;
    const std::uint64_t size = random() % 40;
    for (std::uint64_t i = 0; i < size; ++i) text.push_back(static_cast<TokenId>(random() % 3));
    const auto least = static_cast<std::int64_t>(1 + random() % 4);
    const auto most = least + static_cast<std::int64_t>(random() % 6);
    std::optional<Repeat> best;
    for (std::int64_t length = most; length >= least && !best; --length) {
      for (auto next = static_cast<std::int64_t>(size) - 1; next >= length && !best; --next) {
        const auto end = text.end() - length;
        const auto begin = text.begin() + next - length;
        if (std::equal(begin, begin + length, end)) best = Repeat{next, length};
      }
    }
    const auto found = find_repeat(text, least, most);
    REQUIRE(found.has_value() == best.has_value());
    if (!best) continue;
    CHECK(found->next == best->next);
    CHECK(found->length == best->length);
  }
}

TEST_CASE("a text that is shifted keeps its beginning and the newer half of the rest") {
  CHECK(shifted_text(Ids{0, 1, 2, 3, 4, 5, 6, 7, 8}, 3) == Ids{0, 1, 2, 6, 7, 8});
  CHECK(shifted_text(Ids{0, 1, 2, 3, 4}, 0) == Ids{3, 4});
  CHECK(shifted_text(Ids{0, 1, 2, 3, 4}, 4) == Ids{0, 1, 2, 3});
  CHECK(shifted_text(Ids{0, 1}, 9) == Ids{0, 1});
}

/// Steps whose times and tokens are made up: by rows, and by how likely a drafted token is right.
struct MadeUp {
  std::vector<double> ms;  // of 1, 2, 4, 8 ... rows
  std::mt19937_64 random{3};
  DraftPlan plan;
  Acceptance acceptance;
  double all_ms = 0;
  std::int64_t tokens = 0;
  std::int64_t drafted = 0;

  double noisy(double value) {
    const double share = static_cast<double>(random() % 1000) / 1000;
    const bool interrupted = random() % 40 == 0;
    return value * (0.9 + 0.2 * share) * (interrupted ? 4 : 1);
  }
  /// Runs until so many tokens are there; the time that it took against steps without drafts.
  double speed(double right, std::int64_t count) {
    const double before_ms = all_ms;
    const std::int64_t before = tokens;
    while (tokens - before < count) {
      const DraftChance chance{acceptance.chance(), 15, 0};
      const std::int64_t draft = plan.choose({&chance, 1}, 64)[0];
      std::int64_t taken = 0;
      while (taken < draft && static_cast<double>(random() % 10000) < right * 10000) ++taken;
      if (draft > 0) {
        acceptance.note(std::min(taken + 1, draft), taken);
      } else {
        acceptance.fade();
      }
      const auto size =
          static_cast<std::size_t>(std::ceil(std::log2(1.0 + static_cast<double>(draft))));
      const double step_ms = noisy(ms[size]);
      plan.note({1, 1 + draft, 1 + taken, step_ms, 0});
      all_ms += step_ms;
      tokens += 1 + taken;
      drafted += draft;
    }
    const double plain_ms = 1.075 * ms[0] * static_cast<double>(tokens - before);  // mean of noisy
    return plain_ms / (all_ms - before_ms);
  }
};

TEST_CASE("drafts that do not pay go off, and come back when they do") {
  for (const double right : {0.0, 0.1, 0.3, 0.5}) {
    CAPTURE(right);
    MadeUp steps{.ms = {10, 17, 21, 45, 60}};
    const double short_text = steps.speed(right, 128);
    CHECK(short_text >= 0.94);  // its noise included
    const double speed = steps.speed(right, 4000);
    MESSAGE(right << " right: " << short_text << " of plain at first, then " << speed << ", "
                  << steps.drafted << " drafted");
    CHECK(speed >= 0.96);
  }
  MadeUp steps{.ms = {10, 17, 21, 45, 60}};
  CHECK(steps.speed(0, 3000) >= 0.96);
  const std::int64_t hopeless = steps.drafted;
  CHECK(hopeless > 0);  // tried again and again
  CHECK(hopeless < 400);
  const double good = steps.speed(0.95, 1000);
  CHECK(good >= 1.6);                   // 1.87 with no plain step between
  CHECK(steps.speed(0, 3000) >= 0.96);  // off again
}

TEST_CASE("drafts that cost too much are not written, however right they are") {
  // Each row costs as much as a step.
  MadeUp steps{.ms = {10, 20, 40, 80, 160}};
  CHECK(steps.speed(0.97, 2000) >= 0.96);
  MadeUp cheap{.ms = {10, 11, 12, 14, 18}};
  CHECK(cheap.speed(0.97, 2000) >= 4.5);
}

TEST_CASE("the plan fills rows that are padded anyway, likeliest first") {
  DraftPlan plan;
  for (int i = 0; i < 4; ++i) plan.note({3, 3, 3, 20, 0});
  const std::vector<DraftChance> three = {{0.2, 4, 0}, {0.9, 4, 0}, {0, 0, 0}};
  CHECK(plan.choose(three, 4) == std::vector<std::int64_t>{0, 1, 0});
  CHECK(plan.choose(three, 3) == std::vector<std::int64_t>{0, 0, 0});
  // What drafting itself takes counts.
  const std::vector<DraftChance> slow = {{0.2, 4, 90}, {0.9, 4, 90}, {0, 0, 0}};
  CHECK(plan.choose(slow, 64) == std::vector<std::int64_t>{0, 0, 0});
  // Of more texts than were timed nothing is known.
  const std::vector<DraftChance> nine(9, {0.9, 4, 0});
  CHECK(plan.choose(nine, 64) == std::vector<std::int64_t>(9, 0));
  CHECK(plan.choose({}, 64).empty());
}

}  // namespace
}  // namespace polaris
