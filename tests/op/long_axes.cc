#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "backend/vulkan/kernel.h"
#include "base/checked.h"
#include "conformance/suite.h"
#include "ir/op_attrs/attention.h"
#include "ir/op_attrs/conv.h"
#include "ir/op_attrs/gather.h"
#include "ir/op_attrs/matmul.h"
#include "ir/op_attrs/normalization.h"
#include "ir/op_attrs/reduce.h"
#include "ir/op_attrs/resize.h"
#include "tensor/element.h"

// Every op along axes longer than 65,535, after which Mesa's software rasterizer ends the loops of
// an invocation, nested ones together, without a word.
namespace polaris::test {
namespace {

constexpr std::int64_t kLong = 131101;

/// Ops swept so far in this process; the last case asks for those that no other names.
std::set<std::string>& swept() {
  static std::set<std::string> ops;
  return ops;
}

class LongSuite : public Suite {
 public:
  explicit LongSuite(const std::string& op, const std::string& domain = "") : Suite(op, domain) {
    swept().insert(domain.empty() ? op : domain + "." + op);
  }
};

/// Values whose sums and products are exact in any order: mostly 1, with a few others.
Tensor near_one(DType dtype, const Shape& shape) {
  Tensor out = random_ints(dtype, shape, 1, 1);
  const std::int64_t n = out.elements();
  for (const std::int64_t at : {n / 3, n - 2}) {
    if (at >= 0) store_i64(dtype, out.mutable_bytes().data(), at, 2);
  }
  return out;
}

Tensor int32s(const Shape& shape, std::int64_t low, std::int64_t high) {
  return random_ints(DType::kI32, shape, low, high);
}

}  // namespace

TEST_CASE("long axes: reductions") {
  for (const char* name :
       {"ReduceSum", "ReduceMean", "ReduceProd", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2",
        "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp"}) {
    LongSuite s(name);
    const bool logarithm = std::string_view(name).starts_with("ReduceLog");
    for (const DType d : {DType::kF32, DType::kI32, DType::kI64}) {
      if (logarithm && d != DType::kF32) continue;
      const std::string type(dtype_name(d));
      s.add("vector " + type, {near_one(d, {kLong})});
      s.add("first axis " + type, {near_one(d, {kLong, 2}), int64s({0})});
      s.add("axes apart " + type, {near_one(d, {601, 2, 229}), int64s({0, 2})});
    }
    s.run();
  }
  for (const char* name : {"ArgMax", "ArgMin"}) {
    LongSuite s(name);
    s.add("f32", {random(DType::kF32, {kLong})});
    s.add("columns", {random(DType::kF32, {kLong, 2})});
    s.add("i64", {random_bits(DType::kI64, {kLong})});
    s.run();
  }
}

TEST_CASE("long axes: walks along an axis") {
  for (const char* name : {"Softmax", "LogSoftmax", "Hardmax"}) {
    LongSuite s(name);
    s.add("row", {random(DType::kF32, {kLong})});
    s.add("columns", {random(DType::kF32, {kLong, 2})},
          attrs<SoftmaxAttrs>([](auto& a) { a.axis = 0; }));
    // Three walks of which each alone is short enough.
    s.add("shorter columns", {random(DType::kF32, {30011, 2})},
          attrs<SoftmaxAttrs>([](auto& a) { a.axis = 0; }));
    s.run();
  }
  LongSuite cumsum("CumSum");
  for (const DType d : {DType::kF32, DType::kI32, DType::kI64}) {
    cumsum.add(dtype_name(d), {near_one(d, {kLong}), scalar(DType::kI64, 0)});
    cumsum.add(std::string(dtype_name(d)) + " reverse",
               {near_one(d, {kLong, 2}), scalar(DType::kI64, 0)},
               attrs<CumSumAttrs>([](auto& a) { a.reverse = true; }));
  }
  cumsum.run();
  LongSuite top("TopK");
  top.add("f32", {random(DType::kF32, {kLong}), int64s({5})}, nullptr, {2, 1, {}});
  top.add("of a vocabulary", {random(DType::kF32, {2, 151936}), int64s({128})}, nullptr,
          {2, 1, {}});
  top.run();
  LongSuite nonzero("NonZero");
  nonzero.add("few", {random_ints(DType::kI32, {kLong}, 0, 1)});
  nonzero.run();
}

TEST_CASE("long axes: matrix products") {
  LongSuite matmul("MatMul");
  for (const DType d : {DType::kF32, DType::kF16, DType::kI32, DType::kI64}) {
    const Tensor b =
        d == DType::kF16 ? random(d, {kLong, 3}, -0.01, 0.01) : near_one(d, {kLong, 3});
    matmul.add(dtype_name(d), {near_one(d, {2, kLong}), b}, nullptr, {1, 20, {1}});
  }
  matmul.add("very long",
             {near_one(DType::kI32, {1, 1100003}), near_one(DType::kI32, {1100003, 1})});
  matmul.run();
  LongSuite gemm("Gemm");
  gemm.add("transposed", {near_one(DType::kF32, {kLong, 2}), near_one(DType::kF32, {3, kLong})},
           attrs<GemmAttrs>([](auto& a) { a.transA = a.transB = true; }), {1, 1, {1}});
  gemm.run();
  LongSuite linear("Linear", "polaris");
  linear.add("f32", {near_one(DType::kF32, {1, kLong}), near_one(DType::kF32, {3, kLong})}, nullptr,
             {1, 1, {1}});
  for (const BlockFormat f : {BlockFormat::kQ4_0, BlockFormat::kQ8_0}) {
    linear.add(std::string(block_format_info(f).name),
               {random(DType::kF32, {17, 131104}), random_blocks(f, {2, 131104})}, nullptr,
               {1, 4, {1}, 1e-2});
  }
  linear.run();
  LongSuite routed("RoutedMatMul", "polaris");
  for (const BlockFormat f : {BlockFormat::kQ4_0, BlockFormat::kQ4_K}) {
    routed.add(std::string(block_format_info(f).name),
               {random(DType::kF32, {2, 1, 131072}), random_blocks(f, {2, 2, 131072}),
                int64s({0, 1}).reshaped({2, 1})},
               nullptr, {1, 4, {1}, 1e-2});
  }
  routed.run();
  LongSuite norm("NormLinear", "polaris");
  norm.add("f32",
           {near_one(DType::kF32, {1, kLong}), near_one(DType::kF32, {3, kLong}),
            random(DType::kF32, {1, ceil_div(kLong, kSquaresOf)}, 1, 30)},
           nullptr, {1, 1, {1}});
  norm.run();
  // Formats with a minimum share sums of x only as far as local memory goes.
  LongSuite gated("GatedLinear", "polaris");
  gated.add("q4_k",
            {random(DType::kF32, {1, 131072}, -0.01, 0.01),
             random_blocks(BlockFormat::kQ4_K, {2, 131072}),
             random_blocks(BlockFormat::kQ4_K, {2, 131072})},
            nullptr, {1, 1, {1, 2}, 1e-2});
  gated.run();
  LongSuite residual("ResidualLinear", "polaris");
  residual.add("f32",
               {near_one(DType::kF32, {1, kLong}), near_one(DType::kF32, {3, kLong}),
                near_one(DType::kF32, {1, 3}), near_one(DType::kF32, {3})},
               nullptr, {3, 1, {1}});
  residual.run();
  LongSuite integer("MatMulInteger");
  integer.add("u8", {random_bits(DType::kU8, {2, kLong}), random_bits(DType::kI8, {kLong, 3})});
  // Nested loops that stay below the limit one by one.
  integer.add("u8 shorter",
              {random_bits(DType::kU8, {1, 65400}), random_bits(DType::kI8, {65400, 2})});
  integer.run();
  LongSuite quantized("QLinearMatMul");
  const Tensor one = values(DType::kF32, {}, {0.01});
  const Tensor zero = values(DType::kU8, {}, {3});
  quantized.add(
      "u8",
      {random_bits(DType::kU8, {2, kLong}), one, zero, random_bits(DType::kU8, {kLong, 3}), one,
       zero, values(DType::kF32, {}, {9000.0}), zero},
      nullptr, {1, 1, {1, 2, 3, 4, 5, 6, 7}});
  quantized.run();
}

TEST_CASE("long axes: convolutions and pools") {
  constexpr std::int64_t kTaps = 65601;
  const Shape x{1, 1, kTaps + 2};
  const Shape w{1, 1, kTaps};
  LongSuite conv("Conv");
  conv.add("taps", {near_one(DType::kF32, x), near_one(DType::kF32, w)}, nullptr, {1, 1, {1}});
  conv.add("channels", {near_one(DType::kF32, {1, kLong, 2}), near_one(DType::kF32, {1, kLong, 1})},
           nullptr, {1, 1, {1}});
  conv.add("plane of taps",
           {near_one(DType::kF32, {1, 1, 303, 221}), near_one(DType::kF32, {1, 1, 303, 220})});
  conv.run();
  LongSuite integer("ConvInteger");
  integer.add("taps", {random_bits(DType::kU8, x), random_bits(DType::kU8, w)}, nullptr,
              {1, 1, {1}});
  integer.run();
  LongSuite quantized("QLinearConv");
  const Tensor one = values(DType::kF32, {}, {0.01});
  const Tensor zero = values(DType::kU8, {}, {3});
  quantized.add(
      "channels",
      {random_bits(DType::kU8, {1, kLong, 2}), one, zero, random_bits(DType::kU8, {1, kLong, 1}),
       one, zero, values(DType::kF32, {}, {9000.0}), zero},
      nullptr, {1, 1, {1, 2, 3, 4, 5, 6, 7}});
  quantized.run();
  LongSuite transposed("ConvTranspose");
  transposed.add("channels",
                 {near_one(DType::kF32, {1, kLong, 2}), near_one(DType::kF32, {kLong, 1, 2})},
                 nullptr, {1, 1, {1}});
  transposed.run();
  const auto window = attrs<PoolAttrs>([](auto& a) { a.kernel_shape = {kTaps}; });
  for (const char* name : {"MaxPool", "AveragePool"}) {
    LongSuite s(name);
    s.add("taps", {near_one(DType::kF32, x)}, window);
    s.run();
  }
  for (const char* name : {"GlobalMaxPool", "GlobalAveragePool"}) {
    LongSuite s(name);
    s.add("plane", {near_one(DType::kF32, {1, 2, 300007})});
    s.run();
  }
}

TEST_CASE("long axes: normalizations and quantization") {
  for (const char* name : {"RMSNormalization", "LayerNormalization"}) {
    LongSuite s(name);
    s.add("row", {random(DType::kF32, {2, kLong}), random(DType::kF32, {kLong})});
    s.run();
  }
  LongSuite instance("InstanceNormalization");
  instance.add("spatial", {random(DType::kF32, {1, 2, kLong}), random(DType::kF32, {2}),
                           random(DType::kF32, {2})});
  instance.run();
  LongSuite group("GroupNormalization");
  group.add(
      "channels",
      {random(DType::kF32, {1, 2, kLong}), random(DType::kF32, {2}), random(DType::kF32, {2})},
      attrs<GroupNormAttrs>([](auto& a) { a.num_groups = 1; }));
  group.run();
  LongSuite quantize("DynamicQuantizeLinear");
  quantize.add("f32", {random(DType::kF32, {kLong}, -3, 5)}, nullptr, {3, 1, {}});
  quantize.run();
}

TEST_CASE("long axes: scatter and attention") {
  for (const char* reduction : {"add", "max"}) {
    LongSuite elements("ScatterElements");
    elements.add(reduction,
                 {near_one(DType::kF32, {5}), random_ints(DType::kI64, {65535}, 0, 4),
                  near_one(DType::kF32, {65535})},
                 attrs<ScatterElementsAttrs>([&](auto& a) { a.reduction = reduction; }));
    elements.run();
    LongSuite tuples("ScatterND");
    tuples.add(reduction,
               {near_one(DType::kI32, {5, 2}), random_ints(DType::kI64, {30011, 2}, 0, 1),
                near_one(DType::kI32, {30011})},
               attrs<ScatterNdAttrs>([&](auto& a) { a.reduction = reduction; }));
    tuples.run();
  }
  LongSuite attention("PagedAttention", "polaris");
  attention.add("positions",
                {random(DType::kF32, {1, 8}), random(DType::kF32, {2, 35000, 8}),
                 random(DType::kF32, {2, 35000, 8}), int32s({1, 2}, 1, 1), int32s({1}, 0, 0),
                 int32s({1}, 69000, 69000)},
                attrs<PagedAttentionAttrs>([](auto& a) { a.num_heads = a.num_kv_heads = 1; }));
  attention.run();
}

TEST_CASE("long axes: resize") {
  LongSuite s("Resize");
  for (const Shape& shape : {Shape{kLong}, Shape{300, 310}}) {
    s.add("smoothed " + shape.to_string(),
          {near_one(DType::kF32, shape), absent(), absent(),
           random_ints(DType::kI64, {shape.rank()}, 1, 1)},
          attrs<ResizeAttrs>([](auto& a) {
            a.mode = "linear";
            a.antialias = true;
          }));
  }
  s.run();
}

TEST_CASE("long axes: every op with a loop is swept") {
  // Each element, or each row of bounded size, is a thread's of its own: no loop follows a size.
  // The loop of limit.Fma follows an attribute, which its kernel bounds.
  const std::set<std::string> loopless = {"BatchNormalization",
                                          "DequantizeLinear",
                                          "QuantizeLinear",
                                          "polaris.Decode",
                                          "polaris.Chain",
                                          "polaris.KvWrite",
                                          "polaris.RotaryKvWrite",
                                          "RotaryEmbedding",
                                          "Gather",
                                          "GatherElements",
                                          "GatherND",
                                          "Pad",
                                          "limit.Fill",
                                          "limit.Copy",
                                          "limit.Read",
                                          "limit.Fma"};
  const std::set<std::string> families = {"elementwise", "movement"};
  for (std::size_t i = 0; i < vulkan::kFamilyCount; ++i) {
    const vulkan::KernelFamily& family = *vulkan::kFamilies[i];
    if (families.contains(std::string(family.name))) continue;
    for (const std::string_view op : family.ops) {
      const std::string name(op);
      CHECK_MESSAGE((swept().contains(name) || loopless.contains(name)), name, " of family ",
                    std::string(family.name), " has no sample along a long axis");
    }
  }
}

}  // namespace polaris::test
