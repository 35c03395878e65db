// A card whose budget falls while a text is written, as a driver's does when another program takes
// memory: the text goes on in less memory, or a step is refused and can be repeated.
#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "support/device_wrapper.h"
#include "support/split_case.h"
#include "support/vulkan.h"

namespace polaris {
namespace {

using namespace test;

/// A card whose driver tells a budget that the test sets.
class FallingCard final : public DeviceWrapper {
 public:
  explicit FallingCard(std::unique_ptr<Device> card)
      : DeviceWrapper(std::move(card)), budget(DeviceWrapper::budget_bytes()) {}
  std::atomic<std::int64_t> budget;
  std::int64_t budget_bytes() override { return budget; }
};

struct Case {
  FallingCard* card = nullptr;
  SplitCase split;
};

Case open(const GgufBuilder& file, std::int64_t memory_bytes) {
  VulkanOptions options;
  options.memory_bytes = memory_bytes;
  options.keep_bytes = 0;
  auto vulkan = make_test_vulkan(options);
  if (!vulkan) return {};
  Case out;
  auto card = std::make_unique<FallingCard>(std::move(vulkan));
  out.card = card.get();
  std::vector<std::unique_ptr<Device>> cards;
  cards.push_back(std::move(card));
  GenerationOptions generation;
  generation.context = 256;
  auto split = open_split(file, runtime_on(std::move(cards)), generation);
  REQUIRE_MESSAGE(split.ok(), split.error().message());
  out.split = split.take();
  return out;
}

GenerateRequest request_of(std::vector<TokenId> forced) {
  GenerateRequest out;
  out.prompt = made_up_prompt(120, 5);
  out.max_new_tokens = 5;
  out.sampler.temperature = 0;
  out.forced = std::move(forced);
  out.logits = true;
  return out;
}

struct Steps {
  int refused = 0;
};

/// Writes the text, with this budget from step `at` on until a step was refused twice.
Generated run(const Case& c, GenerateRequest request, std::int64_t budget, int at, Steps& steps) {
  Batcher& batcher = *c.split.batcher;
  const std::int64_t before = c.card->budget;
  const auto id = batcher.add(std::move(request));
  REQUIRE_MESSAGE(id.ok(), id.error().message());
  std::vector<Generated> out;
  int refused = 0;
  for (int step = 0; !batcher.idle(); ++step) {
    if (step == at) {
      c.card->budget = budget;
      c.split.runtime->memory(0).trim();
    }
    const auto events = batcher.step();
    if (events) {
      collect(*events, out);
      continue;
    }
    const std::string& text = events.error().message();
    CAPTURE(text);
    CHECK(events.error().code() == ErrorCode::kOutOfMemory);
    CHECK(text.find("held: ") != std::string::npos);
    ++steps.refused;
    REQUIRE(refused < 2);
    if (++refused == 2) c.card->budget = before;
  }
  c.card->budget = before;
  REQUIRE(static_cast<std::int64_t>(out.size()) == *id);
  return out.back();
}

}  // namespace

TEST_CASE("budget: it falls at any step and by any part, and the text is written all the same") {
  const GgufBuilder file = layered_llama(4);
  // Whole on the card, and split with the cpu.
  for (const std::int64_t memory_mib : {64, 12}) {
    CAPTURE(memory_mib);
    Steps steps;
    Case c = open(file, memory_mib << 20);
    if (c.card == nullptr) return;
    CHECK(c.split.fit().whole == (memory_mib == 64));
    const std::int64_t all = c.card->budget;
    const Generated want = run(c, request_of({}), all, -1, steps);
    REQUIRE(want.ids.size() == 5);
    const std::int64_t held = c.card->counters().peak_bytes;
    const std::int64_t own = c.card->info().own_bytes;
    int gone_on = 0;
    for (const int at : {0, 3}) {
      for (const int percent : {0, 70, 94, 110}) {
        CAPTURE(at);
        CAPTURE(percent);
        const int refused = steps.refused;
        const std::int64_t budget = own + held * percent / 100;
        const Generated got = run(c, request_of(want.ids), budget, at, steps);
        if (steps.refused == refused) ++gone_on;
        const LogitsError error = compare_logits(got, want);
        CHECK(error.relative_max < 1e-2);
        CHECK(error.wrong_argmax == 0);
      }
    }
    CHECK(steps.refused > 0);
    CHECK(gone_on > 0);
  }
}

}  // namespace polaris
