#include "ir/op_attrs/gather.h"

#include <doctest/doctest.h>

#include "conformance/suite.h"
#include "support/random_blocks.h"
#include "tensor/block_format.h"

namespace polaris::test {
namespace {

constexpr DType kTypes[] = {DType::kF32, DType::kF16, DType::kI8,  DType::kI32,
                            DType::kI64, DType::kU8,  DType::kBool};

std::shared_ptr<const Attrs> axis(std::int64_t value) {
  return attrs<GatherAttrs>([=](auto& a) { a.axis = value; });
}

}  // namespace

TEST_CASE("Gather") {
  Suite s("Gather");
  for (DType d : kTypes) {
    s.add(dtype_name(d), {random(d, {11, 7}), random_ints(DType::kI64, {5}, -11, 10)}, nullptr,
          {1, 1, {0}});
  }
  s.add("int32 indices", {random(DType::kF32, {11, 64}), random_ints(DType::kI32, {9}, 0, 10)},
        nullptr, {1, 1, {0}});
  s.add("axis 1", {random(DType::kF32, {3, 11, 5}), random_ints(DType::kI64, {2, 3}, 0, 10)},
        axis(1));
  s.add("last axis", {random(DType::kF32, {3, 11}), random_ints(DType::kI64, {4}, 0, 10)},
        axis(-1));
  s.add("scalar index", {random(DType::kF32, {3, 11}), random_ints(DType::kI64, {}, 0, 2)});
  s.add("vector", {random(DType::kI64, {11}), random_ints(DType::kI64, {1}, 0, 10)});
  s.add("no indices", {random(DType::kF32, {3, 5}), random_ints(DType::kI64, {0}, 0, 1)});
  for (BlockFormat f : all_block_formats()) {
    const std::int64_t width = 3 * block_format_info(f).block_elements;
    s.add(block_format_info(f).name,
          {random_blocks(f, {13, width}), random_ints(DType::kI32, {7}, 0, 12)}, nullptr,
          {1, 1, {0}});
  }
  s.add("q8_0 rank 3",
        {random_blocks(BlockFormat::kQ8_0, {5, 3, 32}), random_ints(DType::kI64, {2, 2}, 0, 4)},
        nullptr, {1, 1, {0}});
  struct Case {
    const char* name;
    DType storage;
    Shape data;
    int axis;
    std::int32_t block;
    Shape scales;
    bool zero;
  };
  const Case cases[] = {
      {"affine i8", DType::kI8, {13, 17}, -1, 0, {}, true},
      {"affine u8 per row", DType::kU8, {13, 17}, 0, 0, {13}, true},
      {"affine i8 per column", DType::kI8, {13, 17}, 1, 0, {17}, false},
      {"affine u4 blocks", DType::kU4, {13, 17}, 1, 5, {13, 4}, true},
      {"affine i4 per row", DType::kI4, {13, 17}, 0, 0, {13}, false},
      {"affine u8 blocks", DType::kU8, {13, 17}, 1, 5, {13, 4}, true},
      {"affine i8 blocks of rows", DType::kI8, {13, 4, 3}, 0, 4, {4, 4, 3}, true}};
  for (const Case& c : cases) {
    s.add_constants(c.name,
                    {affine(c.storage, c.data, c.axis, c.block, c.scales, c.zero),
                     {random_ints(DType::kI32, {7}, -13, 12), {}, {}, "", nullptr}},
                    nullptr, {1, 1, {0}});
  }
  s.fails("index", {random(DType::kF32, {3, 5}), int64s({3})}, nullptr, "index, got 3");
  s.fails("axis", {random(DType::kF32, {3, 5}), int64s({0})}, axis(2), "axis, got 2");
  s.fails("float index", {random(DType::kF32, {3, 5}), random(DType::kF32, {1})}, nullptr,
          "wanted int32, int64");
  s.fails("encoded axis", {random_blocks(BlockFormat::kQ4_0, {3, 32}), int64s({0})}, axis(1),
          "axis of encoded data");
  s.run();
}

TEST_CASE("GatherElements") {
  Suite s("GatherElements");
  for (DType d : kTypes) {
    s.add(dtype_name(d), {random(d, {11, 7}), random_ints(DType::kI64, {5, 7}, -11, 10)});
  }
  s.add("axis 1", {random(DType::kF32, {3, 11, 5}), random_ints(DType::kI32, {3, 4, 2}, 0, 10)},
        axis(1));
  s.fails("rank", {random(DType::kF32, {3, 5}), int64s({0})}, nullptr, "rank");
  s.run();
}

TEST_CASE("GatherND") {
  Suite s("GatherND");
  s.add("elements", {random(DType::kF32, {5, 7}), random_ints(DType::kI64, {3, 2}, 0, 4)});
  s.add("slices", {random(DType::kI32, {5, 7, 3}), random_ints(DType::kI64, {2, 3, 1}, -5, 4)});
  s.add("batch", {random(DType::kF32, {2, 5, 7}), random_ints(DType::kI64, {2, 3, 1}, 0, 4)},
        attrs<GatherNdAttrs>([](auto& a) { a.batch_dims = 1; }));
  s.fails("depth", {random(DType::kF32, {5}), random_ints(DType::kI64, {3, 2}, 0, 4)}, nullptr,
          "last dim of indices, got 2");
  s.run();
}

TEST_CASE("ScatterElements") {
  Suite s("ScatterElements");
  s.add("none", {random(DType::kF32, {5, 7}), int64s({4, 0, 2}).reshaped({3, 1}),
                 random(DType::kF32, {3, 1})});
  for (const char* reduction : {"add", "mul", "max", "min"}) {
    const auto attr =
        attrs<ScatterElementsAttrs>([&](auto& a) { a.reduction = reduction, a.axis = 1; });
    s.add(reduction,
          {random(DType::kF32, {5, 7}), random_ints(DType::kI64, {5, 9}, 0, 6),
           random(DType::kF32, {5, 9})},
          attr);
    for (DType d : {DType::kF16, DType::kI64, DType::kU32}) {
      s.add(std::string(reduction) + " " + std::string(dtype_name(d)),
            {random(d, {5, 7}), random_ints(DType::kI64, {5, 9}, 0, 6), random(d, {5, 9})}, attr);
    }
    s.add(std::string(reduction) + " axis 0",
          {random(DType::kF32, {4, 3, 5}), random_ints(DType::kI64, {9, 2, 4}, -4, 3),
           random(DType::kF32, {9, 2, 4})},
          attrs<ScatterElementsAttrs>([&](auto& a) { a.reduction = reduction; }));
    s.add(std::string(reduction) + " vector",
          {random(DType::kI32, {7}), random_ints(DType::kI64, {5}, 0, 6), random(DType::kI32, {5})},
          attrs<ScatterElementsAttrs>([&](auto& a) { a.reduction = reduction; }));
    s.add(std::string(reduction) + " i32",
          {random(DType::kI32, {5, 7}), random_ints(DType::kI32, {5, 9}, 0, 6),
           random(DType::kI32, {5, 9})},
          attr);
  }
  s.fails("reduction", {random(DType::kF32, {5}), int64s({0}), random(DType::kF32, {1})},
          attrs<ScatterElementsAttrs>([](auto& a) { a.reduction = "sub"; }),
          "reduction, got 'sub'");
  s.fails("index", {random(DType::kF32, {5}), int64s({5}), random(DType::kF32, {1})}, nullptr,
          "index, got 5");
  s.run();
}

TEST_CASE("ScatterND") {
  Suite s("ScatterND");
  s.add("slices", {random(DType::kF32, {5, 7}), int64s({4, 0, 2}).reshaped({3, 1}),
                   random(DType::kF32, {3, 7})});
  s.add("elements", {random(DType::kI64, {5, 7}), int64s({4, 0, 2, 6}).reshaped({2, 2}),
                     random(DType::kI64, {2})});
  for (const char* reduction : {"add", "mul", "max", "min"}) {
    s.add(reduction,
          {random(DType::kF32, {5, 7}), random_ints(DType::kI64, {4, 1}, 0, 4),
           random(DType::kF32, {4, 7})},
          attrs<ScatterNdAttrs>([&](auto& a) { a.reduction = reduction; }));
    s.add(std::string(reduction) + " elements",
          {random(DType::kI32, {5, 7}), random_ints(DType::kI32, {3, 4, 2}, 0, 4),
           random(DType::kI32, {3, 4})},
          attrs<ScatterNdAttrs>([&](auto& a) { a.reduction = reduction; }));
  }
  s.fails("updates",
          {random(DType::kF32, {5, 7}), int64s({4}).reshaped({1, 1}), random(DType::kF32, {2, 7})},
          nullptr, "dim of updates");
  s.run();
}

}  // namespace polaris::test
