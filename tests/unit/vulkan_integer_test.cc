#include <doctest/doctest.h>

#include <cmath>

#include "ir/op_attrs/quantize.h"
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

TEST_CASE("vulkan QuantizeLinear and DequantizeLinear, per tensor, axis and block") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  for (const DType type : {DType::kU8, DType::kI8}) {
    for (int mode = 0; mode < 3; ++mode) {
      for (const bool zero : {false, true}) {
        CAPTURE(mode);
        CAPTURE(zero);
        Random random(23);
        const Shape shape{3, 10, 70};
        const Shape per = mode == 0 ? Shape{} : mode == 1 ? Shape{10} : Shape{3, 3, 70};
        auto quantize = std::make_shared<QuantizeLinearAttrs>();
        quantize->axis = 1;
        quantize->block_size = mode == 2 ? 4 : 0;
        quantize->output_dtype = type;
        NodeCase node;
        node.op = &find_op("QuantizeLinear");
        node.attrs = quantize;
        const Tensor scales = random_floats(random, DType::kF32, per, 0.01f, 0.03f);
        node.inputs = {random_floats(random, DType::kF32, shape, -3, 3), scales};
        if (zero) node.inputs.push_back(bytes(random, type, per));
        check_node(*device, node);

        auto dequantize = std::make_shared<DequantizeLinearAttrs>();
        dequantize->axis = 1;
        dequantize->block_size = quantize->block_size;
        node.op = &find_op("DequantizeLinear");
        node.attrs = dequantize;
        node.inputs[0] = bytes(random, type, shape);
        check_node(*device, node);
        node.inputs = {random_ints(random, DType::kI32, shape, -100000, 100000), scales};
        check_node(*device, node);
      }
    }
  }
}

TEST_CASE("vulkan QuantizeLinear divides exactly where a quotient lies near a tie") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  for (const float step : {0.1f, 0.3f, 1.0f / 3, 0.0078431377f, 7.7e-5f, 1234.5f}) {
    CAPTURE(step);
    Tensor x = Tensor::allocate(DType::kF32, {3, 511}).take();
    for (int i = 0; i < 511; ++i) {
      // The product nearest to a tie, and its neighbours.
      const float tie = (static_cast<float>(i - 255) + 0.5f) * step;
      x.mutable_data<float>()[i] = tie;
      x.mutable_data<float>()[511 + i] = std::nextafter(tie, 1e30f);
      x.mutable_data<float>()[1022 + i] = std::nextafter(tie, -1e30f);
    }
    NodeCase node;
    node.op = &find_op("QuantizeLinear");
    auto attrs = std::make_shared<QuantizeLinearAttrs>();
    attrs->output_dtype = DType::kI8;
    node.attrs = attrs;
    node.inputs = {x, scale(step)};
    check_node(*device, node);
  }
}

TEST_CASE("vulkan DynamicQuantizeLinear of any range") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  const std::pair<float, float> ranges[] = {{-1, 1}, {0.5f, 3}, {-7, -2}, {-0.001f, 900}, {0, 0}};
  for (const auto& [low, high] : ranges) {
    for (const std::int64_t size : {1, 77, 5000, 200000}) {
      CAPTURE(low);
      CAPTURE(size);
      Random random(24);
      NodeCase node;
      node.op = &find_op("DynamicQuantizeLinear");
      node.outputs = 3;
      node.inputs = {random_floats(random, DType::kF32, {size}, low, high)};
      auto want = run_reference(node);
      auto got = run_device(*device, node);
      REQUIRE_MESSAGE(want.ok(), want.error().message());
      REQUIRE_MESSAGE(got.ok(), got.error().message());
      for (std::size_t o = 0; o < 3; ++o) {
        CAPTURE(o);
        const auto a = (*got)[o].bytes();
        const auto b = (*want)[o].bytes();
        CHECK(std::equal(a.begin(), a.end(), b.begin()));
      }
    }
  }
}

TEST_CASE("vulkan Decode of block formats") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  for (const BlockFormat format :
       {BlockFormat::kQ4_0, BlockFormat::kQ8_0, BlockFormat::kQ4_1, BlockFormat::kQ5_0,
        BlockFormat::kQ5_1, BlockFormat::kQ4_K, BlockFormat::kQ5_K, BlockFormat::kQ6_K}) {
    Random random(25);
    NodeCase node;
    node.op = &find_op("Decode", "polaris");
    node.inputs = {random_blocks(random, format, {5, 768})};
    node.constants = 1;
    check_node(*device, node);
  }
}
