#include "backend/vulkan/vulkan_device.h"

#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "backend/vulkan/shader_blobs.h"
#include "support/doubler.h"
#include "support/node_run.h"
#include "support/vulkan.h"

using namespace polaris;

namespace {

std::vector<std::byte> pattern(std::size_t count, unsigned seed) {
  std::vector<std::byte> bytes(count);
  for (std::size_t i = 0; i < count; ++i) {
    seed = seed * 1664525u + 1013904223u;
    bytes[i] = static_cast<std::byte>(seed >> 24);
  }
  return bytes;
}

/// op(x, x) on a device.
Result<std::vector<Tensor>> pair_of(Device& device, const char* op, const std::vector<float>& x) {
  auto tensor = Tensor::from<float>(DType::kF32, {static_cast<std::int64_t>(x.size())}, x);
  REQUIRE(tensor.ok());
  test::NodeCase node;
  node.op = &test::find_op(op);
  node.attrs = std::make_shared<NoAttrs>();
  node.inputs = {*tensor, *tensor};
  return test::run_device(device, node);
}

}  // namespace

TEST_CASE("vulkan: a hundred devices opened and closed in turn leave no file open") {
  const auto open_files = [] {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  if (!test::make_test_vulkan()) return;
  const auto before = open_files();
  // More than the C library has room for where each time a driver is loaded anew.
  for (int i = 0; i < 100; ++i) {
    CAPTURE(i);
    REQUIRE(test::make_test_vulkan());
  }
  CHECK(open_files() == before);
}

TEST_CASE("vulkan: a software rasterizer is taken by name only") {
  auto listed = list_vulkan_devices();
  REQUIRE(listed.ok());
  bool gpu = false;
  for (const DeviceInfo& info : *listed) {
    gpu = gpu || !info.software;
    CHECK(info.backend == "vulkan");
    CHECK(info.budget_bytes <= info.memory_bytes);
    CHECK(info.allocation_bytes_max <= (std::int64_t{2} << 30));
    if (info.software) CHECK(info.id.find_first_of("0123456789") == std::string::npos);
  }
  if (gpu) return;
  for (const char* selector : {"", "0", "vulkan", "vulkan:0"}) {
    VulkanOptions options;
    options.selector = selector;
    auto device = make_vulkan_device(options);
    REQUIRE(!device.ok());
    CHECK(device.error().code() == ErrorCode::kNotFound);
  }
}

TEST_CASE("vulkan: buffers hold what was written, over staging slots and at odd offsets") {
  auto device = test::make_test_vulkan();
  if (!device) return;
  const std::size_t count = (std::size_t{9} << 20) + 7;
  const std::vector<std::byte> data = pattern(count, 1);
  for (const MemoryKind kind : {MemoryKind::kDevice, MemoryKind::kUpload, MemoryKind::kReadback}) {
    auto buffer = device->allocate(static_cast<std::int64_t>(count) + 3, kind);
    REQUIRE(buffer.ok());
    CHECK(((*buffer)->host() == nullptr) == (kind == MemoryKind::kDevice));
    const BufferView view{buffer->get(), 3, static_cast<std::int64_t>(count)};
    REQUIRE(device->write(view, data.data()).ok());
    std::vector<std::byte> back(count);
    REQUIRE(device->read(view, back.data()).ok());
    CHECK(std::memcmp(back.data(), data.data(), count) == 0);
    REQUIRE(device->fill_zero({buffer->get(), 8, 103}).ok());
    REQUIRE(device->read({buffer->get(), 0, 128}, back.data()).ok());
    for (std::size_t i = 0; i < 128; ++i) {
      const std::byte wanted = i >= 8 && i < 111 ? std::byte{0} : i < 3 ? back[i] : data[i - 3];
      CHECK(back[i] == wanted);
    }
    auto other = device->allocate(1 << 20, MemoryKind::kDevice);
    REQUIRE(other.ok());
    REQUIRE(device->copy({buffer->get(), 1000, 1 << 19}, {other->get(), 12, 1 << 19}).ok());
    REQUIRE(device->read({other->get(), 12, 1 << 19}, back.data()).ok());
    CHECK(std::memcmp(back.data(), data.data() + 997, 1 << 19) == 0);
    CHECK(!device->read({buffer->get(), 8, static_cast<std::int64_t>(count)}, back.data()).ok());
    CHECK(!device->write({buffer->get(), -1, 2}, data.data()).ok());
  }
  CHECK(device->counters().live_bytes == 0);
  CHECK(device->counters().allocations == 6);
}

TEST_CASE("vulkan: pretended limits are kept, with clean errors and no leak") {
  VulkanOptions options;
  options.allocation_bytes_max = std::int64_t{64} << 20;
  options.memory_bytes = std::int64_t{256} << 20;
  options.binding_bytes_max = std::int64_t{16} << 20;
  auto device = test::make_test_vulkan(options);
  if (!device) return;
  CHECK(device->info().memory_bytes == std::int64_t{256} << 20);
  CHECK(device->info().binding_bytes_max == std::int64_t{16} << 20);
  auto big = device->allocate((std::int64_t{64} << 20) + 1, MemoryKind::kDevice);
  REQUIRE(!big.ok());
  CHECK(big.error().code() == ErrorCode::kOutOfMemory);
  {
    std::vector<std::unique_ptr<Buffer>> held;
    Status last;
    for (int i = 0; i < 5; ++i) {
      auto one = device->allocate(std::int64_t{60} << 20, MemoryKind::kDevice);
      if (!one) {
        last = one.error();
        break;
      }
      held.push_back(one.take());
    }
    CHECK(held.size() == 3);  // 230 MiB may be used
    REQUIRE(!last.ok());
    CHECK(last.error().code() == ErrorCode::kOutOfMemory);
  }
  CHECK(device->counters().live_bytes == 0);
}

TEST_CASE("vulkan: the n-th allocation failing is an error, never a leak") {
  for (std::int64_t n = 1; n <= 8; ++n) {
    VulkanOptions options;
    options.fail_allocation_at = n;
    auto device = test::make_test_vulkan(options);
    if (!device) return;
    auto out = pair_of(*device, "Add", {1, 2, 3});
    CHECK(device->counters().live_bytes == 0);
    if (!out) {
      CHECK(out.error().code() == ErrorCode::kOutOfMemory);
    } else {
      CHECK(out->at(0).data<float>()[2] == 6.0f);
    }
    CHECK(out.ok() == (n > 6));  // x, x, staging, y, params, staging of the read
  }
}

TEST_CASE("vulkan: launches wait for each other where they share bytes, recorded for good") {
  auto device = test::make_test_vulkan();
  if (!device) return;
  const test::Doubler doubler(*device, test::find_op("Add"), 1000);
  SegmentDesc segment;
  segment.name = "doubling";
  segment.run_regions = 3;
  for (int i = 0; i < 10; ++i) {
    segment.launches.push_back(doubler.launch(i % 2, (i + 1) % 2));
  }
  segment.launches.push_back(doubler.launch(0, 2));
  auto executable = device->compile(std::move(segment));
  REQUIRE(executable.ok());
  auto a = device->allocate(4000, MemoryKind::kUpload);
  auto b = device->allocate(4000, MemoryKind::kDevice);
  auto out = device->allocate(4000, MemoryKind::kReadback);
  REQUIRE((a.ok() && b.ok() && out.ok()));
  const BufferView views[] = {{a->get(), 0, 4000}, {b->get(), 0, 4000}, {out->get(), 0, 4000}};
  const auto input = reinterpret_cast<float*>((*a)->host());
  const auto output = reinterpret_cast<const float*>((*out)->host());
  std::int64_t recorded = 0;
  for (int run = 0; run < 20; ++run) {
    for (int i = 0; i < 1000; ++i) input[i] = static_cast<float>(i + run);
    auto fence = device->submit(**executable, {views, nullptr, nullptr});
    REQUIRE(fence.ok());
    REQUIRE(device->wait(*fence).ok());
    CHECK(output[0] == static_cast<float>(run) * 2048.0f);
    CHECK(output[999] == static_cast<float>(999 + run) * 2048.0f);
    // The first runs may be timed; what follows is recorded as it stays.
    if (run < 10) recorded = device->counters().command_buffers;
    CHECK(device->counters().command_buffers == recorded);
  }
  CHECK(device->counters().pipelines == 1);
  CHECK(device->counters().launches == 220);

  std::vector<LaunchTime> times;
  auto fence = device->submit(**executable, {views, nullptr, &times});
  REQUIRE(fence.ok());
  CHECK(times.size() == 11);
  for (const LaunchTime& time : times) CHECK(time.us >= 0.0);

  CancelToken cancel;
  cancel.cancel();
  auto stopped = device->submit(**executable, {views, &cancel, nullptr});
  REQUIRE(!stopped.ok());
  CHECK(stopped.error().code() == ErrorCode::kCancelled);
  const BufferView few[] = {views[0]};
  CHECK(!device->submit(**executable, {few, nullptr, nullptr}).ok());
}

TEST_CASE("vulkan: a plan of one unit is timed once, and recorded without stamps from then on") {
  auto device = test::make_test_vulkan();
  if (!device) return;
  const test::Doubler doubler(*device, test::find_op("Add"), 16);
  SegmentDesc segment;
  segment.run_regions = 2;
  segment.launches.push_back(doubler.launch(0, 1));
  auto executable = device->compile(std::move(segment));
  REQUIRE(executable.ok());
  auto from = device->allocate(64, MemoryKind::kUpload);
  auto to = device->allocate(64, MemoryKind::kReadback);
  REQUIRE((from.ok() && to.ok()));
  for (int i = 0; i < 16; ++i) reinterpret_cast<float*>((*from)->host())[i] = 1.5f;
  const BufferView views[] = {{from->get(), 0, 64}, {to->get(), 0, 64}};
  const std::int64_t before = device->counters().command_buffers;
  const auto recorded = [&] { return device->counters().command_buffers - before; };
  const auto run = [&] {
    auto fence = device->submit(**executable, {views, nullptr, nullptr});
    REQUIRE(fence.ok());
    REQUIRE(device->wait(*fence).ok());
    CHECK(reinterpret_cast<float*>((*to)->host())[15] == 3.0f);
  };
  // A warm-up, then the first run whose stamps are there to be learned from.
  run();
  CHECK(recorded() == 1);
  for (int i = 0; i < 100 && recorded() < 2; ++i) run();
  for (int i = 0; i < 10; ++i) run();
  CHECK(recorded() == 2);
  std::vector<LaunchTime> times;
  auto fence = device->submit(**executable, {views, nullptr, &times});
  REQUIRE(fence.ok());
  CHECK(times.size() == 1);
}

TEST_CASE("vulkan: more region tuples than are kept still give right answers") {
  auto device = test::make_test_vulkan();
  if (!device) return;
  const test::Doubler doubler(*device, test::find_op("Add"), 16);
  SegmentDesc segment;
  segment.run_regions = 2;
  segment.launches.push_back(doubler.launch(0, 1));
  auto executable = device->compile(std::move(segment));
  REQUIRE(executable.ok());
  auto from = device->allocate(64, MemoryKind::kUpload);
  auto to = device->allocate(64 * 40, MemoryKind::kReadback);
  REQUIRE((from.ok() && to.ok()));
  for (int i = 0; i < 16; ++i) reinterpret_cast<float*>((*from)->host())[i] = 1.5f;
  Fence last;
  for (int i = 0; i < 40; ++i) {
    const BufferView views[] = {{from->get(), 0, 64}, {to->get(), i * 64, 64}};
    auto fence = device->submit(**executable, {views, nullptr, nullptr});
    REQUIRE(fence.ok());
    last = *fence;
  }
  REQUIRE(device->wait(last).ok());
  for (int i = 0; i < 640; ++i) CHECK(reinterpret_cast<float*>((*to)->host())[i] == 3.0f);
}

TEST_CASE("vulkan: two devices on one card work side by side") {
  auto first = test::make_test_vulkan();
  if (!first) return;
  auto second = test::make_test_vulkan();
  REQUIRE(second != nullptr);
  for (Device* device : {first.get(), second.get(), first.get()}) {
    auto out = pair_of(*device, "Mul", {4, 5});
    REQUIRE(out.ok());
    CHECK(out->at(0).data<float>()[1] == 25.0f);
  }
}

TEST_CASE("vulkan: a corrupt pipeline cache file is no file") {
  const std::string path = "/tmp/polaris_pipeline_cache_test.bin";
  for (int round = 0; round < 3; ++round) {
    VulkanOptions options;
    options.pipeline_cache_path = path;
    auto device = test::make_test_vulkan(options);
    if (!device) return;
    const test::Doubler doubler(*device, test::find_op("Add"), 8);
    SegmentDesc segment;
    segment.run_regions = 2;
    segment.launches.push_back(doubler.launch(0, 1));
    CHECK(device->compile(std::move(segment)).ok());
    device.reset();
    std::FILE* file = std::fopen(path.c_str(), "r+b");
    REQUIRE(file != nullptr);
    if (round == 1) {
      std::fseek(file, -5, SEEK_END);
      std::fputc('x', file);
    }
    std::fclose(file);
  }
  std::remove(path.c_str());
}

TEST_CASE("vulkan: no shader needs more of subgroups than every device has") {
  constexpr std::uint32_t kOpCapability = 17;
  constexpr std::uint32_t kVote = 62, kQuad = 68;  // the optional ones lie between
  for (std::size_t i = 0; i < vulkan::kShaderBlobCount; ++i) {
    const vulkan::ShaderBlob& blob = vulkan::kShaderBlobs[i];
    const std::string name(blob.name);
    for (std::size_t at = 5; at + 1 < blob.word_count; at += blob.words[at] >> 16) {
      if ((blob.words[at] & 0xFFFF) != kOpCapability) break;  // they come first
      const std::uint32_t capability = blob.words[at + 1];
      CHECK_MESSAGE((capability < kVote || capability > kQuad), name << " needs " << capability);
    }
  }
}
