#include "ir/op_attrs/conv.h"

#include <doctest/doctest.h>

#include "conformance/suite.h"

namespace polaris::test {
namespace {

using Ints = std::vector<std::int64_t>;

struct ConvCase {
  const char* name;
  Shape x;
  Shape w;
  std::int64_t group = 1;
  Ints pads, strides, dilations;
  const char* auto_pad = "NOTSET";
};

const ConvCase kConvs[] = {
    {"1x1", {1, 7, 5, 3}, {11, 7, 1, 1}},
    {"3x3", {2, 3, 9, 11}, {5, 3, 3, 3}, 1, {1, 1, 1, 1}},
    {"stride", {1, 4, 13, 11}, {6, 4, 3, 3}, 1, {1, 0, 1, 0}, {2, 3}},
    {"dilation", {1, 2, 11, 13}, {3, 2, 3, 3}, 1, {2, 2, 2, 2}, {1, 1}, {2, 3}},
    {"depthwise", {1, 8, 7, 9}, {8, 1, 3, 3}, 8, {1, 1, 1, 1}},
    {"groups", {1, 6, 7, 5}, {4, 3, 3, 3}, 2, {1, 1, 1, 1}},
    {"5x5 uneven pads", {1, 2, 9, 9}, {3, 2, 5, 5}, 1, {0, 1, 2, 3}},
    {"same upper", {1, 2, 8, 7}, {3, 2, 3, 2}, 1, {}, {2, 2}, {}, "SAME_UPPER"},
    {"same lower", {1, 2, 8, 7}, {3, 2, 3, 2}, 1, {}, {2, 2}, {}, "SAME_LOWER"},
    {"valid", {1, 2, 8, 7}, {3, 2, 3, 2}, 1, {}, {}, {}, "VALID"},
    {"1D", {2, 3, 31}, {5, 3, 4}, 1, {1, 2}, {2}},
    {"3D", {1, 2, 5, 6, 7}, {3, 2, 2, 3, 2}, 1, {0, 1, 0, 1, 1, 0}},
    {"7x7 stride 2", {1, 3, 33, 31}, {8, 3, 7, 7}, 1, {3, 3, 3, 3}, {2, 2}},
    {"wide channels", {1, 33, 6, 5}, {37, 33, 3, 3}, 1, {1, 1, 1, 1}},
    {"whole input", {2, 4, 5, 5}, {6, 4, 5, 5}},
    {"no batch", {0, 3, 5, 5}, {2, 3, 3, 3}},
};

std::shared_ptr<const Attrs> conv_attrs(const ConvCase& c) {
  return attrs<ConvAttrs>([&](auto& a) {
    a.group = c.group, a.pads = c.pads;
    a.strides = c.strides, a.dilations = c.dilations;
    a.auto_pad = c.auto_pad;
  });
}

}  // namespace

TEST_CASE("Conv") {
  Suite s("Conv");
  for (const ConvCase& c : kConvs) {
    s.add(c.name, {random(DType::kF32, c.x, -1, 1), random(DType::kF32, c.w, -1, 1)}, conv_attrs(c),
          {1, 1, {1}});
    s.add(std::string(c.name) + " bias",
          {random(DType::kF32, c.x, -1, 1), random(DType::kF32, c.w, -1, 1),
           random(DType::kF32, {c.w[0]})},
          conv_attrs(c), {1, 1, {1, 2}});
  }
  s.add("f16", {random(DType::kF16, {1, 3, 7, 5}, -1, 1), random(DType::kF16, {4, 3, 3, 3}, -1, 1)},
        nullptr, {1, 1, {1}});
  const auto bad = [](auto f) { return attrs<ConvAttrs>(f); };
  const Tensor x = random(DType::kF32, {1, 3, 5, 5});
  const Tensor w = random(DType::kF32, {2, 3, 3, 3});
  s.fails("channels", {x, random(DType::kF32, {2, 2, 3, 3})}, nullptr, "channels");
  s.fails("stride", {x, w}, bad([](auto& a) { a.strides = {0, 1}; }), "strides, got [0, 1]");
  s.fails("pads", {x, w}, bad([](auto& a) { a.pads = {1, 1}; }), "pads, got [1, 1]");
  s.fails("kernel", {x, random(DType::kF32, {2, 3, 7, 7})}, nullptr, "extent of 7");
  s.fails("auto_pad", {x, w}, bad([](auto& a) { a.auto_pad = "SAME"; }), "auto_pad, got 'SAME'");
  s.fails("bias", {x, w, random(DType::kF32, {3})}, nullptr, "size of the bias");
  s.run();
}

TEST_CASE("ConvInteger, QLinearConv") {
  Suite s("ConvInteger");
  Suite q("QLinearConv");
  for (const ConvCase& c : kConvs) {
    s.add(c.name,
          {random_bits(DType::kU8, c.x), random_bits(DType::kI8, c.w), random_bits(DType::kU8, {}),
           random_bits(DType::kI8, {})},
          conv_attrs(c), {1, 1, {1, 2, 3}});
    for (const bool per_channel : {false, true}) {
      const Shape params = per_channel ? Shape{c.w[0]} : Shape{};
      const DType type = per_channel ? DType::kI8 : DType::kU8;
      q.add(std::string(c.name) + (per_channel ? " per channel" : ""),
            {random_bits(type, c.x), scalar(DType::kF32, 0.03), random_bits(type, {}),
             random_bits(DType::kI8, c.w), random(DType::kF32, params, 0.01, 0.02),
             values(DType::kI8, params, {}), scalar(DType::kF32, 0.4), random_bits(type, {}),
             random_ints(DType::kI32, {c.w[0]}, -2000, 2000)},
            conv_attrs(c), {1, 1, {1, 2, 3, 4, 5, 6, 7, 8}});
    }
  }
  s.run();
  q.add("w zero points",
        {random_bits(DType::kU8, {1, 3, 5, 5}), scalar(DType::kF32, 0.03),
         random_bits(DType::kU8, {}), random_bits(DType::kU8, {4, 3, 3, 3}),
         random(DType::kF32, {4}, 0.01, 0.02), random_bits(DType::kU8, {4}),
         scalar(DType::kF32, 0.4), random_bits(DType::kU8, {})},
        nullptr, {1, 1, {1, 2, 3, 4, 5, 6, 7}});
  q.run();
}

TEST_CASE("ConvTranspose") {
  Suite s("ConvTranspose");
  const auto attr = [](std::int64_t group, Ints pads, Ints strides, Ints output_padding) {
    return attrs<ConvTransposeAttrs>([&](auto& a) {
      a.group = group, a.pads = pads;
      a.strides = strides, a.output_padding = output_padding;
    });
  };
  s.add("plain", {random(DType::kF32, {1, 3, 5, 7}), random(DType::kF32, {3, 4, 3, 3})},
        attr(1, {}, {}, {}), {1, 1, {1}});
  s.add("stride",
        {random(DType::kF32, {2, 3, 5, 4}), random(DType::kF32, {3, 2, 3, 3}),
         random(DType::kF32, {2})},
        attr(1, {1, 1, 0, 1}, {2, 3}, {1, 0}), {1, 1, {1}});
  s.add("groups", {random(DType::kF32, {1, 4, 5, 5}), random(DType::kF32, {4, 3, 2, 2})},
        attr(2, {}, {2, 2}, {}), {1, 1, {1}});
  s.add("1D", {random(DType::kF32, {1, 2, 9}), random(DType::kF32, {2, 3, 4})},
        attr(1, {1, 1}, {2}, {}), {1, 1, {1}});
  s.fails("channels", {random(DType::kF32, {1, 2, 9}), random(DType::kF32, {3, 3, 4})}, nullptr,
          "channels");
  s.run();
}

TEST_CASE("MaxPool, AveragePool") {
  struct PoolCase {
    const char* name;
    Shape x;
    Ints kernel, pads, strides, dilations;
    bool ceil_mode = false;
    const char* auto_pad = "NOTSET";
  };
  const PoolCase cases[] = {
      {"2x2", {1, 3, 8, 10}, {2, 2}, {}, {2, 2}},
      {"3x3", {2, 2, 9, 7}, {3, 3}, {1, 1, 1, 1}, {2, 2}},
      {"ceil", {1, 2, 8, 7}, {3, 3}, {0, 0, 0, 0}, {2, 2}, {}, true},
      {"ceil pads", {1, 2, 8, 7}, {3, 3}, {1, 1, 1, 1}, {3, 2}, {}, true},
      {"dilation", {1, 1, 11, 9}, {2, 3}, {}, {1, 2}, {2, 2}},
      {"same", {1, 2, 7, 5}, {3, 2}, {}, {2, 2}, {}, false, "SAME_UPPER"},
      {"1D", {2, 3, 17}, {4}, {1, 2}, {3}},
      {"3D", {1, 2, 5, 6, 7}, {2, 3, 2}, {}, {1, 2, 2}},
      {"no batch", {0, 2, 5, 5}, {2, 2}},
  };
  Suite max("MaxPool");
  Suite mean("AveragePool");
  for (const PoolCase& c : cases) {
    for (const bool with_pad : {false, true}) {
      const auto attr = attrs<PoolAttrs>([&](auto& a) {
        a.kernel_shape = c.kernel, a.pads = c.pads;
        a.strides = c.strides, a.dilations = c.dilations;
        a.ceil_mode = c.ceil_mode, a.auto_pad = c.auto_pad;
        a.count_include_pad = with_pad;
      });
      mean.add(std::string(c.name) + (with_pad ? " with pads" : ""), {random(DType::kF32, c.x)},
               attr);
      if (!with_pad) max.add(c.name, {random(DType::kF32, c.x)}, attr);
    }
  }
  const auto square = attrs<PoolAttrs>([](auto& a) { a.kernel_shape = {2, 2}; });
  max.add("indices", {random(DType::kF32, {1, 2, 5, 7})}, square, {2, 1, {}});
  max.add("column-major indices", {random(DType::kF32, {1, 2, 5, 7})},
          attrs<PoolAttrs>([](auto& a) {
            a.kernel_shape = {2, 2}, a.storage_order = 1;
          }),
          {2, 1, {}});
  max.add("u8", {random_bits(DType::kU8, {1, 2, 5, 7})}, square);
  max.add("i8", {random_bits(DType::kI8, {1, 2, 5, 7})}, square);
  max.add("below -1", {random(DType::kF32, {1, 2, 5, 7}, -9, -5)}, attrs<PoolAttrs>([](auto& a) {
            a.kernel_shape = {3, 3}, a.pads = {1, 1, 1, 1};
          }));
  max.fails("no kernel", {random(DType::kF32, {1, 2, 5, 7})}, nullptr, "kernel_shape is missing");
  max.run();
  mean.run();
}

TEST_CASE("GlobalAveragePool, GlobalMaxPool") {
  for (const char* op : {"GlobalAveragePool", "GlobalMaxPool"}) {
    Suite s(op);
    s.add("2D", {random(DType::kF32, {2, 5, 7, 9})});
    s.add("1D", {random(DType::kF32, {1, 3, 31})});
    s.add("one", {random(DType::kF32, {3, 5, 1, 1})});
    s.add("f16", {random(DType::kF16, {2, 5, 7, 9})});
    s.run();
  }
}

}  // namespace polaris::test
