#include <doctest/doctest.h>

#include <cstring>
#include <optional>
#include <string>

#include "ir/op_attrs/matmul.h"
#include "support/node_run.h"
#include "support/vulkan.h"
#include "tensor/block_format.h"

using namespace polaris;
using namespace polaris::test;

namespace {

/// Elements of a weight: plain, or blocks.
struct W {
  DType dtype = DType::kF32;
  std::optional<BlockFormat> format = {};

  std::string name() const {
    return std::string(format ? block_format_info(*format).name : dtype_name(dtype));
  }
};
constexpr W kF32{DType::kF32};
constexpr W kF16{DType::kF16};
constexpr W kBF16{DType::kBF16};
constexpr W kQ8_0{DType::kF32, BlockFormat::kQ8_0};
constexpr W kQ4_0{DType::kF32, BlockFormat::kQ4_0};
constexpr W kQ4_1{DType::kF32, BlockFormat::kQ4_1};
constexpr W kQ5_0{DType::kF32, BlockFormat::kQ5_0};
constexpr W kQ5_1{DType::kF32, BlockFormat::kQ5_1};
constexpr W kQ4_K{DType::kF32, BlockFormat::kQ4_K};
constexpr W kQ5_K{DType::kF32, BlockFormat::kQ5_K};
constexpr W kQ6_K{DType::kF32, BlockFormat::kQ6_K};

Tensor weight(Random& random, const W& kind, std::int64_t n, std::int64_t k) {
  if (kind.format) return random_blocks(random, *kind.format, {n, k});
  return random_floats(random, kind.dtype, {n, k});
}

void check_linear(Device& device, const W& kind, std::int64_t t, std::int64_t n, std::int64_t k,
                  bool bias) {
  INFO(kind.name());
  CAPTURE(t);
  CAPTURE(n);
  CAPTURE(k);
  Random random(static_cast<unsigned>(t * 1000003 + n * 1009 + k));
  NodeCase node;
  node.op = &find_op("Linear", "polaris");
  node.inputs = {random_floats(random, DType::kF32, {t, k}), weight(random, kind, n, k)};
  if (bias) node.inputs.push_back(random_floats(random, DType::kF32, {n}));
  node.constants = 2;
  check_node(device, node);
}

}  // namespace

TEST_CASE("vulkan Linear of every weight format, any T, N and K") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  for (const W& kind : {kF32, kF16, kBF16}) {
    for (const std::int64_t t : {1, 2, 3, 5, 8, 13, 16, 33}) {
      check_linear(*device, kind, t, 65, 172, t % 2 == 0);
    }
    check_linear(*device, kind, 1, 1, 1, true);
    check_linear(*device, kind, 7, 3, 7, false);
    check_linear(*device, kind, 1, 512, 64, false);
    check_linear(*device, kind, 64, 1025, 37, true);
  }
  for (const W& kind : {kQ8_0, kQ4_0}) {
    for (const std::int64_t t : {1, 2, 3, 5, 8, 13, 16, 33}) {
      check_linear(*device, kind, t, 97, 192, t % 2 == 0);
    }
    check_linear(*device, kind, 1, 1, 32, true);
    check_linear(*device, kind, 4, 64, 32, false);
    check_linear(*device, kind, 1, 200, 1024, false);
    check_linear(*device, kind, 8, 70, 4096, false);
  }
  for (const W& kind : {kQ4_1, kQ5_0, kQ5_1, kQ4_K, kQ5_K, kQ6_K}) {
    for (const std::int64_t t : {1, 3, 8, 16, 33}) {
      check_linear(*device, kind, t, 97, 768, t % 2 == 0);
    }
    check_linear(*device, kind, 1, 1, 256, true);
    check_linear(*device, kind, 1, 70, 2048, false);
    // So long that sums of x do not wait in shared memory.
    check_linear(*device, kind, 1, 3, 33024, false);
  }
}

TEST_CASE("vulkan Linear cuts weights that exceed a binding, and refuses what it cannot cut") {
  VulkanOptions options;
  options.binding_bytes_max = 1 << 20;
  const std::unique_ptr<Device> device = make_test_vulkan(options);
  if (device == nullptr) return;
  check_linear(*device, kF32, 3, 2500, 300, true);
  check_linear(*device, kQ4_0, 2, 9000, 512, false);
  check_linear(*device, kQ4_K, 2, 9000, 512, false);
  check_linear(*device, kQ6_K, 1, 5000, 512, false);
  Random random(1);
  NodeCase node;
  node.op = &find_op("Linear", "polaris");
  node.inputs = {random_floats(random, DType::kF32, {1, 300000}),
                 random_floats(random, DType::kF32, {2, 300000})};
  node.constants = 2;
  auto refused = run_device(*device, node);
  REQUIRE(!refused.ok());
  CHECK(refused.error().code() == ErrorCode::kUnsupported);
}

