// Who makes room for whom on a device.
#include "session/memory_manager.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "backend/cpu/cpu_device.h"
#include "ir/text/text.h"
#include "session/program.h"
#include "session/session.h"
#include "support/alloc_counter.h"
#include "support/fake_card.h"
#include "support/skip.h"

namespace polaris {
namespace {

using test::FakeCard;

constexpr std::int64_t kMiB = 1 << 20;

struct Fake {
  std::shared_ptr<Runtime> runtime;
  FakeCard* device = nullptr;

  explicit Fake(std::int64_t budget_bytes) {
    auto made = std::make_unique<FakeCard>(budget_bytes);
    device = made.get();
    std::vector<std::unique_ptr<Device>> devices;
    devices.push_back(std::move(made));
    runtime = std::make_shared<Runtime>(std::move(devices), 1, OpSet::builtin());
  }
  MemoryManager& memory() const { return runtime->memory(0); }
  WeightStore& weights() const { return runtime->weights(0); }
};

std::shared_ptr<Program> compile(const std::shared_ptr<Runtime>& runtime, const std::string& text) {
  auto graph = parse_graph(text, runtime->ops());
  REQUIRE_MESSAGE(graph, graph.error().message());
  ProgramOptions options;
  options.run_passes = false;
  auto program = Program::compile(runtime, graph.take(), options);
  REQUIRE_MESSAGE(program, program.error().message());
  return program.take();
}

/// Two weights of 2 MiB each.
std::shared_ptr<Program> model(const std::shared_ptr<Runtime>& runtime, int seed) {
  return compile(
      runtime, "graph m {\n input %x : float32[1, 512]\n const %a : float32[512, 1024] = random " +
                   std::to_string(seed) + "\n const %b : float32[1024, 512] = random " +
                   std::to_string(seed + 1) +
                   "\n %h = MatMul(%x, %a)\n %y = MatMul(%h, %b)\n output %y\n}\n");
}

Result<Tensor> run(const std::shared_ptr<Program>& program) {
  auto session = Session::create(program);
  REQUIRE(session);
  auto x = Tensor::allocate(DType::kF32, {1, 512});
  REQUIRE(x);
  for (std::int64_t i = 0; i < 512; ++i) x->mutable_data<float>()[i] = static_cast<float>(i % 7);
  std::vector<Tensor> outputs;
  const Tensor inputs[] = {x.take()};
  if (auto status = (*session)->run(inputs, outputs); !status) return status.error();
  return outputs[0];
}

void check_equal(const Result<Tensor>& got, const Result<Tensor>& want) {
  REQUIRE_MESSAGE(got, got.error().message());
  REQUIRE_MESSAGE(want, want.error().message());
  for (std::int64_t i = 0; i < want->elements(); ++i) {
    CHECK(got->data<float>()[i] == want->data<float>()[i]);
  }
}

TEST_CASE("memory: three models in turn on a device that holds one and a half of them") {
  const Fake roomy(64 * kMiB);
  const Fake fake(6 * kMiB + kMiB / 2);
  std::vector<Result<Tensor>> want;
  for (int m = 0; m < 3; ++m) want.push_back(run(model(roomy.runtime, 10 * m)));
  std::vector<std::shared_ptr<Program>> models;
  for (int m = 0; m < 3; ++m) models.push_back(model(fake.runtime, 10 * m));
  const auto go = [&](std::size_t m) {
    check_equal(run(models[m]), want[m]);
    CHECK(fake.device->counters().live_bytes <= fake.device->budget);
  };
  go(0);
  CHECK(fake.weights().brought() == 2);
  CHECK(fake.weights().dropped() == 0);
  // Half of the first is enough for the second; then the other half and half of the second.
  go(1);
  CHECK(fake.weights().brought() == 4);
  CHECK(fake.weights().dropped() == 1);
  go(2);
  CHECK(fake.weights().brought() == 6);
  CHECK(fake.weights().dropped() == 3);
  CHECK(fake.runtime->reclaimers().dropped() == 2);
  // What was used last stays: nothing is brought for it.
  go(2);
  CHECK(fake.weights().brought() == 6);
  // The half of the second that is there does not make room for its other half.
  go(1);
  CHECK(fake.weights().brought() == 7);
  CHECK(fake.weights().dropped() == 4);
  for (int round = 0; round < 3; ++round) {
    for (std::size_t m = 0; m < 3; ++m) go(m);
  }
  CHECK(fake.device->counters().peak_bytes <= fake.device->budget);
}

TEST_CASE("memory: a weight that could not be brought for want of host memory can be asked again") {
  if (!test::AllocCounter::available()) {
    test::skip("this sanitizer has an operator new of its own");
    return;
  }
  auto data = Tensor::allocate(DType::kF32, {1024});
  REQUIRE(data);
  WeightUse use;
  use.constant = std::make_shared<Constant>(Constant{data.take(), {}, {}, "w", nullptr});
  use.bytes = 4096;
  bool happened = true;
  std::int64_t nth = 1;
  for (; happened; ++nth) {
    CAPTURE(nth);
    const Fake fake(16 * kMiB);
    try {
      const test::AllocFailure failure(nth);
      (void)fake.weights().get(use).ok();
      happened = failure.happened();
    } catch (const std::bad_alloc&) {
    }
    CHECK(fake.weights().get(use));
  }
  CHECK(nth > 10);
}

TEST_CASE("memory: nothing that is in use makes room, and the error says who holds what") {
  const Fake fake(6 * kMiB + kMiB / 2);
  auto first = model(fake.runtime, 1);
  auto second = model(fake.runtime, 50);
  const auto want = run(first);
  bool inside = false;
  Status refused;
  fake.device->on_submit = [&] {
    if (inside) return;
    inside = true;
    const auto other = run(second);  // while the first runs
    if (!other) refused = other.error();
  };
  check_equal(run(first), want);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::kOutOfMemory);
  const std::string& text = refused.error().message();
  CAPTURE(text);
  CHECK(text.find("weights 4 MiB") != std::string::npos);
  CHECK(text.find("working memory") != std::string::npos);
  CHECK(fake.weights().dropped() == 0);
  fake.device->on_submit = nullptr;
  CHECK(run(second));
}

TEST_CASE("memory: a budget that shrinks while running is an error or a smaller pool") {
  const Fake fake(64 * kMiB);
  auto program = model(fake.runtime, 1);
  auto idle = model(fake.runtime, 50);
  const auto want = run(program);
  REQUIRE(run(idle));
  REQUIRE(run(program));
  CHECK(fake.memory().free_bytes() > 0);
  // Room for one model: the one that is idle goes, the pool does not grow back.
  fake.device->budget = 5 * kMiB;
  fake.memory().trim();
  check_equal(run(program), want);
  CHECK(fake.device->counters().live_bytes <= 5 * kMiB);
  CHECK(fake.weights().dropped() == 2);
  // Room for none.
  fake.device->budget = kMiB;
  fake.memory().trim();
  const auto refused = run(program);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::kOutOfMemory);
  CHECK(refused.error().message().find("held: ") != std::string::npos);
  CHECK(fake.memory().free_bytes() <= kMiB);
  fake.device->budget = 64 * kMiB;
  check_equal(run(program), want);
}

