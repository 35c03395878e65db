#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <vector>

#include "base/os/thread.h"
#include "support/alloc_counter.h"
#include "support/cpu_case.h"
#include "tensor/element.h"

using namespace polaris;
using namespace polaris::test;

namespace {

std::unique_ptr<Device> device_with(const CpuOptions& options) {
  auto device = make_cpu_device(options);
  REQUIRE(device.ok());
  return device.take();
}

/// y = a + b on `n` floats: regions 0, 1 are the inputs, 2 the output.
std::unique_ptr<Executable> add_executable(Device& device, std::int64_t n, int launches) {
  const OpSet ops = OpSet::builtin();
  const OpDef* op = ops.find("Add");
  REQUIRE(op != nullptr);
  const NoAttrs attrs;
  const TensorType type{DType::kF32, {n}, {}};
  const OperandDesc inputs[] = {{type}, {type}};
  const OperandDesc outputs[] = {{type}};
  const Tensor* values[] = {nullptr, nullptr};
  auto kernel = device.select({op, &attrs, "add", inputs, outputs, values});
  REQUIRE(kernel.ok());
  SegmentDesc segment;
  segment.run_regions = 3;
  for (int i = 0; i < launches; ++i) {
    segment.launches.push_back(
        {*kernel, "add", {{0, 0, n * 4}, {1, 0, n * 4}}, {{2, 0, n * 4}}, {}});
  }
  auto executable = device.compile(std::move(segment));
  REQUIRE(executable.ok());
  return executable.take();
}

std::unique_ptr<Buffer> filled_buffer(Device& device, std::int64_t n, float value) {
  auto buffer = device.allocate(n * 4, MemoryKind::kDevice);
  REQUIRE(buffer.ok());
  const std::vector<float> values(static_cast<std::size_t>(n), value);
  REQUIRE(device.write({buffer->get(), 0, n * 4}, reinterpret_cast<const std::byte*>(values.data()))
              .ok());
  return buffer.take();
}

}  // namespace

TEST_CASE("cpu: an unknown instruction set is invalid, a known one is what the device says") {
  CpuOptions options;
  options.isa_max = "mmx";
  auto wrong = make_cpu_device(options);
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().code() == ErrorCode::kInvalid);
  for (const std::string& isa : isas_here()) {
    CHECK(cpu_device(isa)->info().driver == "polaris " + isa);
  }
}

TEST_CASE("cpu: allocations keep to the budget and are counted") {
  CpuOptions options;
  options.budget_bytes = 1000;
  options.allocation_bytes_max = 800;
  const auto device = device_with(options);
  CHECK(device->info().budget_bytes == 1000);
  auto first = device->allocate(600, MemoryKind::kDevice);
  REQUIRE(first.ok());
  auto big = device->allocate(801, MemoryKind::kDevice);
  REQUIRE_FALSE(big.ok());
  CHECK(big.error().code() == ErrorCode::kOutOfMemory);
  CHECK_FALSE(device->allocate(500, MemoryKind::kUpload).ok());
  CHECK(device->counters().live_bytes == 600);
  CHECK(device->counters().allocations == 1);
  first->reset();
  CHECK(device->counters().live_bytes == 0);
  CHECK(device->counters().peak_bytes == 600);
  CHECK(device->allocate(0, MemoryKind::kDevice).ok());
  CHECK_FALSE(device->allocate(-1, MemoryKind::kDevice).ok());
  CHECK_FALSE(device->allocate(INT64_MAX, MemoryKind::kDevice).ok());
}

TEST_CASE("cpu: the chosen allocation fails, the next one works") {
  CpuOptions options;
  options.fail_allocation_at = 2;
  const auto device = device_with(options);
  CHECK(device->allocate(8, MemoryKind::kDevice).ok());
  CHECK_FALSE(device->allocate(8, MemoryKind::kDevice).ok());
  CHECK(device->allocate(8, MemoryKind::kDevice).ok());
}

TEST_CASE("cpu: wrapped bytes are not copied and keep their owner") {
  const auto device = cpu_device("");
  auto bytes = std::make_shared<std::vector<std::byte>>(64, std::byte{7});
  const std::byte* address = bytes->data();
  std::weak_ptr<const void> watch = bytes;
  auto buffer = device->wrap(*bytes, bytes);
  bytes.reset();
  REQUIRE(buffer != nullptr);
  CHECK(buffer->host() == address);
  CHECK(device->counters().live_bytes == 0);
  CHECK_FALSE(watch.expired());
  buffer.reset();
  CHECK(watch.expired());
}

