#include <doctest/doctest.h>

#include "conformance/suite.h"
#include "ir/op_attrs/matmul.h"
#include "support/random_blocks.h"
#include "tensor/block_format.h"

namespace polaris::test {
namespace {

/// Kernels for block weights may round x to 8 bits a block, as llama.cpp's do; the bound is the one
/// that logits are held to.
constexpr double kQuantizedInput = 1e-2;

Constant plain(Tensor tensor) { return {std::move(tensor), {}, {}, "", nullptr}; }

}  // namespace

TEST_CASE("MatMul") {
  Suite s("MatMul");
  struct Case {
    const char* name;
    Shape a;
    Shape b;
  };
  const Case cases[] = {
      {"prime", {7, 13}, {13, 11}},      {"one row", {1, 67}, {67, 31}},
      {"one column", {31, 67}, {67, 1}}, {"vectors", {17}, {17}},
      {"vector first", {13}, {13, 7}},   {"vector last", {7, 13}, {13}},
      {"batch", {3, 5, 7}, {3, 7, 4}},   {"batch broadcast", {2, 1, 5, 7}, {3, 7, 4}},
      {"shared b", {4, 5, 7}, {7, 9}},   {"large", {65, 129}, {129, 67}},
      {"no rows", {0, 5}, {5, 3}},       {"no depth", {3, 0}, {0, 4}},
      {"aligned", {16, 64}, {64, 32}},   {"tall", {257, 3}, {3, 5}},
  };
  for (const Case& c : cases) {
    s.add(std::string("f32 ") + c.name,
          {random(DType::kF32, c.a, -1, 1), random(DType::kF32, c.b, -1, 1)}, nullptr, {1, 1, {1}});
  }
  s.add("f16", {random(DType::kF16, {7, 13}, -1, 1), random(DType::kF16, {13, 11}, -1, 1)}, nullptr,
        {1, 1, {1}});
  s.add("f16 wide", {random(DType::kF16, {5, 129}, -1, 1), random(DType::kF16, {129, 67}, -1, 1)},
        nullptr, {1, 1, {1}});
  s.add("f16 batch",
        {random(DType::kF16, {3, 5, 7}, -1, 1), random(DType::kF16, {3, 7, 4}, -1, 1)});
  s.add("bf16", {random(DType::kBF16, {7, 13}, -1, 1), random(DType::kBF16, {13, 11}, -1, 1)},
        nullptr, {1, 1, {1}});
  s.add("i32 wide", {random_bits(DType::kI32, {5, 129}), random_bits(DType::kI32, {129, 67})});
  s.add("f64", {random(DType::kF64, {7, 13}), random(DType::kF64, {13, 11})});
  s.add("i32", {random_bits(DType::kI32, {7, 13}), random_bits(DType::kI32, {13, 11})});
  s.add("i64", {random_bits(DType::kI64, {7, 13}), random_bits(DType::kI64, {13, 11})});
  s.add("u32", {random_bits(DType::kU32, {2, 3}), random_bits(DType::kU32, {3, 2})});
  s.fails("inner", {random(DType::kF32, {3, 4}), random(DType::kF32, {5, 3})}, nullptr, "[3, 4]");
  s.fails("scalar", {random(DType::kF32, {}), random(DType::kF32, {5, 3})}, nullptr, "[]");
  s.run();
}

TEST_CASE("Linear") {
  Suite s("Linear", "polaris");
  for (std::int64_t rows : {1, 2, 5, 33}) {
    const std::string at = std::to_string(rows) + " rows";
    s.add("f32 " + at,
          {random(DType::kF32, {rows, 67}, -1, 1), random(DType::kF32, {31, 67}, -1, 1)}, nullptr,
          {1, 1, {1}});
    s.add("f16 weights " + at,
          {random(DType::kF32, {rows, 64}, -1, 1), random(DType::kF16, {37, 64}, -1, 1)}, nullptr,
          {1, 2, {1}});
    for (BlockFormat f : all_block_formats()) {
      const std::string name = std::string(block_format_info(f).name) + " " + at;
      const std::int64_t k = 3 * block_format_info(f).block_elements;
      s.add(name, {random(DType::kF32, {rows, k}, -1, 1), random_blocks(f, {37, k})}, nullptr,
            {1, 1, {1}, kQuantizedInput});
      const std::int64_t wide = k < 256 ? 320 : 1280;
      s.add(name + " wide",
            {random(DType::kF32, {rows, wide}, -1, 1), random_blocks(f, {65, wide})}, nullptr,
            {1, 1, {1}, kQuantizedInput});
    }
  }
  // Tiles in shared memory, which k must fill; whole ones and parts.
  for (const DType dtype : {DType::kF32, DType::kF16}) {
    s.add(std::string(dtype_name(dtype)) + ", many rows, bias",
          {random(DType::kF32, {130, 96}, -1, 1), random(dtype, {150, 96}, -1, 1),
           random(DType::kF32, {150})},
          nullptr, {1, 2, {1, 2}});
  }
  for (BlockFormat f : all_block_formats()) {
    const std::int64_t k = 2 * block_format_info(f).block_elements;
    s.add(std::string(block_format_info(f).name) + ", many rows",
          {random(DType::kF32, {70, k}, -1, 1), random_blocks(f, {150, k})}, nullptr,
          {1, 1, {1}, kQuantizedInput});
  }
  s.add("bias",
        {random(DType::kF32, {3, 67}, -1, 1), random(DType::kF32, {31, 67}, -1, 1),
         random(DType::kF32, {31})},
        nullptr, {1, 1, {1, 2}});
  s.add("bias q8_0",
        {random(DType::kF32, {3, 64}, -1, 1), random_blocks(BlockFormat::kQ8_0, {31, 64}),
         random(DType::kF32, {31})},
        nullptr, {1, 1, {1, 2}, kQuantizedInput});
  s.add("rank 3", {random(DType::kF32, {2, 3, 32}, -1, 1), random(DType::kF32, {5, 32}, -1, 1)},
        nullptr, {1, 1, {1}});
  s.add("vector", {random(DType::kF32, {32}, -1, 1), random(DType::kF32, {5, 32}, -1, 1)}, nullptr,
        {1, 1, {1}});
  s.add("no rows", {random(DType::kF32, {0, 32}), random(DType::kF32, {5, 32})}, nullptr,
        {1, 1, {1}});
  for (DType d : {DType::kF16, DType::kBF16}) {
    const std::string name(dtype_name(d));
    s.add(name, {random(d, {3, 32}, -1, 1), random(d, {5, 32}, -1, 1)}, nullptr, {1, 1, {1}});
    s.add(name + " one row",
          {random(d, {1, 67}, -1, 1), random(d, {37, 67}, -1, 1), random(d, {37})}, nullptr,
          {1, 1, {1, 2}});
    s.add(name + " f32 weights and bias",
          {random(d, {5, 67}, -1, 1), random(DType::kF32, {37, 67}, -1, 1),
           random(DType::kF32, {37})},
          nullptr, {1, 1, {1, 2}});
    for (BlockFormat f : all_block_formats()) {
      const std::int64_t k = 3 * block_format_info(f).block_elements;
      s.add(name + " " + std::string(block_format_info(f).name),
            {random(d, {17, k}, -1, 1), random_blocks(f, {67, k})}, nullptr,
            {1, 1, {1}, kQuantizedInput});
    }
  }
  for (DType d : {DType::kI8, DType::kU8, DType::kI4, DType::kU4}) {
    for (std::int64_t rows : {1, 3, 17}) {
      const std::string name =
          "affine " + std::string(dtype_name(d)) + " " + std::to_string(rows) + " rows ";
      const auto add = [&](const std::string& kind, Constant w) {
        const std::int64_t k = w.data.shape()[1];
        s.add_constants(name + kind, {plain(random(DType::kF32, {rows, k}, -1, 1)), std::move(w)},
                        nullptr, {1, 1, {1}, kQuantizedInput});
      };
      add("one scale", affine(d, {37, 67}, -1, 0, {}));
      add("per row", affine(d, {67, 96}, 0, 0, {67}));
      add("per row, no zero", affine(d, {37, 45}, 0, 0, {37}, false));
      add("blocks of 32", affine(d, {67, 77}, 1, 32, {67, 3}));
      add("blocks of 128", affine(d, {37, 320}, 1, 128, {37, 3}));
      add("whole blocks of 32", affine(d, {67, 96}, 1, 32, {67, 3}));
      add("whole blocks of 16", affine(d, {37, 96}, 1, 16, {37, 6}));
      add("whole blocks of 64, no zero", affine(d, {37, 160}, 1, 64, {37, 3}, false));
      Constant halves = affine(d, {67, 128}, 1, 64, {67, 2});  // scales that float16 has
      for (std::int64_t i = 0; i < 134; ++i) {
        halves.scale.mutable_data<float>()[i] = static_cast<float>(i % 7 + 1) / 512.0f;
      }
      add("scales of float16", halves);
      halves.zero_point = {};
      add("scales of float16, no zero", std::move(halves));
      add("blocks of 5", affine(d, {5, 15}, 1, 5, {5, 3}));
      add("per column", affine(d, {5, 15}, 1, 0, {15}));
    }
  }
  s.add_constants("affine bias",
                  {plain(random(DType::kF16, {3, 64}, -1, 1)),
                   affine(DType::kI8, {31, 64}, 0, 0, {31}), plain(random(DType::kF32, {31}))},
                  nullptr, {1, 1, {1, 2}, kQuantizedInput});
  s.fails("inner", {random(DType::kF32, {3, 4}), random(DType::kF32, {5, 3})}, nullptr,
          "last dim of x");
  s.fails("bias",
          {random(DType::kF32, {3, 4}), random(DType::kF32, {5, 4}), random(DType::kF32, {4})},
          nullptr, "size of bias");
  s.run();
}

TEST_CASE("Gemm") {
  Suite s("Gemm");
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      const auto attr = attrs<GemmAttrs>([&](auto& a) {
        a.transA = ta, a.transB = tb;
        a.alpha = 0.5f, a.beta = 2.0f;
      });
      const Shape a = ta ? Shape{13, 7} : Shape{7, 13};
      const Shape b = tb ? Shape{11, 13} : Shape{13, 11};
      const std::string name = std::string(ta ? "A'" : "A") + (tb ? " B'" : " B");
      s.add(
          name,
          {random(DType::kF32, a, -1, 1), random(DType::kF32, b, -1, 1), random(DType::kF32, {11})},
          attr, {1, 1, {1, 2}});
    }
  }
  s.add("no C", {random(DType::kF32, {3, 5}), random(DType::kF32, {5, 4})}, nullptr, {1, 1, {1}});
  for (const Shape& c : {Shape{}, Shape{1}, Shape{3, 1}, Shape{1, 4}, Shape{3, 4}}) {
    s.add("C " + c.to_string(),
          {random(DType::kF32, {3, 5}), random(DType::kF32, {5, 4}), random(DType::kF32, c)});
  }
  s.add("i32", {random_bits(DType::kI32, {3, 5}), random_bits(DType::kI32, {5, 4}),
                random_bits(DType::kI32, {4})});
  s.add("i32 scaled", {random_bits(DType::kI32, {3, 5}), random_bits(DType::kI32, {5, 4})},
        attrs<GemmAttrs>([](auto& a) { a.alpha = 3; }));
  for (DType d : {DType::kF16, DType::kBF16}) {
    s.add(dtype_name(d), {random(d, {3, 5}), random(d, {5, 4}), random(d, {4})}, nullptr,
          {1, 1, {1}});
  }
  s.add("u64", {random_bits(DType::kU64, {3, 5}), random_bits(DType::kU64, {5, 4}),
                random_bits(DType::kU64, {4})});
  s.fails("C", {random(DType::kF32, {3, 5}), random(DType::kF32, {5, 4}), random(DType::kF32, {3})},
          nullptr, "C shape");
  s.fails("inner", {random(DType::kF32, {3, 5}), random(DType::kF32, {4, 4})}, nullptr,
          "inner dim of B");
  s.run();
}

