#include <doctest/doctest.h>

#include "conformance/suite.h"
#include "ir/op_attrs/conv.h"

namespace polaris::test {
namespace {

constexpr DType kF = DType::kF32;
using Ints = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("LpPool, GlobalLpPool") {
  Suite s("LpPool");
  const auto of = [](const Ints& kernel, auto set) {
    return attrs<LpPoolAttrs>([&](auto& a) {
      a.window.kernel_shape = kernel;
      set(a);
    });
  };
  const auto plain = [](auto&) {};
  s.add("1D", {random(kF, {2, 3, 7})}, of({3}, plain));
  s.add("2D", {random(kF, {1, 2, 7, 6})}, of({3, 2}, [](auto& a) {
          a.p = 3;
          a.window.strides = {2, 1};
          a.window.pads = {1, 0, 1, 1};
        }));
  s.add("3D", {random(kF, {1, 2, 4, 5, 3})}, of({2, 2, 2}, [](auto& a) {
          a.p = 1;
          a.window.auto_pad = "SAME_UPPER";
        }));
  s.fails("p", {random(kF, {2, 3, 7})}, of({3}, [](auto& a) { a.p = 0; }), "p, got 0");
  s.fails("kernel", {random(kF, {2, 3, 7})}, of({3, 3}, plain), "kernel_shape, got [3, 3]");
  s.run();
  Suite global("GlobalLpPool");
  global.add("f32", {random(kF, {2, 3, 4, 5})});
  global.add("1-norm", {random(DType::kF64, {2, 3, 4})},
             attrs<GlobalLpPoolAttrs>([](auto& a) { a.p = 1; }));
  global.fails("p", {random(kF, {2, 3, 4})}, attrs<GlobalLpPoolAttrs>([](auto& a) { a.p = -2; }),
               "p, got -2");
  global.run();
}

TEST_CASE("MaxUnpool") {
  Suite s("MaxUnpool");
  const auto of = [](auto set) {
    return attrs<MaxUnpoolAttrs>([&](auto& a) {
      a.kernel_shape = {2, 2};
      a.strides = {2, 2};
      set(a);
    });
  };
  const auto plain = of([](auto&) {});
  const Tensor x = random(kF, {1, 1, 2, 2});
  const Tensor places = values(DType::kI64, {1, 1, 2, 2}, {5, 7, 13, 15});
  s.add("as it was", {x, places}, plain);
  s.add("larger", {x, places, int64s({1, 1, 5, 6})}, plain);
  s.fails("index", {x, values(DType::kI64, {1, 1, 2, 2}, {5, 7, 16, 15})}, plain,
          "index, got 16, wanted 0 to 15");
  s.fails("negative", {x, values(DType::kI64, {1, 1, 2, 2}, {5, -1, 6, 15})}, plain,
          "index, got -1");
  s.fails("smaller", {x, places, int64s({1, 1, 3, 4})}, plain,
          "output_shape, got 3, wanted at least 4");
  s.fails("shape", {x, places, int64s({1, 5, 6})}, plain, "number of output_shape, got 3");
  s.fails("pads", {x, places}, of([](auto& a) { a.pads = {9, 0, 9, 0}; }), "size of dim 2");
  s.fails("indices", {x, random_ints(DType::kI64, {1, 1, 2, 3}, 0, 3)}, plain, "dim 3 of I");
  s.run();
}

TEST_CASE("Col2Im") {
  Suite s("Col2Im");
  s.add("1D", {random(kF, {2, 6, 4}), int64s({6}), int64s({3})});
  s.add("2D", {random(kF, {1, 12, 9}), int64s({4, 5}), int64s({2, 3})}, nullptr);
  s.add("strides, pads, dilations",
        {random(DType::kI32, {1, 4, 9}), int64s({5, 5}), int64s({2, 2})},
        attrs<Col2ImAttrs>([](auto& a) {
          a.strides = {2, 2};
          a.dilations = {2, 2};
          a.pads = {1, 1, 1, 1};
        }));
  s.add("3D", {random(DType::kF64, {1, 16, 8}), int64s({3, 3, 3}), int64s({2, 2, 2})});
  s.fails("blocks", {random(kF, {2, 6, 5}), int64s({6}), int64s({3})}, nullptr,
          "number of blocks, got 5, wanted 4");
  s.fails("elements", {random(kF, {2, 7, 4}), int64s({6}), int64s({3})}, nullptr,
          "dim 1 of the input, got 7");
  s.fails("block", {random(kF, {2, 6, 4}), int64s({6}), int64s({0})}, nullptr,
          "block_shape, got [0]");
  s.fails("too large a block", {random(kF, {2, 6, 4}), int64s({2}), int64s({3})}, nullptr,
          "block_shape, got 3");
  s.fails("counts", {random(kF, {2, 6, 4}), int64s({6}), int64s({3, 1})}, nullptr,
          "number of block_shape, got 2");
  s.run();
}

TEST_CASE("DeformConv") {
  Suite s("DeformConv");
  const auto of = [](std::int64_t group, std::int64_t offsets) {
    return attrs<DeformConvAttrs>([=](auto& a) {
      a.group = group;
      a.offset_group = offsets;
    });
  };
  s.add("plain", {random(kF, {2, 2, 5, 6}), random(kF, {3, 2, 2, 2}), random(kF, {2, 8, 4, 5})});
  s.add("bias and mask", {random(kF, {1, 2, 5, 6}), random(kF, {3, 2, 2, 2}),
                          random(kF, {1, 8, 4, 5}), random(kF, {3}), random(kF, {1, 4, 4, 5})});
  s.add("groups", {random(kF, {1, 4, 4, 4}), random(kF, {2, 2, 3, 3}), random(kF, {1, 36, 2, 2})},
        of(2, 2));
  s.add("one row", {random(kF, {1, 1, 1, 4}), random(kF, {1, 1, 1, 2}), random(kF, {1, 4, 1, 3})});
  s.fails("offset", {random(kF, {2, 2, 5, 6}), random(kF, {3, 2, 2, 2}), random(kF, {2, 7, 4, 5})},
          nullptr, "dim 1 of offset, got 7, wanted 8");
  s.fails("offset groups",
          {random(kF, {2, 2, 5, 6}), random(kF, {3, 2, 2, 2}), random(kF, {2, 24, 4, 5})}, of(1, 3),
          "offset_group, got 3");
  s.fails("mask",
          {random(kF, {1, 2, 5, 6}), random(kF, {3, 2, 2, 2}), random(kF, {1, 8, 4, 5}), absent(),
           random(kF, {1, 4, 4, 4})},
          nullptr, "width of mask, got 4, wanted 5");
  s.fails("channels",
          {random(kF, {1, 3, 5, 6}), random(kF, {3, 2, 2, 2}), random(kF, {1, 8, 4, 5})}, nullptr,
          "channels, got");
  s.run();
}

}  // namespace polaris::test
