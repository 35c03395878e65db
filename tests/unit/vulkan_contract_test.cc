// Fences, turns and memory of the Vulkan device.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "backend/vulkan/vulkan_device.h"
#include "support/doubler.h"
#include "support/node_run.h"
#include "support/skip.h"
#include "support/vulkan.h"

using namespace polaris;

namespace {

constexpr std::int64_t kElements = 1 << 16;
constexpr std::int64_t kBytes = kElements * 4;

/// Ten doublings, each of which waits for the one before, in two buffers of one device.
struct Doubling {
  test::Doubler doubler;
  std::unique_ptr<Executable> executable;
  std::unique_ptr<Buffer> a;
  std::unique_ptr<Buffer> b;

  explicit Doubling(Device& device) : doubler(device, test::find_op("Add"), kElements) {
    SegmentDesc segment;
    segment.name = "doubling";
    segment.run_regions = 2;
    for (int i = 0; i < 10; ++i) segment.launches.push_back(doubler.launch(i % 2, (i + 1) % 2));
    auto compiled = device.compile(std::move(segment));
    if (!compiled) return;
    executable = compiled.take();
    for (std::unique_ptr<Buffer>* buffer : {&a, &b}) {
      auto made = device.allocate(kBytes, MemoryKind::kUpload);
      REQUIRE(made.ok());
      *buffer = made.take();
    }
    fill(1.0f);
  }
  float* values() const { return reinterpret_cast<float*>(a->host()); }
  void fill(float value) const {
    for (Buffer* buffer : {a.get(), b.get()}) {
      auto* data = reinterpret_cast<float*>(buffer->host());
      for (std::int64_t i = 0; i < kElements; ++i) data[i] = value;
    }
  }
  bool holds(float value) const {
    for (std::int64_t i = 0; i < kElements; ++i) {
      if (values()[i] != value) return false;
    }
    return true;
  }
  Result<Fence> run(Device& device, const CancelToken* cancel = nullptr) const {
    const BufferView views[] = {{a.get(), 0, kBytes}, {b.get(), 0, kBytes}};
    return device.submit(*executable, {views, cancel, nullptr, {}});
  }
};

}  // namespace

TEST_CASE("vulkan: after the n-th submission failed, nothing of the run is under way") {
  int failures = 0;
  for (std::int64_t n = 1; n <= 40; ++n) {
    CAPTURE(n);
    VulkanOptions options;
    options.fail_submit_at = n;
    options.unit_us = 0.5;  // many command buffers
    auto device = test::make_test_vulkan(options);
    if (!device) return;
    const Doubling first(*device);
    if (!first.executable) continue;  // its constants' upload was the one
    const Doubling second(*device);
    if (!second.executable) continue;
    CHECK(device->counters().command_buffers == 0);
    auto fence = first.run(*device);
    const Status status = fence ? device->wait(*fence) : Status(fence.error());
    CHECK(device->counters().command_buffers >= 10);
    if (status) {
      CHECK(first.holds(1024.0f));
      continue;
    }
    CHECK(status.error().code() == ErrorCode::kOutOfMemory);
    ++failures;
    // Were anything left in the queue, it would run before this.
    first.fill(7.0f);
    auto other = second.run(*device);
    REQUIRE(other.ok());
    REQUIRE(device->wait(*other).ok());
    CHECK(second.holds(1024.0f));
    CHECK(first.holds(7.0f));
    // And the executable runs again.
    first.fill(1.0f);
    auto again = first.run(*device);
    REQUIRE(again.ok());
    REQUIRE(device->wait(*again).ok());
    CHECK(first.holds(1024.0f));
  }
  CHECK(failures >= 10);  // as many as there are command buffers
}

TEST_CASE("vulkan: a run that was cancelled ends between units and leaves nothing behind") {
  VulkanOptions options;
  options.unit_us = 0.5;
  auto device = test::make_test_vulkan(options);
  if (!device) return;
  const Doubling work(*device);
  CancelToken cancel;
  auto fence = work.run(*device, &cancel);
  cancel.cancel();
  const Status status = fence ? device->wait(*fence) : Status(fence.error());
  if (!status) CHECK(status.error().code() == ErrorCode::kCancelled);
  work.fill(1.0f);
  auto again = work.run(*device);
  REQUIRE(again.ok());
  REQUIRE(device->wait(*again).ok());
  CHECK(work.holds(1024.0f));
}

TEST_CASE("vulkan: runs of two executables in turns give what they give alone") {
  VulkanOptions options;
  options.unit_us = 0.5;
  auto device = test::make_test_vulkan(options);
  if (!device) return;
  const Doubling first(*device);
  const Doubling second(*device);
  for (int round = 0; round < 20; ++round) {
    first.fill(1.0f);
    second.fill(2.0f);
    auto a = first.run(*device);
    auto b = second.run(*device);
    REQUIRE((a.ok() && b.ok()));
    REQUIRE(device->wait(*b).ok());
    CHECK(second.holds(2048.0f));
    REQUIRE(device->wait(*a).ok());
    CHECK(first.holds(1024.0f));
  }
}

