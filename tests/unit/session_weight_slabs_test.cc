// Small weights share buffers, also when several threads bring them.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "base/tasks.h"
#include "session/runtime.h"
#include "session/weight_store.h"
#include "support/device_wrapper.h"
#include "support/fake_card.h"

namespace polaris::test {
namespace {

constexpr std::int64_t kMiB = 1 << 20;

/// Takes its time to allocate, as drivers do, and counts.
class SlowAllocator final : public DeviceWrapper {
 public:
  explicit SlowAllocator(std::atomic<int>& allocations)
      : DeviceWrapper(std::make_unique<FakeCard>(64 * kMiB)), allocations_(allocations) {}
  Result<std::unique_ptr<Buffer>> allocate(std::int64_t bytes, MemoryKind kind) override {
    ++allocations_;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return DeviceWrapper::allocate(bytes, kind);
  }

 private:
  std::atomic<int>& allocations_;
};

TEST_CASE("weights that share buffers take no more of them when four threads bring them") {
  std::atomic<int> allocations = 0;
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(std::make_unique<SlowAllocator>(allocations));
  Runtime runtime(std::move(devices), 1, OpSet::builtin());

  // Sixteen fit into a mebibyte.
  std::vector<WeightUse> uses;
  for (int i = 0; i < 64; ++i) {
    const std::vector<float> values(kMiB / 16 / sizeof(float), static_cast<float>(i));
    auto constant = std::make_shared<Constant>();
    constant->data = *Tensor::from<float>(DType::kF32, {std::ssize(values)}, values);
    WeightUse use;
    use.bytes = std::ssize(constant->data.bytes());
    use.constant = std::move(constant);
    uses.push_back(std::move(use));
  }
  const WeightClaim claim = runtime.weights(0).claim();
  const Status brought = run_tasks(uses.size(), 4, [&](std::size_t w) {
    auto got = runtime.weights(0).get(uses[w], &claim);
    return got ? Status::success() : Status(got.error());
  });
  REQUIRE_MESSAGE(brought, brought.error().message());
  CHECK(allocations == 4);
  CHECK(runtime.device(0).counters().live_bytes == 4 * kMiB);

  for (const WeightUse& use : uses) {
    const auto weight = runtime.weights(0).find(use);
    REQUIRE(weight);
    std::vector<std::byte> held(static_cast<std::size_t>(use.bytes));
    REQUIRE(runtime.device(0).read(weight->view(), held.data(), {}));
    CHECK(std::equal(held.begin(), held.end(), use.constant->data.bytes().begin()));
  }
}

}  // namespace
}  // namespace polaris::test
