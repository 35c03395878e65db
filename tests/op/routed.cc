// Products with chosen matrices: polaris.RoutedMatMul.
#include <doctest/doctest.h>

#include "conformance/suite.h"
#include "support/random_blocks.h"
#include "tensor/block_format.h"

namespace polaris::test {
namespace {

/// As in matmul.cc: kernels for block weights may round x to 8 bits a block.
constexpr double kQuantizedInput = 1e-2;

Constant plain(Tensor tensor) { return {std::move(tensor), {}, {}, "", nullptr}; }

/// Tokens, experts of each, and how many there are; `rows` of x a token, 1 or as many as experts.
struct Routing {
  const char* name;
  std::int64_t tokens, used, experts, rows;

  Tensor x(DType dtype, std::int64_t k) const { return random(dtype, {tokens, rows, k}, -1, 1); }
  Tensor ids(DType dtype = DType::kI64) const {
    return random_ints(dtype, {tokens, used}, 0, experts - 1);
  }
};
constexpr Routing kRoutings[] = {
    {"a token", 1, 3, 7, 1},           {"a token, own rows", 1, 3, 7, 3},
    {"five tokens", 5, 2, 3, 1},       {"five tokens, own rows", 5, 2, 3, 2},
    {"an expert a token", 4, 1, 5, 1}, {"one expert", 3, 2, 1, 1},
};
// So many rows an expert that a kernel may take another way.
constexpr Routing kCrowded = {"crowded", 67, 4, 3, 1};

}  // namespace

TEST_CASE("RoutedMatMul of plain weights") {
  Suite s("RoutedMatMul", "polaris");
  for (const Routing& r : kRoutings) {
    const std::string at = std::string(" ") + r.name;
    s.add("f32" + at, {r.x(DType::kF32, 67), random(DType::kF32, {r.experts, 31, 67}), r.ids()},
          nullptr, {1, 1, {1}});
    s.add(
        "f16 weights" + at,
        {r.x(DType::kF32, 75), random(DType::kF16, {r.experts, 70, 75}, -1, 1), r.ids(DType::kI32)},
        nullptr, {1, 2, {1}});
  }
  for (const DType d : {DType::kF16, DType::kBF16}) {
    const std::string name(dtype_name(d));
    const Routing& r = kRoutings[3];
    s.add(name, {r.x(d, 67), random(d, {r.experts, 65, 67}, -1, 1), r.ids()}, nullptr, {1, 1, {1}});
    s.add(name + ", f32 weights", {r.x(d, 64), random(DType::kF32, {r.experts, 5, 64}), r.ids()},
          nullptr, {1, 1, {1}});
  }
  // Terms of which results near zero are what is left differ by their order.
  s.add("wide",
        {random(DType::kF32, {2, 1, 1030}, -1, 1), random(DType::kF32, {3, 200, 1030}),
         int64s({2, 0, 0, 1}).reshaped({2, 2})},
        nullptr, {1, 1, {1}, 1e-6});
  s.add("crowded",
        {kCrowded.x(DType::kF32, 40), random(DType::kF32, {3, 37, 40}, -1, 1), kCrowded.ids()},
        nullptr, {1, 1, {1}});
  s.add("one expert for all",
        {random(DType::kF32, {4, 1, 8}), random(DType::kF32, {3, 5, 8}),
         int64s({1, 1, 1, 1, 1, 1, 1, 1}).reshaped({4, 2})},
        nullptr, {1, 1, {1}});
  s.add("from the end",
        {random(DType::kF32, {1, 1, 8}), random(DType::kF32, {3, 5, 8}),
         int64s({-1, -3, 2}).reshaped({1, 3})},
        nullptr, {1, 1, {1}});
  s.add("no tokens",
        {random(DType::kF32, {0, 1, 8}), random(DType::kF32, {3, 5, 8}),
         random_ints(DType::kI64, {0, 2}, 0, 2)},
        nullptr, {1, 1, {1}});
  s.add("no depth",
        {random(DType::kF32, {2, 1, 0}), random(DType::kF32, {3, 5, 0}),
         random_ints(DType::kI64, {2, 2}, 0, 2)},
        nullptr, {1, 1, {1}});
  s.add("no columns",
        {random(DType::kF32, {2, 1, 8}), random(DType::kF32, {3, 0, 8}),
         random_ints(DType::kI64, {2, 2}, 0, 2)},
        nullptr, {1, 1, {1}});
  s.run();
}

TEST_CASE("RoutedMatMul of encoded weights") {
  Suite s("RoutedMatMul", "polaris");
  for (const BlockFormat f : all_block_formats()) {
    const std::string name(block_format_info(f).name);
    const std::int64_t k = 3 * block_format_info(f).block_elements;
    for (const Routing& r : {kRoutings[0], kRoutings[3], kCrowded}) {
      s.add(name + " " + r.name,
            {r.x(DType::kF32, k), random_blocks(f, {r.experts, 37, k}), r.ids()}, nullptr,
            {1, 1, {1}, kQuantizedInput});
    }
    const Routing& r = kRoutings[1];
    const std::int64_t wide = k < 256 ? 320 : 1280;
    s.add(name + " wide",
          {r.x(DType::kF32, wide), random_blocks(f, {r.experts, 130, wide}), r.ids(DType::kI32)},
          nullptr, {1, 1, {1}, kQuantizedInput});
    s.add(name + " float16",
          {kRoutings[2].x(DType::kF16, k), random_blocks(f, {3, 65, k}), kRoutings[2].ids()},
          nullptr, {1, 1, {1}, kQuantizedInput});
  }
  for (const DType d : {DType::kI8, DType::kU8}) {
    for (const Routing& r : {kRoutings[0], kRoutings[3]}) {
      s.add_constants(std::string("affine ") + std::string(dtype_name(d)) + " " + r.name,
                      {plain(r.x(DType::kF32, 77)),
                       affine(d, {r.experts, 37, 77}, 0, 0, {r.experts}), plain(r.ids())},
                      nullptr, {1, 1, {1}, kQuantizedInput});
    }
  }
  s.run();
}

TEST_CASE("RoutedMatMul refuses what does not fit") {
  Suite s("RoutedMatMul", "polaris");
  const Tensor x = random(DType::kF32, {4, 1, 8});
  const Tensor w = random(DType::kF32, {3, 5, 8});
  const Tensor ids = random_ints(DType::kI64, {4, 2}, 0, 2);
  s.fails("depth", {x, random(DType::kF32, {3, 8, 5}), ids}, nullptr, "last dim of x, got 8");
  s.fails("tokens", {random(DType::kF32, {3, 1, 8}), w, ids}, nullptr, "tokens of ids, got 4");
  s.fails("rows", {random(DType::kF32, {4, 3, 8}), w, ids}, nullptr, "rows of x a token, got 3");
  s.fails("rank of x", {random(DType::kF32, {4, 8}), w, ids}, nullptr, "rank");
  s.fails("rank of w", {x, random(DType::kF32, {5, 8}), ids}, nullptr, "rank");
  s.fails("rank of ids", {x, w, random_ints(DType::kI64, {4}, 0, 2)}, nullptr, "rank");
  s.fails("float ids", {x, w, random(DType::kF32, {4, 2})}, nullptr, "wanted int32, int64");
  s.fails("no experts", {x, random(DType::kF32, {0, 5, 8}), ids}, nullptr, "wanted one below 0");
  s.run();
}

}  // namespace polaris::test