TEST_CASE("MatMulInteger") {
  Suite s("MatMulInteger");
  const DType types[] = {DType::kI8, DType::kU8};
  for (DType a : types) {
    for (DType b : types) {
      const std::string name = std::string(dtype_name(a)) + " " + std::string(dtype_name(b));
      s.add(name,
            {random_bits(a, {7, 67}), random_bits(b, {67, 11}), random_bits(a, {}),
             random_bits(b, {})},
            nullptr, {1, 1, {1, 3}});
    }
  }
  s.add("no zero points", {random_bits(DType::kU8, {7, 13}), random_bits(DType::kI8, {13, 5})});
  s.add("per row and column",
        {random_bits(DType::kU8, {7, 13}), random_bits(DType::kU8, {13, 5}),
         random_bits(DType::kU8, {7}), random_bits(DType::kU8, {5})},
        nullptr, {1, 1, {1, 3}});
  s.add("batch", {random_bits(DType::kU8, {2, 3, 4}), random_bits(DType::kI8, {2, 4, 5}),
                  random_bits(DType::kU8, {})});
  s.fails("float", {random(DType::kF32, {2, 2}), random_bits(DType::kI8, {2, 2})}, nullptr, "type");
  s.run();
}

TEST_CASE("QLinearMatMul") {
  Suite s("QLinearMatMul");
  const auto add = [&](const char* name, DType a, DType b, DType y, Shape b_scale) {
    s.add(name,
          {random_bits(a, {7, 67}), scalar(DType::kF32, 0.02), random_bits(a, {}),
           random_bits(b, {67, 11}), random(DType::kF32, b_scale, 0.01, 0.03),
           random_bits(b, b_scale), scalar(DType::kF32, 0.7), random_bits(y, {})},
          nullptr, {1, 1, {1, 2, 3, 4, 5, 6, 7}});
  };
  add("u8", DType::kU8, DType::kU8, DType::kU8, {});
  add("i8", DType::kI8, DType::kI8, DType::kI8, {});
  add("u8 i8", DType::kU8, DType::kI8, DType::kU8, {});
  add("per column", DType::kU8, DType::kI8, DType::kU8, {11});
  s.run();
}

