#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "support/node_run.h"
#include "support/vulkan.h"
#include "tensor/block_format.h"

using namespace polaris;
using namespace polaris::test;

namespace {

constexpr BlockFormat kBlocks[] = {BlockFormat::kQ4_0, BlockFormat::kQ8_0, BlockFormat::kQ4_1,
                                   BlockFormat::kQ5_0, BlockFormat::kQ5_1, BlockFormat::kQ4_K,
                                   BlockFormat::kQ5_K, BlockFormat::kQ6_K};

NodeCase routed(Random& random, Tensor x, Tensor w, std::int64_t used) {
  NodeCase node;
  node.op = &find_op("RoutedMatMul", "polaris");
  const std::int64_t tokens = x.shape()[0];
  const std::int64_t experts = w.shape()[0];
  node.inputs = {std::move(x), std::move(w),
                 random_ints(random, DType::kI64, {tokens, used}, -experts, experts - 1)};
  node.constants = 2;
  return node;
}

void check_blocks(Device& device, BlockFormat format, const Shape& w, std::int64_t tokens,
                  std::int64_t used) {
  CAPTURE(std::string(block_format_info(format).name));
  CAPTURE(w.to_string());
  Random random(7);
  check_node(device, routed(random, random_floats(random, DType::kF32, {tokens, 1, w[2]}),
                            random_blocks(random, format, w), used));
}

}  // namespace

TEST_CASE("vulkan RoutedMatMul takes rows of few and of many units") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  for (const BlockFormat format : kBlocks) {
    // As many slices of k as it is long for, and so long that sums of x are not shared.
    for (const std::int64_t k : {256, 1024, 4096, 33024}) {
      check_blocks(*device, format, {3, k > 4096 ? 3 : 70, k}, 2, 2);
    }
  }
}

TEST_CASE("vulkan RoutedMatMul deals experts that exceed a binding over dispatches") {
  VulkanOptions options;
  options.binding_bytes_max = 1 << 18;
  const std::unique_ptr<Device> device = make_test_vulkan(options);
  if (device == nullptr) return;
  for (const BlockFormat format : kBlocks) check_blocks(*device, format, {13, 130, 256}, 9, 3);
  Random random(3);
  check_node(*device, routed(random, random_floats(random, DType::kF32, {5, 4, 67}),
                             random_floats(random, DType::kF32, {9, 130, 67}), 4));
  check_node(*device, routed(random, random_floats(random, DType::kF16, {5, 1, 67}),
                             random_floats(random, DType::kF16, {30, 70, 67}), 2));
  const auto refused =
      run_device(*device, routed(random, random_floats(random, DType::kF32, {1, 1, 2000}),
                                 random_floats(random, DType::kF32, {2, 70, 2000}), 1));
  REQUIRE(!refused.ok());
  CHECK(refused.error().code() == ErrorCode::kUnsupported);
  CHECK(refused.error().message().find("an expert larger than a binding") != std::string::npos);
}

TEST_CASE("a row of vulkan RoutedMatMul is bit-equal whatever its neighbours choose") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  Random random(5);
  for (const BlockFormat format : {BlockFormat::kQ4_0, BlockFormat::kQ4_K}) {
    NodeCase node = routed(random, random_floats(random, DType::kF32, {6, 1, 512}),
                           random_blocks(random, format, {4, 70, 512}), 3);
    const auto all = run_device(*device, node);
    REQUIRE_MESSAGE(all.ok(), all.error().message());
    const Tensor before = node.inputs[2];
    node.inputs[2] = random_ints(random, DType::kI64, {6, 3}, 0, 3);
    const auto others = run_device(*device, node);
    REQUIRE_MESSAGE(others.ok(), others.error().message());
    int same = 0;
    for (std::int64_t row = 0; row < 18; ++row) {
      const std::int64_t was = (before.data<std::int64_t>()[row] + 4) % 4;
      if (was != node.inputs[2].data<std::int64_t>()[row]) continue;
      ++same;
      const auto at = static_cast<std::size_t>(row) * 70 * sizeof(float);
      CHECK(std::ranges::equal((*all)[0].bytes().subspan(at, 70 * sizeof(float)),
                               (*others)[0].bytes().subspan(at, 70 * sizeof(float))));
    }
    CHECK(same > 0);
  }
}
