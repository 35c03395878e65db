#include <doctest/doctest.h>

#include <string>

#include "conformance/suite.h"
#include "ir/op_attrs/elementwise.h"
#include "ir/op_attrs/gather.h"
#include "ir/op_attrs/quantize.h"
#include "ir/op_attrs/shape.h"
#include "tensor/element.h"

// Dtypes that no device computes in: moved and converted by the definition, whatever the device.
namespace polaris::test {
namespace {

constexpr DType kSmall[] = {
    DType::kF8E4M3FN, DType::kF8E4M3FNUZ, DType::kF8E5M2, DType::kF8E5M2FNUZ, DType::kF8E8M0,
    DType::kF4E2M1,   DType::kI4,         DType::kU4,     DType::kI2,         DType::kU2};
constexpr DType kOthers[] = {DType::kF32, DType::kF16, DType::kBF16, DType::kF64, DType::kI8,
                             DType::kU16, DType::kI64, DType::kU64,  DType::kBool};

Tensor codes(DType dtype, const Shape& shape) {
  auto out = Tensor::allocate(dtype, shape);
  REQUIRE(out.ok());
  for (std::int64_t i = 0; i < out->elements(); ++i) {
    store_code(dtype, out->mutable_bytes().data(), i, static_cast<std::uint8_t>(i * 7 + 1));
  }
  return out.take();
}

std::string named(DType dtype, std::string_view what) {
  return std::string(dtype_name(dtype)) + " " + std::string(what);
}

}  // namespace

TEST_CASE("small dtypes: Cast from, to and between them") {
  Suite s("Cast");
  const auto cast = [&](DType from, const Tensor& x, DType to) {
    for (const char* mode : {"up", "down", "nearest"}) {
      if (to != DType::kF8E8M0 && mode[0] != 'u') continue;
      for (const bool saturate : {true, false}) {
        s.add(named(from, "to ") + named(to, mode) + (saturate ? "" : " open"), {x},
              attrs<CastAttrs>([&](auto& a) {
                a.to = to;
                a.saturate = saturate;
                a.round_mode = mode;
              }));
      }
    }
  };
  for (DType small : kSmall) {
    // Every code, and an odd count.
    const Tensor all = codes(small, {257});
    for (DType other : kOthers) {
      cast(small, all, other);
      cast(other,
           is_float(other) ? with_specials(random(other, {67}, -20, 20))
                           : random_ints(other, {67}, 0, other == DType::kBool ? 1 : 100),
           small);
    }
    for (DType other : kSmall) cast(small, all, other);
  }
  s.fails("mode", {random(DType::kF32, {3})},
          attrs<CastAttrs>([](auto& a) { a.round_mode = "away"; }), "round_mode");
  s.run();
}

TEST_CASE("small dtypes: CastLike") {
  Suite s("CastLike");
  for (DType small : kSmall) {
    s.add(named(small, "to"), {random(DType::kF32, {5, 3}, -9, 9), codes(small, {1})});
    s.add(named(small, "from"), {codes(small, {5, 3}), scalar(DType::kF16, 1)});
  }
  s.run();
}

TEST_CASE("small dtypes: Transpose") {
  Suite s("Transpose");
  for (DType small : kSmall) s.add(named(small, "3d"), {codes(small, {3, 5, 7})});
  s.run();
}

TEST_CASE("small dtypes: Slice") {
  Suite s("Slice");
  for (DType small : kSmall) {
    s.add(named(small, "rows"),
          {codes(small, {5, 7}), int64s({1, 1}), int64s({4, 6}), absent(), int64s({1, 2})});
    s.add(named(small, "back"),
          {codes(small, {9}), int64s({7}), int64s({-100}), int64s({0}), int64s({-3})});
  }
  s.run();
}

TEST_CASE("small dtypes: Concat and Split") {
  Suite concat("Concat");
  Suite split("Split");
  for (DType small : kSmall) {
    for (const std::int64_t axis : {0, 1}) {
      const auto set = attrs<ConcatAttrs>([&](auto& a) { a.axis = axis; });
      concat.add(named(small, "three"),
                 {codes(small, {3, 3}), codes(small, {3, 3}), codes(small, {3, 3})}, set);
      split.add(named(small, "uneven"), {codes(small, {7, 7}), int64s({2, 1, 4})},
                attrs<SplitAttrs>([&](auto& a) { a.axis = axis; }), {3, 1, {}, 0});
    }
  }
  concat.run();
  split.run();
}

TEST_CASE("small dtypes: Gather, Pad, Tile, Expand and Where") {
  Suite gather("Gather");
  Suite pad("Pad");
  Suite tile("Tile");
  Suite expand("Expand");
  Suite where("Where");
  for (DType small : kSmall) {
    gather.add(named(small, "rows"), {codes(small, {5, 3}), int64s({4, 0, 2, -1})});
    pad.add(named(small, "constant"),
            {codes(small, {3, 3}), int64s({1, 0, 0, 2}), codes(small, {})});
    pad.add(named(small, "reflect"), {codes(small, {3, 3}), int64s({1, 2, 2, 1})},
            attrs<PadAttrs>([](auto& a) { a.mode = "reflect"; }));
    tile.add(named(small, "2d"), {codes(small, {3, 3}), int64s({2, 3})});
    expand.add(named(small, "rows"), {codes(small, {3, 1}), int64s({3, 5})});
    where.add(named(small, "broadcast"),
              {random_ints(DType::kBool, {3, 5}, 0, 1), codes(small, {5}), codes(small, {3, 1})});
  }
  gather.run();
  pad.run();
  tile.run();
  expand.run();
  where.run();
}

TEST_CASE("small dtypes: QuantizeLinear") {
  Suite s("QuantizeLinear");
  for (DType small : kSmall) {
    if (small == DType::kF8E8M0) continue;
    for (const bool saturate : {true, false}) {
      const auto set = [&](std::int64_t axis, std::int64_t block) {
        return attrs<QuantizeLinearAttrs>([&](auto& a) {
          a.axis = axis;
          a.block_size = block;
          a.saturate = saturate;
          a.output_dtype = small;
        });
      };
      const Tensor x = with_specials(random(DType::kF32, {5, 7}, -900, 900));
      const std::string open = saturate ? "" : " open";
      s.add(named(small, "one") + open, {x, scalar(DType::kF32, 1.5)}, set(1, 0));
      s.add(named(small, "axis") + open, {x, random(DType::kF32, {7}, 0.5, 3), codes(small, {7})},
            set(1, 0));
      s.add(named(small, "blocks") + open, {x, random(DType::kF16, {5, 3}, 0.5, 3)}, set(1, 3));
    }
    s.add(named(small, "e8m0"),
          {random(DType::kF32, {9}, -9, 9), codes(DType::kF8E8M0, {}), codes(small, {})});
  }
  s.fails("to e8m0", {random(DType::kF32, {3}), scalar(DType::kF32, 1)},
          attrs<QuantizeLinearAttrs>([](auto& a) { a.output_dtype = DType::kF8E8M0; }),
          "output_dtype");
  s.run();
}

TEST_CASE("small dtypes: DequantizeLinear") {
  Suite s("DequantizeLinear");
  for (DType small : kSmall) {
    if (small == DType::kF8E8M0) continue;
    s.add(named(small, "one"), {codes(small, {5, 7}), scalar(DType::kF32, 1.5)});
    s.add(named(small, "axis"),
          {codes(small, {5, 7}), random(DType::kF16, {5}, 0.5, 3), codes(small, {5})},
          attrs<DequantizeLinearAttrs>([](auto& a) { a.axis = 0; }));
    s.add(named(small, "blocks"), {codes(small, {5, 7}), random(DType::kF32, {3, 7}, 0.5, 3)},
          attrs<DequantizeLinearAttrs>([](auto& a) {
            a.axis = 0;
            a.block_size = 2;
          }));
    s.add(named(small, "e8m0"), {codes(small, {5}), codes(DType::kF8E8M0, {})},
          attrs<DequantizeLinearAttrs>([](auto& a) { a.output_dtype = DType::kF32; }));
  }
  s.fails("scale alone", {codes(DType::kI4, {5}), codes(DType::kF8E8M0, {})}, nullptr,
          "output_dtype");
  s.run();
}

TEST_CASE("small dtypes: nothing computes in them") {
  for (const char* name : {"Add", "Mul", "Equal", "Max"}) {
    Suite s(name);
    s.fails("int4", {codes(DType::kI4, {3}), codes(DType::kI4, {3})}, nullptr, "int4");
  }
  Suite relu("Relu");
  relu.fails("float8", {codes(DType::kF8E5M2, {3})}, nullptr, "float8_e5m2");
  relu.run();
}

}  // namespace polaris::test