TEST_CASE("cpu: copies outside of a buffer are refused") {
  const auto device = cpu_device("");
  const auto buffer = filled_buffer(*device, 4, 1.0f);
  std::byte bytes[32] = {};
  CHECK_FALSE(device->read({buffer.get(), 8, 16}, bytes).ok());
  CHECK_FALSE(device->write({buffer.get(), -1, 4}, bytes).ok());
  CHECK_FALSE(device->fill_zero({buffer.get(), 0, 17}).ok());
  CHECK_FALSE(device->copy({buffer.get(), 0, 8}, {buffer.get(), 8, 16}).ok());
  CHECK(device->copy({buffer.get(), 0, 8}, {buffer.get(), 8, 8}).ok());
}

TEST_CASE("cpu: submit runs, counts, times and stops between launches when asked") {
  const auto device = cpu_device("", 2);
  const std::int64_t n = 100000;
  const auto executable = add_executable(*device, n, 3);
  const auto a = filled_buffer(*device, n, 1.5f);
  const auto b = filled_buffer(*device, n, 2.0f);
  const auto y = filled_buffer(*device, n, 0.0f);
  const BufferView views[] = {{a.get(), 0, n * 4}, {b.get(), 0, n * 4}, {y.get(), 0, n * 4}};
  std::vector<LaunchTime> profile;
  CancelToken cancel;
  const std::int64_t allocations = device->counters().allocations;
  REQUIRE(device->submit(*executable, {views, &cancel, &profile}).ok());
  CHECK(profile.size() == 3);
  CHECK(device->counters().launches == 3);
  CHECK(device->counters().submits == 1);
  CHECK(device->counters().allocations == allocations);
  for (std::int64_t i = 0; i < n; ++i) {
    REQUIRE(reinterpret_cast<const float*>(y->host())[i] == 3.5f);
  }
  cancel.cancel();
  const auto stopped = device->submit(*executable, {views, &cancel, nullptr});
  REQUIRE_FALSE(stopped.ok());
  CHECK(stopped.error().code() == ErrorCode::kCancelled);
  CHECK(device->counters().launches == 3);
  const BufferView short_views[] = {views[0], views[1], {y.get(), 0, n * 4 - 4}};
  CHECK_FALSE(device->submit(*executable, {short_views, nullptr, nullptr}).ok());
  CHECK_FALSE(device->submit(*executable, {std::span(views).first(2), nullptr, nullptr}).ok());
}

TEST_CASE("cpu: a submission allocates nothing on the host") {
  if (!AllocCounter::available()) return;
  const auto device = cpu_device("", 2);
  const std::int64_t n = 100000;
  const auto executable = add_executable(*device, n, 3);
  const auto a = filled_buffer(*device, n, 1.5f);
  const auto y = filled_buffer(*device, n, 0.0f);
  const BufferView views[] = {{a.get(), 0, n * 4}, {a.get(), 0, n * 4}, {y.get(), 0, n * 4}};
  const AllocCounter counter;
  const std::int64_t before = AllocCounter::total();
  bool ok = true;
  for (int i = 0; i < 5; ++i) ok = device->submit(*executable, {views}).ok() && ok;
  const std::int64_t during = AllocCounter::total() - before;
  CHECK(ok);
  CHECK(during == 0);
}

TEST_CASE("cpu: several threads may submit at once") {
  const auto device = cpu_device("", 2);
  const std::int64_t n = 5000;
  const auto executable = add_executable(*device, n, 2);
  const auto a = filled_buffer(*device, n, 1.0f);
  const auto b = filled_buffer(*device, n, 2.0f);
  std::vector<std::unique_ptr<Buffer>> outputs;
  for (int i = 0; i < 4; ++i) outputs.push_back(filled_buffer(*device, n, 0.0f));
  std::atomic<int> failures{0};
  std::vector<Thread> threads;
  for (const auto& y : outputs) {
    auto thread = Thread::start([&, out = y.get()] {
      const BufferView views[] = {{a.get(), 0, n * 4}, {b.get(), 0, n * 4}, {out, 0, n * 4}};
      for (int i = 0; i < 20; ++i) {
        if (!device->submit(*executable, {views, nullptr, nullptr})) ++failures;
      }
    });
    REQUIRE(thread);
    threads.push_back(thread.take());
  }
  for (Thread& thread : threads) thread.join();
  CHECK(failures == 0);
  for (const auto& y : outputs) CHECK(reinterpret_cast<const float*>(y->host())[n - 1] == 3.0f);
}

TEST_CASE("cpu: rare dtypes go by the definition, under a name that says so") {
  CpuCase c{.op = "MatMul"};
  c.inputs = {random_tensor(DType::kF64, {3, 4}, 1), random_tensor(DType::kF64, {4, 5}, 2)};
  check_cpu(c, "generic_MatMul");
}
