// The n-th allocation fails, on the host and on a device: an error, nothing leaked, and the same
// objects work afterwards.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "backend/cpu/cpu_device.h"
#include "backend/reference/reference_device.h"
#include "base/strings.h"
#include "load/load.h"
#include "pipeline/batcher.h"
#include "support/alloc_counter.h"
#include "support/session_run.h"
#include "support/skip.h"
#include "support/vulkan.h"
#include "test_paths.h"

using namespace polaris;
using namespace polaris::test;

namespace {

std::string stories_path() { return std::string(kSourceDir) + "/models/stories/stories-q4_0.gguf"; }

/// Loads the stories model, generates three tokens and gives everything back.
Status load_and_generate(const std::shared_ptr<Runtime>& runtime) {
  auto model = load_model(stories_path(), runtime->ops());
  if (!model) return model.error();
  auto language = LanguageModel::create(runtime, *model);
  if (!language) return language.error();
  auto pool = KvPool::create(language->program, 4);
  if (!pool) return pool.error();
  auto session = Session::create(language->program, *pool);
  if (!session) return session.error();
  Batcher batcher(language.take(), session.take(), pool.take(), {});
  GenerateRequest request;
  request.prompt = {1, 300, 301, 302};
  request.max_new_tokens = 3;
  request.sampler.temperature = 0;
  auto id = batcher.add(std::move(request));
  if (!id) return id.error();
  while (!batcher.idle()) {
    auto events = batcher.step();
    if (!events) return events.error();
  }
  return Status::success();
}

/// As load_and_generate, with what was thrown as the error that an API boundary makes of it.
Status guarded(const std::shared_ptr<Runtime>& runtime) {
  try {
    return load_and_generate(runtime);
  } catch (const std::bad_alloc&) {
    return Error::out_of_memory("host memory ran out");
  }
}

std::shared_ptr<Runtime> runtime_of(std::unique_ptr<Device> device, bool with_cpu) {
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(std::move(device));
  if (with_cpu) {
    auto cpu = make_cpu_device({});
    REQUIRE(cpu);
    devices.push_back(cpu.take());
  }
  return std::make_shared<Runtime>(std::move(devices), 1, OpSet::builtin());
}

std::unique_ptr<Device> failing_device(const std::string& name, std::int64_t nth) {
  if (name == "reference") {
    ReferenceOptions options;
    options.fail_allocation_at = nth;
    return make_reference_device(options);
  }
  if (name == "cpu") {
    CpuOptions options;
    options.fail_allocation_at = nth;
    auto device = make_cpu_device(options);
    REQUIRE(device);
    return device.take();
  }
  VulkanOptions options;
  options.fail_allocation_at = nth;
  return make_test_vulkan(options);
}

}  // namespace

TEST_CASE("the n-th device allocation fails: an error, nothing leaked, and the next try works") {
  for (const std::string name : {"reference", "cpu", "vulkan"}) {
    CAPTURE(name);
    auto device = failing_device(name, 0);
    if (!device) continue;
    Device& counter = *device;
    auto all = runtime_of(std::move(device), name == "vulkan");
    REQUIRE(load_and_generate(all));
    const std::int64_t allocations = counter.counters().allocations;
    std::int64_t failures = 0;
    for (std::int64_t nth = 1; nth <= allocations; ++nth) {
      CAPTURE(nth);
      auto failing = failing_device(name, nth);
      Device& watched = *failing;
      auto runtime = runtime_of(std::move(failing), name == "vulkan");
      const Status status = load_and_generate(runtime);
      runtime->memory(0).trim();
      CHECK(watched.counters().live_bytes == 0);
      // A pool that frees what nobody uses and asks again may hide the failure.
      if (status) continue;
      CHECK(status.error().code() == ErrorCode::kOutOfMemory);
      ++failures;
      const Status again = load_and_generate(runtime);
      CHECK_MESSAGE(again, again.error().message());
    }
    CHECK(failures > 0);
    MESSAGE(name << ": " << failures << " failures surfaced as errors");
  }
}

TEST_CASE("the n-th host allocation fails: an error, nothing leaked, and the next try works") {
  if (!AllocCounter::available()) {
    skip("this sanitizer has an operator new of its own");
    return;
  }
  CpuOptions options;
  options.threads = 1;
  auto device = make_cpu_device(options);
  REQUIRE(device);
  Device& watched = **device;
  auto runtime = runtime_of(device.take(), false);
  REQUIRE(guarded(runtime));
  // A few allocations of every part in the quick test; `make soak` walks them all.
  const char* stride_text = std::getenv("POLARIS_ALLOC_STRIDE");
  const std::int64_t stride = stride_text != nullptr ? parse_i64(stride_text).value_or(101) : 101;
  std::int64_t failures = 0;
  for (std::int64_t nth = 1;; nth += stride) {
    CAPTURE(nth);
    Status status = Status::success();
    bool happened = false;
    {
      const AllocFailure failure(nth);
      status = guarded(runtime);
      happened = failure.happened();
    }
    runtime->memory(0).trim();
    CHECK(watched.counters().live_bytes == 0);
    if (!happened) break;
    if (!status) {
      CHECK(status.error().code() == ErrorCode::kOutOfMemory);
      ++failures;
    }
  }
  const Status after = guarded(runtime);
  CHECK_MESSAGE(after, after.error().message());
  MESSAGE(failures << " failures surfaced as errors");
}
