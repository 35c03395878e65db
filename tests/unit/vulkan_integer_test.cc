#include <doctest/doctest.h>

#include "support/node_run.h"

using namespace polaris;
using namespace polaris::test;

namespace {

Tensor bytes(Random& random, DType dtype, const Shape& shape) {
  return dtype == DType::kI8 ? random_ints(random, dtype, shape, -128, 127)
                             : random_ints(random, dtype, shape, 0, 255);
}

Tensor scale(float value) {
  return Tensor::from<float>(DType::kF32, {}, std::span(&value, 1)).take();
}

}  // namespace

TEST_CASE("vulkan MatMulInteger is exact for any signs, zero points and batches") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  const std::pair<Shape, Shape> shapes[] = {{{5, 7}, {7, 3}},
                                            {{1, 600}, {600, 70}},
                                            {{9, 1000}, {1000, 65}},
                                            {{2, 3, 5, 8}, {2, 3, 8, 4}},
                                            {{3, 5, 8}, {8, 4}}};
  for (const auto& [a, b] : shapes) {
    for (const DType left : {DType::kU8, DType::kI8}) {
      for (const DType right : {DType::kU8, DType::kI8}) {
        for (int zeros = 0; zeros < 3; ++zeros) {
          CAPTURE(a.to_string());
          CAPTURE(zeros);
          Random random(21);
          NodeCase node;
          node.op = &find_op("MatMulInteger");
          node.inputs = {bytes(random, left, a), bytes(random, right, b)};
          const bool flat = a.rank() == 2;
          if (zeros > 0) {
            node.inputs.push_back(bytes(random, left, zeros == 2 && flat ? Shape{a[0]} : Shape{}));
            node.inputs.push_back(bytes(random, right, zeros == 2 && flat ? Shape{b[1]} : Shape{}));
          }
          check_node(*device, node);
        }
      }
    }
  }
}

TEST_CASE("vulkan QLinearMatMul rounds once, half to even, and saturates") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  for (const DType type : {DType::kU8, DType::kI8}) {
    for (const bool columns : {false, true}) {
      for (const float out : {0.5f, 8.0f, 300.0f}) {
        CAPTURE(columns);
        CAPTURE(out);
        Random random(22);
        NodeCase node;
        node.op = &find_op("QLinearMatMul");
        node.inputs = {bytes(random, type, {7, 300}),
                       scale(0.25f),
                       bytes(random, type, {}),
                       bytes(random, type, {300, 67}),
                       columns ? random_floats(random, DType::kF32, {67}, 0.1f, 1) : scale(0.5f),
                       columns ? bytes(random, type, {67}) : bytes(random, type, {}),
                       scale(out),
                       bytes(random, type, {})};
        node.constants = 0xFE & ~(1u << 3);
        check_node(*device, node);
      }
    }
  }
}