TEST_CASE("memory: a budget at every size gives a result or an error, and then a result again") {
  const Fake fake(64 * kMiB);
  auto program = model(fake.runtime, 1);
  const auto want = run(program);
  int refused = 0;
  for (std::int64_t budget = 0; budget <= 5 * kMiB; budget += 300'000) {
    fake.device->budget = budget;
    fake.memory().trim();
    const auto got = run(program);
    if (got) {
      check_equal(got, want);
    } else {
      CHECK(got.error().code() == ErrorCode::kOutOfMemory);
      ++refused;
    }
    fake.device->budget = 64 * kMiB;
    check_equal(run(program), want);
  }
  CHECK(refused > 10);
}

TEST_CASE("memory: a model takes the free working memory of one that is gone") {
  CpuOptions options;
  options.threads = 1;
  options.budget_bytes = 64 * kMiB;
  auto device = make_cpu_device(options);
  REQUIRE(device);
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(device.take());
  auto runtime = std::make_shared<Runtime>(std::move(devices), 1, OpSet::builtin());
  const auto run_rows = [&](const std::string& text, std::int64_t rows) {
    auto graph = parse_graph(text, runtime->ops());
    REQUIRE(graph);
    auto program = Program::compile(runtime, graph.take());
    REQUIRE(program);
    auto session = Session::create(*program);
    REQUIRE(session);
    auto x = Tensor::allocate(DType::kF32, {rows, 1024});
    REQUIRE(x);
    std::fill_n(x->mutable_data<float>(), x->elements(), 0.5f);
    std::vector<Tensor> outputs;
    const Tensor inputs[] = {x.take()};
    return (*session)->run(inputs, outputs);
  };
  const Status first = run_rows(
      "graph a {\n symbol N\n input %x : float32[N, 1024]\n %s = Softmax(%x, axis = 1)\n"
      " %t = Transpose(%s, perm = [1, 0])\n %y = Softmax(%t, axis = 1)\n output %y\n}\n",
      4096);
  REQUIRE_MESSAGE(first, first.error().message());
  CHECK(runtime->memory(0).free_bytes() > 40 * kMiB);
  const Status second = run_rows(
      "graph b {\n symbol N\n input %x : float32[N, 1024]\n"
      " const %w : float32[1024, 8192] = random 1\n %y = MatMul(%x, %w)\n output %y\n}\n",
      1);
  CHECK_MESSAGE(second, second.error().message());
}

/// Weights and plans that stand for themselves: a plan that goes leaves its weights idle.
class Held final : public IdleWeights, public Reclaimer {
 public:
  explicit Held(MemoryManager& memory) : memory_(memory) {}
  void add_plan(std::uint64_t used) { plans_.push_back({used, weight()}); }
  void add_idle() { idle_.push_back(weight()); }
  std::size_t plans() const { return plans_.size(); }
  std::size_t idle() const { return idle_.size(); }