TEST_CASE("Einsum") {
  constexpr DType kF = DType::kF32;
  Suite s("Einsum");
  const auto of = [](const char* equation) {
    return attrs<EinsumAttrs>([&](auto& a) { a.equation = equation; });
  };
  s.add("product", {random(kF, {3, 4}), random(kF, {4, 5})}, of("ij,jk->ik"));
  s.add("implied output", {random(kF, {3, 4}), random(kF, {4, 2})}, of("bj,ja"));
  s.add("ellipsis", {random(kF, {2, 1, 3, 4}), random(kF, {5, 4, 2})}, of("...ij, ...jk -> ...ik"));
  s.add("diagonal", {random(kF, {3, 3, 2})}, of("iij->ji"));
  s.add("trace", {random(kF, {4, 4})}, of("ii"));
  s.add("three", {random(kF, {2, 3}), random(kF, {3, 4}), random(kF, {4, 2})}, of("ab,bc,cd->ad"));
  s.add("integers", {random(DType::kI32, {3, 4}), random(DType::kI32, {4})}, of("ij,j->i"));
  s.add("broadcast", {random(kF, {1, 4}), random(kF, {3, 4})}, of("ij,ij->i"));
  s.add("scalar", {random(kF, {}), random(kF, {3})}, of(",i->i"));
  s.add("sum of none", {random(kF, {3, 0})}, of("ij->i"));
  const auto fails = [&](const char* equation, const char* text) {
    s.fails(equation, {random(kF, {3, 4}), random(kF, {4, 5})}, of(equation), text);
  };
  fails("ij->ij", "inputs, got 2, wanted 1");
  fails("ij,jkl->i", "rank of input 1");
  fails("ij,ik->jk", "dim 0 of input 1, got 4, wanted 3");
  fails("ij,jk->il", "got 'l' in its output and in no input");
  fails("ij,jk->ii", "got 'i' in its output twice");
  fails("i1,jk->i", "equation, got 'i1'");
  fails("......,jk->", "equation, got '......'");
  fails("...j,jk->k", "without the ellipsis");
  s.fails("rank", {random(kF, {1, 1, 1, 1, 1}), random(kF, {1, 1, 1, 1})},
          of("abcde,fghi->abcdefghi"), "rank of the output, got 9");
  s.run();
}

}  // namespace polaris::test
