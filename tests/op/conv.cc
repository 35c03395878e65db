#include "ir/op_attrs/conv.h"

#include <doctest/doctest.h>

#include <cmath>

#include "conformance/suite.h"
#include "ir/op_util/conv_geometry.h"

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
    {"3D stride, dilation, groups",
     {2, 4, 9, 7, 8},
     {6, 2, 3, 2, 2},
     2,
     {1, 0, 1, 1, 1, 0},
     {2, 1, 2},
     {2, 3, 1}},
    {"3D depthwise", {1, 5, 4, 5, 6}, {5, 1, 3, 3, 3}, 5, {1, 1, 1, 1, 1, 1}},
    {"depthwise twice", {1, 6, 5, 7}, {12, 1, 3, 3}, 6, {1, 1, 1, 1}, {2, 1}},
    {"depthwise fours", {2, 12, 9, 5}, {12, 1, 5, 3}, 12, {2, 1, 2, 1}, {1, 2}, {1, 2}},
    {"groups of fours", {1, 16, 6, 7}, {24, 8, 3, 3}, 2, {1, 1, 1, 1}},
    {"fours", {3, 20, 9, 8}, {36, 20, 1, 1}},
    {"wide channels", {1, 33, 6, 5}, {37, 33, 3, 3}, 1, {1, 1, 1, 1}},
    {"whole input", {2, 4, 5, 5}, {6, 4, 5, 5}},
    {"no batch", {0, 3, 5, 5}, {2, 3, 3, 3}},
};