  std::int64_t drop_idle(std::int64_t bytes) override {
    std::int64_t sum = 0;
    for (; sum < bytes && !idle_.empty(); idle_.pop_back()) sum += idle_.back().buffer()->bytes();
    return sum;
  }
  std::optional<std::uint64_t> oldest_idle() const override {
    if (plans_.empty()) return std::nullopt;
    return plans_.front().used;
  }
  bool drop_oldest_idle() override {
    if (plans_.empty()) return false;
    idle_.push_back(std::move(plans_.front().weight));
    plans_.erase(plans_.begin());
    return true;
  }

 private:
  struct Plan {
    std::uint64_t used;
    Lease weight;
  };
  Lease weight() {
    auto lease = memory_.lease(kMiB, MemoryKind::kDevice, MemoryOwner::kWeights);
    REQUIRE(lease);
    return lease.take();
  }
  MemoryManager& memory_;
  std::vector<Lease> idle_;
  std::vector<Plan> plans_;  // in the order of their use
};

TEST_CASE("memory: the pool goes first, then idle weights, then plans by age; what runs stays") {
  // 12 MiB: 2 that run, 3 in the pool, 2 of idle weights, 2 plans here and 1 there, 2 free.
  for (std::int64_t need = 1; need <= 11; ++need) {
    for (const bool younger_first : {false, true}) {
      CAPTURE(need);
      CAPTURE(younger_first);
      FakeCard card(12 * kMiB);
      ReclaimList list;
      MemoryManager memory(card, list);
      Held a(memory);
      Held b(memory);
      memory.set_weights(a);
      list.add(younger_first ? b : a);
      list.add(younger_first ? a : b);
      a.add_plan(3);
      a.add_plan(9);
      b.add_plan(5);
      a.add_idle();
      a.add_idle();
      auto runs = memory.lease(2 * kMiB, MemoryKind::kDevice);
      REQUIRE(runs);
      for (int i = 0; i < 3; ++i) {
        std::vector<Result<Lease>> at_once;
        for (int n = 0; n < 3; ++n) at_once.push_back(memory.lease(kMiB, MemoryKind::kDevice));
      }
      REQUIRE(memory.free_bytes() == 3 * kMiB);
      REQUIRE(card.counters().live_bytes == 10 * kMiB);
      const auto got = memory.lease(need * kMiB, MemoryKind::kDevice, MemoryOwner::kCache);
      // What goes of the 3 + 2, and then of plans, whose weights are a's to let go: a's at 3; b's
      // at 5, which frees nothing here; a's at 9.
      const std::int64_t missing = need - 2;
      CHECK(memory.free_bytes() == std::clamp<std::int64_t>(3 - missing, 0, 3) * kMiB);
      CHECK(a.idle() == static_cast<std::size_t>(std::clamp<std::int64_t>(5 - missing, 0, 2)));
      CHECK(a.plans() == (missing <= 5 ? 2u : missing <= 6 ? 1u : 0u));
      CHECK(b.plans() == (missing <= 6 ? 1u : 0u));
      CHECK(got.ok() == (missing <= 7));
      CHECK(memory.held_bytes(MemoryOwner::kWorking) == 2 * kMiB);
      list.remove(a);
      list.remove(b);
    }
  }
}

TEST_CASE("memory: leases of working memory come back to the pool, others to the device") {
  const Fake fake(16 * kMiB);
  MemoryManager& memory = fake.memory();
  {
    auto a = memory.lease(kMiB, MemoryKind::kDevice);
    auto b = memory.lease(kMiB, MemoryKind::kDevice, MemoryOwner::kCache);
    REQUIRE(a);
    REQUIRE(b);
    CHECK(memory.held_bytes(MemoryOwner::kWorking) == kMiB);
    CHECK(memory.held_bytes(MemoryOwner::kCache) == kMiB);
    CHECK(memory.holders() == "working memory 1 MiB, caches 1 MiB");
  }
  CHECK(memory.free_bytes() == kMiB);
  CHECK(fake.device->counters().live_bytes == kMiB);
  auto again = memory.lease(kMiB / 2, MemoryKind::kDevice);
  REQUIRE(again);
  CHECK(again->buffer()->bytes() == kMiB);
  CHECK(memory.free_bytes() == 0);
  // Of another kind none is free.
  auto upload = memory.lease(kMiB / 2, MemoryKind::kUpload);
  REQUIRE(upload);
  CHECK(fake.device->counters().live_bytes == kMiB + kMiB / 2);
  auto too_much = memory.lease(15 * kMiB, MemoryKind::kDevice);
  REQUIRE_FALSE(too_much);
  CHECK(too_much.error().code() == ErrorCode::kOutOfMemory);
  CHECK(too_much.error().message().find("held: working memory 2 MiB") != std::string::npos);
}

}  // namespace
}  // namespace polaris
