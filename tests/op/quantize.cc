#include "ir/op_attrs/quantize.h"

#include <doctest/doctest.h>

#include "conformance/suite.h"
#include "support/random_blocks.h"
#include "tensor/block_format.h"

namespace polaris::test {
namespace {

template <class A>
std::shared_ptr<const Attrs> at(std::int64_t axis, std::int64_t block = 0) {
  return attrs<A>([=](auto& a) { a.axis = axis, a.block_size = block; });
}

constexpr DType kQuantized[] = {DType::kI8, DType::kU8, DType::kI16, DType::kU16};

}  // namespace

TEST_CASE("QuantizeLinear") {
  Suite s("QuantizeLinear");
  for (DType d : kQuantized) {
    s.add(dtype_name(d),
          {random(DType::kF32, {5, 67}, -40, 40), scalar(DType::kF32, 0.13),
           random_ints(d, {}, 0, 99)},
          nullptr, {1, 1, {1, 2}});
  }
  s.add("per axis",
        {random(DType::kF32, {3, 5, 7}, -40, 40), random(DType::kF32, {5}, 0.1, 0.5),
         random_bits(DType::kU8, {5})},
        at<QuantizeLinearAttrs>(1), {1, 1, {1, 2}});
  s.add("blocked",
        {random(DType::kF32, {3, 7, 2}, -9, 9), random(DType::kF32, {3, 3, 2}, 0.1, 0.5),
         random_bits(DType::kI8, {3, 3, 2})},
        at<QuantizeLinearAttrs>(1, 3), {1, 1, {1, 2}});
  s.add("no zero point", {random(DType::kF32, {31}, 0, 40), scalar(DType::kF32, 0.2)});
  s.add("halves", {values(DType::kF32, {6}, {0.5, 1.5, 2.5, -0.5, -1.5, -2.5}),
                   scalar(DType::kF32, 1), values(DType::kI8, {}, {0})});
  s.add("far out", {values(DType::kF32, {4}, {1e30, -1e30, 3e9, -3e9}), scalar(DType::kF32, 1),
                    values(DType::kI8, {}, {5})});
  s.add("empty", {random(DType::kF32, {0, 3}), scalar(DType::kF32, 1)});
  s.add("int32 input", {random_ints(DType::kI32, {17}, -900, 900), scalar(DType::kF32, 3.7),
                        values(DType::kI8, {}, {3})});
  s.add("int32 per axis",
        {random_ints(DType::kI32, {5, 3}, -90000, 90000), random(DType::kF32, {3}, 0.9, 2),
         random_bits(DType::kI16, {3})},
        at<QuantizeLinearAttrs>(1));
  s.add("halves of 16 bits",
        {values(DType::kF32, {6}, {20000.5, 20001.5, -32767.5, -32768.5, 32766.5, 32767.5}),
         scalar(DType::kF32, 1), values(DType::kI16, {}, {0})});
  s.add("16 bits of all sizes", {random_bits(DType::kF32, {1031}), scalar(DType::kF32, 0.003),
                                 values(DType::kU16, {}, {32768})});
  for (DType d : {DType::kF16, DType::kBF16}) {
    s.add(dtype_name(d),
          {random(d, {5, 67}, -40, 40), scalar(d, 0.13), random_ints(DType::kI8, {}, 0, 9)},
          nullptr, {1, 1, {1, 2}});
  }
  s.add("f16 by f32", {random(DType::kF16, {5, 67}, -40, 40), scalar(DType::kF32, 0.13),
                       random_ints(DType::kU8, {}, 0, 99)});
  s.fails("scale size", {random(DType::kF32, {3, 5}), random(DType::kF32, {3})}, nullptr,
          "size of the scale, got 3, wanted 5");
  s.fails("axis", {random(DType::kF32, {3, 5}), random(DType::kF32, {3})},
          at<QuantizeLinearAttrs>(2), "axis, got 2");
  s.run();
}

TEST_CASE("DequantizeLinear") {
  Suite s("DequantizeLinear");
  for (DType d : kQuantized) {
    s.add(dtype_name(d), {random_bits(d, {5, 67}), scalar(DType::kF32, 0.13), random_bits(d, {})},
          nullptr, {1, 1, {1, 2}});
  }
  s.add("per axis",
        {random_bits(DType::kI8, {3, 5, 7}), random(DType::kF32, {5}, 0.1, 0.5),
         random_bits(DType::kI8, {5})},
        at<DequantizeLinearAttrs>(1), {1, 1, {1, 2}});
  s.add("axis 0", {random_bits(DType::kI8, {3, 5, 7}), random(DType::kF32, {3}, 0.1, 0.5)},
        at<DequantizeLinearAttrs>(0), {1, 1, {1}});
  s.add("blocked",
        {random_bits(DType::kI8, {3, 7, 2}), random(DType::kF32, {3, 3, 2}, 0.1, 0.5),
         random_bits(DType::kI8, {3, 3, 2})},
        at<DequantizeLinearAttrs>(1, 3), {1, 1, {1, 2}});
  s.add("int32", {random_ints(DType::kI32, {17}, -100000, 100000), scalar(DType::kF32, 0.01)});
  s.add("f16 scale", {random_bits(DType::kI8, {17}), scalar(DType::kF16, 0.01)});
  for (DType d : {DType::kF16, DType::kBF16}) {
    s.add(std::string(dtype_name(d)) + " per axis",
          {random_bits(DType::kU8, {5, 7}), random(d, {7}, 0.1, 0.5), random_bits(DType::kU8, {7})},
          at<DequantizeLinearAttrs>(1));
  }
  s.add("f32 scale to f16", {random_bits(DType::kI16, {17}), scalar(DType::kF32, 0.001)},
        attrs<DequantizeLinearAttrs>([](auto& a) { a.output_dtype = DType::kF16; }));
  s.fails("zero point",
          {random_bits(DType::kI8, {3}), scalar(DType::kF32, 1), random_bits(DType::kU8, {})},
          nullptr, "type");
  s.run();
}

TEST_CASE("DynamicQuantizeLinear") {
  Suite s("DynamicQuantizeLinear");
  s.add("both signs", {random(DType::kF32, {5, 67}, -3, 5)}, nullptr, {3, 1, {}});
  s.add("positive", {random(DType::kF32, {31}, 1, 5)}, nullptr, {3, 1, {}});
  s.add("negative", {random(DType::kF32, {31}, -5, -1)}, nullptr, {3, 1, {}});
  s.add("zeros", {values(DType::kF32, {7}, {})}, nullptr, {3, 1, {}});
  s.run();
}

TEST_CASE("Decode") {
  Suite s("Decode", "polaris");
  for (BlockFormat f : all_block_formats()) {
    const std::int64_t width = 3 * block_format_info(f).block_elements;
    s.add(block_format_info(f).name, {random_blocks(f, {7, width})}, nullptr, {1, 1, {0}});
  }
  const auto add = [&](const char* name, Constant constant) {
    s.add_constants(name, {std::move(constant)}, nullptr, {1, 1, {0}});
  };
  add("affine", affine(DType::kU8, {5, 67}, -1, 0, {}));
  add("affine u4", affine(DType::kU4, {5, 67}, 1, 16, {5, 5}));
  add("affine, no zero", affine(DType::kI8, {5, 67}, -1, 0, {}, false));
  add("affine per row", affine(DType::kI8, {5, 6}, 0, 0, {5}));
  add("affine per channel", affine(DType::kU8, {3, 5, 7}, 1, 0, {5}));
  add("affine blocks", affine(DType::kI8, {5, 6}, 1, 3, {5, 2}, false));
  add("affine ragged blocks", affine(DType::kU8, {5, 7, 2}, 1, 3, {5, 3, 2}));
  s.run();
}

}  // namespace polaris::test