TEST_CASE("vulkan: copies and kernels follow the fences they are given") {
  auto device = test::make_test_vulkan();
  if (!device) return;
  const Doubling work(*device);
  std::vector<float> ones(kElements, 1.0f);
  auto x = device->allocate(kBytes, MemoryKind::kDevice);
  auto y = device->allocate(kBytes, MemoryKind::kDevice);
  REQUIRE((x.ok() && y.ok()));
  const BufferView views[] = {{x->get(), 0, kBytes}, {y->get(), 0, kBytes}};
  for (int round = 0; round < 10; ++round) {
    const float value = static_cast<float>(round + 1);
    for (float& one : ones) one = value;
    auto zeroed = device->start_fill_zero(views[0], {});
    REQUIRE(zeroed.ok());
    auto written = device->start_write(views[0], reinterpret_cast<const std::byte*>(ones.data()),
                                       {&*zeroed, 1});
    REQUIRE(written.ok());
    for (float& one : ones) one = -1.0f;  // it was read by now
    auto ran = device->submit(*work.executable, {views, nullptr, nullptr, {&*written, 1}});
    REQUIRE(ran.ok());
    auto copied = device->start_copy(views[0], views[1], {&*ran, 1});
    REQUIRE(copied.ok());
    REQUIRE(device->read(views[1], reinterpret_cast<std::byte*>(ones.data()), {&*copied, 1}).ok());
    CHECK(ones[0] == 1024.0f * value);
    CHECK(ones[kElements - 1] == 1024.0f * value);
  }
}

TEST_CASE("vulkan: a freed buffer lives while its work runs, and its bytes come back") {
  VulkanOptions options;
  options.memory_bytes = std::int64_t{64} << 20;
  options.keep_bytes = 0;
  auto device = test::make_test_vulkan(options);
  if (!device) return;
  constexpr std::int64_t kBig = std::int64_t{40} << 20;
  for (int round = 0; round < 5; ++round) {
    auto buffer = device->allocate(kBig, MemoryKind::kDevice);
    REQUIRE_MESSAGE(buffer.ok(), buffer.error().message());
    auto filled = device->start_fill_zero({buffer->get(), 0, kBig}, {});
    REQUIRE(filled.ok());
  }
  CHECK(device->counters().live_bytes == 0);
  // So does an executable.
  for (int round = 0; round < 5; ++round) {
    const Doubling work(*device);
    REQUIRE(work.run(*device).ok());
  }
}

TEST_CASE("vulkan: a kernel that is split gives the same bits as a whole one") {
  VulkanOptions options;
  options.unit_us = 0.5;
  auto cut = test::make_test_vulkan(options);
  if (!cut) return;
  auto whole = test::make_test_vulkan();
  const auto& limits = cut->info().limits;
  if (std::find(limits.begin(), limits.end(), kWholeKernels) != limits.end()) {
    return test::skip("the driver does not split kernels");
  }
  const auto random = [](Shape shape, float seed) {
    auto tensor = Tensor::allocate(DType::kF32, shape);
    REQUIRE(tensor.ok());
    for (std::int64_t i = 0; i < tensor->elements(); ++i) {
      seed = seed * 1.37f + 0.71f;
      seed -= static_cast<float>(static_cast<int>(seed));
      tensor->mutable_data<float>()[i] = seed - 0.5f;
    }
    return tensor.take();
  };
  const auto check = [&](const char* op, std::vector<Tensor> inputs) {
    CAPTURE(op);
    test::NodeCase node;
    node.op = &test::find_op(op);
    node.attrs = node.op->make_attrs != nullptr ? std::shared_ptr<Attrs>(node.op->make_attrs())
                                                : std::make_shared<NoAttrs>();
    node.inputs = std::move(inputs);
    auto a = test::run_device(*whole, node);
    const std::int64_t before = cut->counters().command_buffers;
    auto b = test::run_device(*cut, node);
    REQUIRE_MESSAGE(a.ok(), a.error().message());
    REQUIRE_MESSAGE(b.ok(), b.error().message());
    CHECK(cut->counters().command_buffers - before > 1);
    const auto x = a->at(0).bytes();
    const auto y = b->at(0).bytes();
    CHECK(std::memcmp(x.data(), y.data(), x.size()) == 0);
  };
  check("Add", {random({300, 1000}, 0.1f), random({300, 1000}, 0.2f)});
  check("MatMul", {random({3, 130, 64}, 0.3f), random({3, 64, 190}, 0.4f)});
  check("Softmax", {random({501, 300}, 0.5f)});
  check("Transpose", {random({70, 90, 50}, 0.6f)});
  check("Conv", {random({2, 8, 40, 40}, 0.7f), random({16, 8, 3, 3}, 0.8f)});
}
