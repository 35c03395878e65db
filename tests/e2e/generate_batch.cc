// Sequences that come and go, share pages, and decode steadily.
#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include "backend/cpu/cpu_device.h"
#include "support/alloc_counter.h"
#include "support/device_wrapper.h"
#include "support/generation.h"
#include "support/session_run.h"

namespace polaris {
namespace {

using namespace test;

constexpr std::int64_t kBucket = 8;

BatcherOptions one_bucket() {
  BatcherOptions options;
  options.tokens_per_step = kBucket;
  options.bucket_min = kBucket;
  return options;
}

/// Three requests, of which the first two begin alike.
std::vector<GenerateRequest> three_requests(const LanguageModel& model) {
  const std::string prefix = "Once upon a time, there was a little girl named Lily. She ";
  std::vector<GenerateRequest> out = {
      greedy_request(model, prefix + "loved to play", 22),
      greedy_request(model, prefix + "had a red ball", 7),
      greedy_request(model, "The dog", 11),
  };
  for (GenerateRequest& request : out) request.end_tokens.clear();
  return out;
}

void check_equal_bits(const Generated& got, const Generated& alone) {
  CHECK(got.ids == alone.ids);
  REQUIRE(got.logits.size() == alone.logits.size());
  std::size_t different = 0;
  for (std::size_t s = 0; s < got.logits.size(); ++s) {
    const std::size_t bytes = got.logits[s].size() * sizeof(float);
    if (std::memcmp(got.logits[s].data(), alone.logits[s].data(), bytes) != 0) ++different;
  }
  CHECK(different == 0);
}

void check_company(const std::string& device, const std::string& storage) {
  auto runtime = make_runtime({device});
  if (!runtime) return;
  ArchOptions arch;
  arch.page_size = 4;
  const LanguageModel model = load_language_model(stories_path(storage), runtime, arch);
  std::vector<Generated> alone;
  for (const GenerateRequest& request : three_requests(model)) {
    TestBatcher test = make_batcher(model, 0, one_bucket());
    alone.push_back(generate(*test.batcher, request));
    CHECK(test.pool->free_pages() == test.pool->page_count());
  }
  TestBatcher test = make_batcher(model, 0, one_bucket());
  Batcher& batcher = *test.batcher;
  const auto requests = three_requests(model);
  std::vector<Generated> together;
  std::int64_t most_running = 0;
  for (int step = 0; step == 0 || !batcher.idle(); ++step) {
    // The second comes while the first is under way, the third while both are.
    if (step == 0) REQUIRE(batcher.add(requests[0]));
    if (step == 6) REQUIRE(batcher.add(requests[1]));
    if (step == 9) REQUIRE(batcher.add(requests[2]));
    auto events = batcher.step();
    REQUIRE_MESSAGE(events.ok(), events.error().message());
    collect(*events, together);
    most_running = std::max(most_running, batcher.running());
  }
  CHECK(most_running == 3);
  CHECK(batcher.shared_tokens() >= 12);
  CHECK(test.pool->free_pages() == test.pool->page_count());
  REQUIRE(together.size() == 3);
  for (std::size_t r = 0; r < 3; ++r) {
    CAPTURE(r);
    check_equal_bits(together[r], alone[r]);
  }
}

TEST_CASE("three sequences get the bits of each alone: reference") {
  check_company("reference", "q8_0");
}
TEST_CASE("three sequences get the bits of each alone: cpu") {
  check_company("cpu", "f32");
  check_company("cpu", "q8_0");
  check_company("cpu", "q4_0");
}
TEST_CASE("three sequences get the bits of each alone: vulkan") { check_company("vulkan", "q8_0"); }

TEST_CASE("a shared prefix holds its pages once, and cancelling gives pages back") {
  auto runtime = make_runtime({"cpu"});
  ArchOptions arch;
  arch.page_size = 4;
  const LanguageModel model = load_language_model(stories_path("q8_0"), runtime, arch);
  TestBatcher test = make_batcher(model);
  const auto requests = three_requests(model);
  const auto used = [&] { return test.pool->page_count() - test.pool->free_pages(); };
  auto first = test.batcher->add(requests[0]);
  REQUIRE(first);
  REQUIRE(test.batcher->step());
  const std::int64_t alone = used();
  auto second = test.batcher->add(requests[1]);
  REQUIRE(second);
  REQUIRE(test.batcher->step());
  const std::int64_t shared_pages = test.batcher->shared_tokens() / arch.page_size;
  CHECK(shared_pages >= 3);
  const auto second_pages = static_cast<std::int64_t>(requests[1].prompt.size() + 3) / 4;
  CHECK(used() <= alone + second_pages - shared_pages + 1);
  CHECK(test.batcher->cancel(*first));
  CHECK_FALSE(test.batcher->cancel(*first));
  CHECK(used() <= second_pages + 1);
  CHECK(used() > 0);
  CHECK(test.batcher->cancel(*second));
  CHECK(used() == 0);
  CHECK(test.batcher->idle());
}

/// What must stand still while a sequence decodes.
struct Marks {
  std::int64_t plans = 0;
  std::int64_t allocations = 0;
  std::int64_t command_buffers = 0;
  std::int64_t pipelines = 0;
  bool operator==(const Marks&) const = default;
};

Marks marks_of(const LanguageModel& model, Runtime& runtime) {
  Marks out;
  out.plans = model.program->plans_created();
  for (DeviceIndex d = 0; d < runtime.device_count(); ++d) {
    const DeviceCounters counters = runtime.device(d).counters();
    out.allocations += counters.allocations;
    out.command_buffers += counters.command_buffers;
    out.pipelines += counters.pipelines;
  }
  return out;
}

void check_steady(const std::shared_ptr<Runtime>& runtime) {
  const LanguageModel model = load_language_model(stories_path("q4_0"), runtime);
  TestBatcher test = make_batcher(model);
  GenerateRequest request = greedy_request(model, "Once upon a time", 160);
  request.end_tokens.clear();
  REQUIRE(test.batcher->add(request));
  for (int step = 0; step < 4; ++step) REQUIRE(test.batcher->step());
  // A plan is cut by what its first runs take, and anew a few times where the machine becomes
  // busier: of these stretches some stand still, however busy it is.
  int steady = 0;
  for (int stretch = 0; stretch < 8; ++stretch) {
    const Marks before = marks_of(model, *runtime);
    // A page boundary lies in these steps.
    for (int step = 0; step < 16; ++step) REQUIRE(test.batcher->step());
    const Marks after = marks_of(model, *runtime);
    CHECK(after.plans == before.plans);
    CHECK(after.allocations == before.allocations);
    CHECK(after.pipelines == before.pipelines);
    if (after.command_buffers == before.command_buffers) ++steady;
  }
  CHECK(steady >= 2);
}

TEST_CASE("steady decoding plans, records and allocates nothing: reference") {
  check_steady(make_runtime({"reference"}));
}
TEST_CASE("steady decoding plans, records and allocates nothing: cpu") {
  check_steady(make_runtime({"cpu"}));
}
TEST_CASE("steady decoding plans, records and allocates nothing: vulkan") {
  if (auto runtime = make_runtime({"vulkan"})) check_steady(runtime);
}

/// Counts host allocations inside segments.
class WatchedDevice final : public DeviceWrapper {
 public:
  using DeviceWrapper::DeviceWrapper;
  Result<Fence> submit(Executable& executable, const SubmitArgs& args) override {
    const AllocCounter counter;
    return DeviceWrapper::submit(executable, args);
  }
};

TEST_CASE("a segment on the cpu allocates no host memory") {
  if (!AllocCounter::available()) return;
  CpuOptions options;
  options.threads = 2;
  auto cpu = make_cpu_device(options);
  REQUIRE(cpu);
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(std::make_unique<WatchedDevice>(cpu.take()));
  auto runtime = std::make_shared<Runtime>(std::move(devices), 1, OpSet::builtin());
  const LanguageModel model = load_language_model(stories_path("q4_0"), runtime);
  TestBatcher test = make_batcher(model);
  GenerateRequest request = greedy_request(model, "Once upon a time", 100);
  request.end_tokens.clear();
  REQUIRE(test.batcher->add(request));
  for (int step = 0; step < 4; ++step) REQUIRE(test.batcher->step());
  const std::int64_t before = AllocCounter::total();
  for (int step = 0; step < 32; ++step) REQUIRE(test.batcher->step());
  CHECK(AllocCounter::total() == before);
}

}  // namespace
}  // namespace polaris
