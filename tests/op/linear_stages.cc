// Products with what stands around them in a decoder: polaris.NormLinear, GatedLinear and
// ResidualLinear.
#include <doctest/doctest.h>

#include "conformance/suite.h"
#include "ir/op_attrs/matmul.h"

namespace polaris::test {
namespace {

/// As in matmul.cc: kernels for block weights may round x to 8 bits a block.
constexpr double kQuantizedInput = 1e-2;

struct Weights {
  const char* name;
  DType dtype;
  std::optional<BlockFormat> format;
  std::int64_t k;

  Tensor make(std::int64_t n, std::int64_t width) const {
    return format ? random_blocks(*format, {n, width}) : random(dtype, {n, width}, -1, 1);
  }
};
const Weights kWeights[] = {{"f32", DType::kF32, {}, 67},
                            {"f16", DType::kF16, {}, 75},
                            {"q8_0", DType::kF32, BlockFormat::kQ8_0, 96},
                            {"q4_0", DType::kF32, BlockFormat::kQ4_0, 320}};
// What stands around a product is alike for all: not every size of each.
const Weights kMoreWeights[] = {
    {"q4_1", DType::kF32, BlockFormat::kQ4_1, 320}, {"q5_0", DType::kF32, BlockFormat::kQ5_0, 96},
    {"q5_1", DType::kF32, BlockFormat::kQ5_1, 96},  {"q4_k", DType::kF32, BlockFormat::kQ4_K, 512},
    {"q5_k", DType::kF32, BlockFormat::kQ5_K, 256}, {"q6_k", DType::kF32, BlockFormat::kQ6_K, 512}};

struct Size {
  std::int64_t rows, n;
};
// Each tile of columns, a whole tile and a part of one; parts of a group of 64 and whole ones.
constexpr Size kSizes[] = {{1, 31}, {1, 128}, {2, 65}, {5, 70}, {9, 64}, {16, 100}, {33, 37}};
// Enough workgroups for the large tile.
constexpr Size kLarge = {257, 1984};

Tensor squares_of(std::int64_t rows, std::int64_t size) {
  return random(DType::kF32, {rows, (size + 31) / 32}, 1, 30);
}

Constant plain(Tensor tensor) { return {std::move(tensor), {}, {}, "", nullptr}; }

template <class Add>
void each(const Add& add) {
  const auto one = [&](const Weights& w, const Size& size, std::int64_t k) {
    add(w, size,
        std::string(w.name) + " " + std::to_string(size.rows) + " rows of " +
            std::to_string(size.n),
        k);
  };
  for (const Weights& w : kWeights) {
    for (const Size& size : kSizes) one(w, size, w.k);
  }
  for (const Weights& w : kMoreWeights) {
    for (const Size& size : {kSizes[1], kSizes[3], kSizes[5]}) one(w, size, w.k);
  }
  one(kWeights[3], kLarge, 32);
  one(kWeights[3], {70, 150}, 320);  // parts of tiles in shared memory, which k must fill
}

}  // namespace

TEST_CASE("NormLinear") {
  Suite s("NormLinear", "polaris");
  const auto small = attrs<NormLinearAttrs>([](auto& a) { a.epsilon = 1e-3f; });
  each([&](const Weights& w, const Size& size, const std::string& name, std::int64_t k) {
    s.add(name,
          {random(DType::kF32, {size.rows, k}, -1, 1), w.make(size.n, k), squares_of(size.rows, k)},
          small, {1, 1, {1}, w.format ? kQuantizedInput : 0});
  });
  for (const DType bias : {DType::kF32, DType::kF16}) {
    for (const std::int64_t rows : {1, 17}) {
      s.add("bias " + std::string(dtype_name(bias)) + ", " + std::to_string(rows) + " rows",
            {random(DType::kF32, {rows, 640}, -1, 1), random(DType::kF32, {70, 640}, -1, 1),
             squares_of(rows, 640), random(bias, {70})},
            small, {1, 1, {1, 3}});
    }
  }
  s.add("rank 3",
        {random(DType::kF32, {2, 3, 64}, -1, 1), random(DType::kF32, {5, 64}, -1, 1),
         random(DType::kF32, {2, 3, 2}, 1, 3)},
        nullptr, {1, 1, {1}});
  s.add("no rows",
        {random(DType::kF32, {0, 32}), random(DType::kF32, {5, 32}), random(DType::kF32, {0, 1})},
        nullptr, {1, 1, {1}});
  for (DType d : {DType::kI8, DType::kU8, DType::kU4}) {
    s.add_constants("affine " + std::string(dtype_name(d)),
                    {plain(random(DType::kF32, {3, 77}, -1, 1)),
                     affine(d, {67, 77}, 1, 32, {67, 3}), plain(squares_of(3, 77))},
                    nullptr, {1, 1, {1}, kQuantizedInput});
  }
  s.fails("inner",
          {random(DType::kF32, {3, 4}), random(DType::kF32, {5, 3}), random(DType::kF32, {3, 1})},
          nullptr, "last dim of x");
  s.fails("squares",
          {random(DType::kF32, {3, 65}), random(DType::kF32, {5, 65}), random(DType::kF32, {3, 1})},
          nullptr, "dim of the squares");
  s.fails("bias",
          {random(DType::kF32, {3, 4}), random(DType::kF32, {5, 4}), random(DType::kF32, {3, 1}),
           random(DType::kF32, {4})},
          nullptr, "size of bias");
  s.run();
}

TEST_CASE("GatedLinear") {
  Suite s("GatedLinear", "polaris");
  const auto gate = [](const char* activation) {
    return attrs<GatedLinearAttrs>([=](auto& a) { a.activation = activation; });
  };
  each([&](const Weights& w, const Size& size, const std::string& name, std::int64_t k) {
    const double allowed = w.format ? kQuantizedInput : 0;
    const Tensor x = random(DType::kF32, {size.rows, k}, -0.5, 0.5);
    s.add(name, {x, w.make(size.n, k), w.make(size.n, k)}, gate("silu"), {1, 1, {1, 2}, allowed});
    s.add(name + ", scaled", {x, w.make(size.n, k), w.make(size.n, k), squares_of(size.rows, k)},
          gate("gelu_tanh"), {1, 1, {1, 2}, allowed});
  });
  for (DType d : {DType::kI8, DType::kU8, DType::kU4}) {
    for (const std::int64_t rows : {1, 17}) {
      s.add_constants(
          "affine " + std::string(dtype_name(d)) + ", " + std::to_string(rows) + " rows",
          {plain(random(DType::kF32, {rows, 77}, -0.1, 0.1)), affine(d, {67, 77}, 0, 0, {67}),
           affine(d, {67, 77}, 0, 0, {67})},
          gate("silu"), {1, 1, {1, 2}, kQuantizedInput});
    }
  }
  s.add("matrices of two kinds",
        {random(DType::kF32, {3, 32}, -1, 1), random(DType::kF32, {5, 32}, -1, 1),
         random_blocks(BlockFormat::kQ8_0, {5, 32})},
        nullptr, {1, 1, {1, 2}, kQuantizedInput});
  s.add("far from zero",
        {values(DType::kF32, {1, 4}, {-300, -90, 90, 300}),
         values(DType::kF32, {3, 4}, {1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1}),
         values(DType::kF32, {3, 4}, {0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0})},
        nullptr, {1, 1, {1, 2}});
  s.add("no rows",
        {random(DType::kF32, {0, 32}), random(DType::kF32, {5, 32}), random(DType::kF32, {5, 32})},
        nullptr, {1, 1, {1, 2}});
  s.fails("rows of up",
          {random(DType::kF32, {3, 4}), random(DType::kF32, {5, 4}), random(DType::kF32, {6, 4})},
          nullptr, "rows of up");
  s.fails("activation",
          {random(DType::kF32, {3, 4}), random(DType::kF32, {5, 4}), random(DType::kF32, {5, 4})},
          gate("relu"), "activation, got 'relu'");
  s.run();
}

TEST_CASE("ResidualLinear") {
  Suite s("ResidualLinear", "polaris");
  each([&](const Weights& w, const Size& size, const std::string& name, std::int64_t k) {
    const double allowed = w.format ? kQuantizedInput : 0;
    const Tensor x = random(DType::kF32, {size.rows, k}, -1, 1);
    const Tensor residual = random(DType::kF32, {size.rows, size.n}, -3, 3);
    if (size.rows != kLarge.rows) {  // which takes long, and has no other tile with the norm
      s.add(name, {x, w.make(size.n, k), residual}, nullptr, {1, 1, {1}, allowed});
    }
    s.add(name + ", normed", {x, w.make(size.n, k), residual, random(DType::kF32, {size.n}, -2, 2)},
          nullptr, {3, 1, {1}, allowed});
    if (size.rows != 5) return;
    s.add(name + ", scaled only",
          {x, w.make(size.n, k), residual, random(DType::kF32, {size.n}, -2, 2)}, nullptr,
          {2, 1, {1}, allowed});
  });
  s.add("rank 3",
        {random(DType::kF32, {2, 3, 32}, -1, 1), random(DType::kF32, {5, 32}, -1, 1),
         random(DType::kF32, {2, 3, 5})},
        nullptr, {1, 1, {1}});
  s.add("no rows",
        {random(DType::kF32, {0, 32}), random(DType::kF32, {5, 32}), random(DType::kF32, {0, 5})},
        nullptr, {1, 1, {1}});
  for (DType d : {DType::kI8, DType::kU8, DType::kU4}) {
    s.add_constants("affine " + std::string(dtype_name(d)),
                    {plain(random(DType::kF32, {3, 77}, -1, 1)), affine(d, {67, 77}, -1, 0, {}),
                     plain(random(DType::kF32, {3, 67})), plain(random(DType::kF32, {67}))},
                    nullptr, {3, 1, {1}, kQuantizedInput});
  }
  s.fails("residual",
          {random(DType::kF32, {3, 4}), random(DType::kF32, {5, 4}), random(DType::kF32, {3, 4})},
          nullptr, "dim of the residual");
  s.fails("scale",
          {random(DType::kF32, {3, 4}), random(DType::kF32, {5, 4}), random(DType::kF32, {3, 5}),
           random(DType::kF32, {4})},
          nullptr, "size of scale", 3);
  s.fails("outputs",
          {random(DType::kF32, {3, 4}), random(DType::kF32, {5, 4}), random(DType::kF32, {3, 5})},
          nullptr, "outputs, got 3", 3);
  s.run();
}

}  // namespace polaris::test