TEST_CASE("vulkan Linear takes two row groups a lane where there are workgroups enough") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  for (const W& kind : {kF32, kF16, kQ8_0, kQ4_0}) {
    check_linear(*device, kind, 128, 64 * 64 + 3, 32, true);
  }
  check_linear(*device, kQ4_K, 128, 64 * 64 + 3, 256, true);
  check_linear(*device, kF32, 130, 64 * 64, 35, false);
}

TEST_CASE("a row of vulkan Linear is bit-equal whatever its place and neighbours") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  const std::int64_t n = 130;
  const std::int64_t k = 256;
  for (const W& kind : {kF32, kQ4_0, kQ4_K}) {
    for (const std::int64_t t : {4, 7, 16, 21}) {
      Random random(5);
      NodeCase node;
      node.op = &find_op("Linear", "polaris");
      const Tensor row = random_floats(random, DType::kF32, {1, k});
      const Tensor w = weight(random, kind, n, k);
      std::vector<std::byte> first;
      for (std::int64_t at = 0; at < t; ++at) {
        Tensor x = random_floats(random, DType::kF32, {t, k}, -100, 100);
        std::memcpy(x.mutable_data<float>() + at * k, row.data<float>(),
                    static_cast<std::size_t>(k) * 4);
        node.inputs = {x, w};
        node.constants = 2;
        auto y = run_device(*device, node);
        REQUIRE_MESSAGE(y.ok(), y.error().message());
        const auto bytes = (*y)[0].bytes().subspan(static_cast<std::size_t>(at * n * 4),
                                                   static_cast<std::size_t>(n * 4));
        if (at == 0) first.assign(bytes.begin(), bytes.end());
        CHECK(std::equal(bytes.begin(), bytes.end(), first.begin()));
      }
    }
  }
}

TEST_CASE("vulkan MatMul broadcasts batches and takes vectors") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  const std::pair<Shape, Shape> shapes[] = {{{5, 7}, {7, 3}},
                                            {{1, 65}, {65, 70}},
                                            {{7}, {7}},
                                            {{7}, {7, 5}},
                                            {{3, 7}, {7}},
                                            {{2, 3, 5, 8}, {2, 3, 8, 4}},
                                            {{2, 3, 5, 8}, {8, 4}},
                                            {{5, 8}, {4, 8, 6}},
                                            {{2, 1, 5, 8}, {1, 3, 8, 4}},
                                            {{2, 1, 3, 4, 4}, {5, 1, 4, 2}},
                                            {{33, 130}, {130, 129}},
                                            {{3, 1, 4}, {3, 4, 1}}};
  for (const auto& [a, b] : shapes) {
    for (const DType dtype : {DType::kF32, DType::kF16}) {
      for (const std::uint64_t constants : {0u, 2u}) {
        CAPTURE(a.to_string());
        CAPTURE(b.to_string());
        Random random(7);
        NodeCase node;
        node.op = &find_op("MatMul");
        node.inputs = {random_floats(random, dtype, a), random_floats(random, dtype, b)};
        node.constants = constants;
        check_node(*device, node);
      }
    }
  }
}
TEST_CASE("vulkan Gemm transposes, scales and adds a broadcast bias") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  const Shape biases[] = {{}, {1}, {9}, {1, 9}, {6, 1}, {6, 9}};
  for (int flips = 0; flips < 4; ++flips) {
    for (const Shape& bias : biases) {
      for (const std::uint64_t constants : {0u, 2u}) {
        CAPTURE(flips);
        CAPTURE(bias.to_string());
        Random random(11);
        auto attrs = std::make_shared<GemmAttrs>();
        attrs->transA = (flips & 1) != 0;
        attrs->transB = (flips & 2) != 0;
        attrs->alpha = flips == 3 ? 0.5f : 1.0f;
        attrs->beta = flips == 3 ? -2.0f : 1.0f;
        NodeCase node;
        node.op = &find_op("Gemm");
        node.inputs = {
            random_floats(random, DType::kF32, attrs->transA ? Shape{10, 6} : Shape{6, 10}),
            random_floats(random, DType::kF32, attrs->transB ? Shape{9, 10} : Shape{10, 9}),
            random_floats(random, DType::kF32, bias)};
        node.attrs = attrs;
        node.constants = constants;
        check_node(*device, node);
      }
    }
  }
}