// What the cpu's products of taps cut up: depth beyond a stretch (in one tap, and in several),
// output channels beyond a group of panels, positions beyond a task, across images; and taps of a
// depthwise convolution beyond a tile, channels beyond a block of it.
const ConvCase kLargeConvs[] = {
    {"deep 1x1", {2, 1601, 3, 3}, {5, 1601, 1, 1}},
    {"deep 3x3", {1, 97, 5, 4}, {18, 97, 3, 3}, 1, {1, 1, 1, 1}},
    {"many outputs", {1, 17, 3, 5}, {275, 17, 1, 2}, 1, {0, 1, 0, 0}},
    {"many positions", {3, 19, 13, 11}, {21, 19, 3, 3}, 1, {1, 1, 1, 1}},
    {"groups of taps", {2, 54, 7, 5}, {60, 18, 3, 3}, 3, {1, 1, 1, 1}, {2, 1}},
    {"few channels, rows without end",
     {1, 3, 9, 70},
     {19, 3, 3, 3},
     1,
     {0, 1, 2, 1},
     {2, 2},
     {2, 1}},
    {"few channels, no padding", {2, 5, 11, 9}, {9, 5, 3, 4}, 1, {}, {2, 3}},
    {"few channels, much padding", {1, 2, 3, 3}, {9, 2, 2, 2}, 1, {40, 90, 41, 91}, {}, {9, 1}},
    {"few channels, 3D", {2, 3, 5, 6, 7}, {17, 3, 3, 2, 3}, 1, {1, 0, 1, 1, 1, 2}, {1, 2, 2}},
    {"few channels, cut", {1, 1, 2, 2}, {8, 1, 3, 3}, 1, {2, 2, 1, 1}, {3, 3}},
    {"many taps", {1, 3, 13, 12}, {9, 3, 11, 11}, 1, {5, 5, 5, 5}},
    {"depthwise 9x9", {1, 5, 13, 14}, {5, 1, 9, 9}, 5, {4, 4, 4, 4}},
    {"depthwise blocks", {2, 261, 5, 13}, {261, 1, 3, 3}, 261, {1, 1, 1, 1}},
    {"depthwise rows", {2, 37, 9, 15}, {37, 1, 3, 3}, 37, {1, 1, 1, 1}},
    {"depthwise rows stride 2", {1, 19, 11, 23}, {19, 1, 3, 3}, 19, {1, 1, 1, 1}, {2, 2}},
    {"depthwise rows 5x5", {1, 35, 8, 17}, {35, 1, 5, 5}, 35, {2, 2, 2, 2}},
    {"depthwise rows 5x5 stride 2", {1, 17, 9, 19}, {17, 1, 5, 5}, 17, {2, 1, 2, 3}, {2, 2}},
    {"depthwise rows 2x5", {1, 9, 6, 11}, {9, 1, 2, 5}, 9, {0, 2, 3, 2}, {3, 1}, {2, 1}},
    {"depthwise rows 3D", {1, 18, 4, 5, 9}, {18, 1, 2, 3, 3}, 18, {1, 1, 1, 0, 1, 1}, {2, 1, 1}},
    {"depthwise rows of planes", {1, 18, 4, 5, 9}, {18, 1, 1, 3, 3}, 18, {0, 1, 1, 0, 1, 1}},
    {"depthwise rows 1D", {2, 21, 29}, {21, 1, 5}, 21, {4, 4}},
    {"depthwise wide", {1, 3, 4, 77}, {3, 1, 3, 3}, 3, {1, 1, 1, 1}},
    {"depthwise wide stride 2", {1, 3, 5, 77}, {3, 1, 3, 3}, 3, {1, 1, 1, 1}, {2, 2}},
    {"depthwise wide stride 3", {1, 3, 5, 41}, {3, 1, 3, 2}, 3, {0, 1, 1, 0}, {1, 3}, {1, 2}},
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
  for (const ConvCase& c : kConvs) {
    for (const DType type : {DType::kF16, DType::kBF16}) {
      s.add(std::string(c.name) + (type == DType::kF16 ? " f16" : " bf16"),
            {random(type, c.x, -1, 1), random(type, c.w, -1, 1), random(type, {c.w[0]})},
            conv_attrs(c), {1, 1, {1, 2}});
    }
  }
  for (const ConvCase& c : kLargeConvs) {
    s.add(c.name,
          {random(DType::kF32, c.x, -1, 1), random(DType::kF32, c.w, -1, 1),
           random(DType::kF32, {c.w[0]})},
          conv_attrs(c), {1, 1, {1, 2}});
  }
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

TEST_CASE("polaris.FusedConv") {
  Suite s("FusedConv", "polaris");
  struct Case {
    const char* activation;
    float alpha = 0;
    float beta = 0;
  };
  const Case cases[] = {{"Relu"},
                        {"Clip", -0.5f, 0.75f},
                        {"LeakyRelu", 0.25f},
                        {"HardSwish"},
                        {"Sigmoid"},
                        {"Swish", 1.5f},
                        {"Tanh"},
                        {"HardSigmoid", 0.5f, 0.25f},
                        {""}};
  const auto fused = [](const ConvCase& c, const Case& of) {
    return attrs<FusedConvAttrs>([&](auto& a) {
      a.conv = static_cast<const ConvAttrs&>(*conv_attrs(c));
      a.activation = of.activation;
      a.alpha = of.alpha;
      a.beta = of.beta;
    });
  };
  const auto add = [&](const ConvCase& c, const Case& of, DType type) {
    const Tensor x = random(type, c.x, -1, 1);
    const Tensor w = random(type, c.w, -1, 1);
    const auto g = conv_geometry(c.x, c.w, static_cast<const ConvAttrs&>(*conv_attrs(c)));
    REQUIRE(g);
    const Tensor z = random(type, g->output(c.w[0]), -1, 1);
    const std::string name = std::string(c.name) + " " + of.activation;
    s.add(name, {x, w}, fused(c, of), {1, 1, {1}});
    s.add(name + " of a sum", {x, w, random(type, {c.w[0]}), z}, fused(c, of), {1, 1, {1, 2}});
  };
  std::size_t next = 0;
  for (const ConvCase& c : kConvs) {
    for (int i = 0; i < 2; ++i) add(c, cases[next++ % std::size(cases)], DType::kF32);
    add(c, cases[next % std::size(cases)], DType::kF16);
  }
  for (const ConvCase& c : kLargeConvs) {
    for (const Case& of : {cases[1], cases[3]}) add(c, of, DType::kF32);
  }
  const Tensor x = random(DType::kF32, {1, 3, 5, 5});
  const Tensor w = random(DType::kF32, {2, 3, 3, 3});
  const auto bad = [](auto f) { return attrs<FusedConvAttrs>(f); };
  s.fails("activation", {x, w}, bad([](auto& a) { a.activation = "Erf"; }),
          "activation, got 'Erf'");
  s.fails("limit", {x, w}, bad([](auto& a) { a.alpha = std::nanf(""); }), "got NaN");
  s.fails("Z", {x, w, absent(), random(DType::kF32, {1, 2, 3, 2})}, nullptr,
          "dim 3 of Z, got 2, wanted 3");
  s.fails("rank of Z", {x, w, absent(), random(DType::kF32, {1, 2, 3})}, nullptr, "Z");
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
    s.add(std::string(c.name) + " w zeros",
          {random_bits(DType::kI8, c.x), random_bits(DType::kU8, c.w), random_bits(DType::kI8, {}),
           random_bits(DType::kU8, {c.w[0]})},
          conv_attrs(c));
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
  struct Case {
    const char* name;
    Shape x, w;  // W is [C, M / group, kernel]
    std::int64_t group = 1;
    Ints pads, strides, output_padding, dilations;
    const char* auto_pad = "NOTSET";
    Ints output_shape;
  };
  const Case cases[] = {
      {"plain", {1, 3, 5, 7}, {3, 4, 3, 3}},
      {"stride", {2, 3, 5, 4}, {3, 2, 3, 3}, 1, {1, 1, 0, 1}, {2, 3}, {1, 0}},
      {"groups", {1, 4, 5, 5}, {4, 3, 2, 2}, 2, {}, {2, 2}},
      {"depthwise", {2, 6, 5, 4}, {6, 1, 4, 4}, 6, {1, 1, 1, 1}, {2, 2}},
      {"1D", {1, 2, 9}, {2, 3, 4}, 1, {1, 1}, {2}},
      {"3D", {1, 3, 4, 3, 5}, {3, 2, 3, 2, 3}, 1, {1, 0, 1, 0, 1, 1}, {2, 1, 3}, {1, 0, 2}},
      {"3D dilation, groups", {2, 4, 3, 4, 3}, {4, 3, 2, 3, 2}, 2, {}, {1, 2, 2}, {}, {3, 2, 1}},
      {"dilation", {1, 2, 5, 6}, {2, 3, 3, 3}, 1, {1, 2, 0, 1}, {2, 3}, {0, 1}, {3, 2}},
      {"strides beyond the kernel", {1, 2, 3, 4}, {2, 5, 2, 1}, 1, {}, {3, 4}},
      {"pads beyond the kernel", {1, 2, 6, 7}, {2, 1, 3, 2}, 1, {3, 2, 4, 3}, {2, 2}},
      {"same upper", {1, 2, 4, 5}, {2, 3, 3, 3}, 1, {}, {2, 3}, {}, {}, "SAME_UPPER"},
      {"same lower", {1, 2, 4, 5}, {2, 3, 3, 2}, 1, {}, {2, 3}, {}, {}, "SAME_LOWER"},
      {"output shape", {1, 2, 4, 5}, {2, 3, 3, 3}, 1, {}, {3, 2}, {}, {}, "NOTSET", {11, 10}},
      {"wide channels", {1, 37, 4, 5}, {37, 33, 2, 2}, 1, {}, {2, 2}},
      {"fours", {1, 24, 5, 4}, {24, 20, 4, 4}, 1, {1, 1, 1, 1}, {2, 2}},
      {"many positions", {2, 5, 9, 17}, {5, 3, 2, 2}, 1, {}, {2, 2}},
      {"many overlapping positions", {1, 6, 13, 11}, {6, 7, 4, 4}, 1, {1, 1, 1, 1}, {2, 2}},
      {"many channels", {1, 9, 5, 7}, {9, 43, 3, 3}, 1, {1, 1, 1, 1}},
      {"many channels apart", {1, 9, 10, 7}, {9, 29, 2, 2}, 1, {}, {3, 2}},
      {"wide positions", {1, 2, 2, 150}, {2, 3, 3, 2}, 1, {1, 0, 1, 1}, {1, 3}},
      {"no batch", {0, 3, 5, 5}, {3, 2, 2, 2}},
  };
  Suite s("ConvTranspose");
  for (const Case& c : cases) {
    const auto attr = attrs<ConvTransposeAttrs>([&](auto& a) {
      a.group = c.group, a.pads = c.pads, a.strides = c.strides;
      a.output_padding = c.output_padding, a.dilations = c.dilations;
      a.auto_pad = c.auto_pad, a.output_shape = c.output_shape;
    });
    s.add(c.name, {random(DType::kF32, c.x, -1, 1), random(DType::kF32, c.w, -1, 1)}, attr,
          {1, 1, {1}});
    for (const DType type : {DType::kF32, DType::kF16, DType::kBF16}) {
      s.add(std::string(c.name) + (type == DType::kF32   ? " bias"
                                   : type == DType::kF16 ? " f16"
                                                         : " bf16"),
            {random(type, c.x, -1, 1), random(type, c.w, -1, 1), random(type, {c.group * c.w[1]})},
            attr, {1, 1, {1, 2}});
    }
  }
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
      {"3D pads", {2, 3, 5, 6, 7}, {3, 2, 3}, {1, 0, 1, 1, 1, 0}, {2, 1, 2}, {2, 1, 2}, true},
      {"many channels", {2, 70, 5, 4}, {3, 2}, {1, 0, 1, 1}, {2, 1}},
      {"many channels, rows", {1, 37, 6, 13}, {3, 3}, {1, 1, 1, 1}, {2, 2}},
      {"more taps than a tile", {1, 5, 12, 13}, {9, 9}, {4, 4, 4, 4}, {3, 1}},
      {"no batch", {0, 2, 5, 5}, {2, 2}},
      // Of windows larger than what they are laid on.
      {"no window", {1, 2, 5, 1}, {2, 2}},
      {"no window, stride", {2, 2, 1}, {2}, {}, {3}},
      {"no window, dilation", {1, 2, 3, 4}, {3, 1}, {}, {2, 1}, {2, 1}},
      {"no window, valid", {1, 4, 5, 1}, {1, 3}, {}, {2, 2}, {}, false, "VALID"},
      {"part of a window", {1, 2, 1, 3}, {2, 2}, {}, {2, 2}, {}, true},
      {"all padding", {1, 3, 2, 3}, {2, 1}, {3, 0, 2, 2}, {1, 1}},
      {"all padding, dilation", {3, 2, 1, 1}, {3, 2}, {2, 1, 1, 1}, {1, 1}, {1, 2}},
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
      mean.add(std::string(c.name) + (with_pad ? " with pads f16" : " f16"),
               {random(DType::kF16, c.x)}, attr);
      mean.add(std::string(c.name) + (with_pad ? " with pads bf16" : " bf16"),
               {random(DType::kBF16, c.x)}, attr);
      if (with_pad) continue;
      max.add(c.name, {random(DType::kF32, c.x)}, attr);
      max.add(std::string(c.name) + " f16", {random(DType::kF16, c.x)}, attr);
      max.add(std::string(c.name) + " bf16", {random(DType::kBF16, c.x)}, attr);
      max.add(std::string(c.name) + " i8", {random_bits(DType::kI8, c.x)}, attr);
      max.add(std::string(c.name) + " u8", {random_bits(DType::kU8, c.x)}, attr);
      for (const std::int64_t order : {0, 1}) {
        const auto ordered = attrs<PoolAttrs>([&](auto& a) {
          a = static_cast<const PoolAttrs&>(*attr);
          a.storage_order = order;
        });
        // Few values, so that the first of several maxima is asked for.
        const Tensor x = random_ints(DType::kF32, c.x, -3, 3);
        max.add(std::string(c.name) + (order == 0 ? " indices" : " indices by columns"), {x},
                ordered, {2, 1, {}});
      }
    }
  }
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
    s.add("small", {random(DType::kF32, {2, 67, 3, 4})});
    s.add("large", {random(DType::kF32, {1, 70, 31, 33})});
    s.add("small bf16", {random(DType::kBF16, {2, 5, 3, 4})});
    s.add("large bf16", {random(DType::kBF16, {2, 5, 17, 9})});
    s.add("3D f16", {random(DType::kF16, {2, 5, 7, 6, 9})});
    s.add("no batch", {random(DType::kF32, {0, 3, 5, 5})});
    s.run();
  }
}

}  // namespace polaris::test
