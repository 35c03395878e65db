#include <doctest/doctest.h>

#include "ir/op_attrs/conv.h"
#include "ir/op_attrs/matmul.h"
#include "ir/op_attrs/normalization.h"
#include "ir/op_attrs/quantize.h"
#include "ir/op_attrs/reduce.h"
#include "support/cpu_case.h"
#include "support/random_blocks.h"
#include "tensor/block_format.h"
#include "tensor/element.h"

using namespace polaris;
using namespace polaris::test;

namespace {

Tensor f32(const Shape& shape, std::uint32_t seed, double range = 2) {
  return random_tensor(DType::kF32, shape, seed, range);
}
Tensor scalar_f32(float v) {
  auto t = Tensor::from<float>(DType::kF32, {}, std::span<const float>(&v, 1));
  REQUIRE(t.ok());
  return t.take();
}
Tensor zero_point(DType dtype, std::int64_t value) {
  auto t = Tensor::allocate(dtype, {});
  REQUIRE(t.ok());
  store_i64(dtype, t->mutable_bytes().data(), 0, value);
  return t.take();
}
Tensor positive(const Shape& shape, std::uint32_t seed, float scale) {
  Tensor t = f32(shape, seed);
  auto out = Tensor::allocate(DType::kF32, shape);
  REQUIRE(out.ok());
  for (std::int64_t i = 0; i < t.elements(); ++i) {
    out->mutable_data<float>()[i] = scale * (0.1f + std::abs(t.data<float>()[i]));
  }
  return out.take();
}

std::shared_ptr<ConvAttrs> conv_attrs(std::vector<std::int64_t> pads,
                                      std::vector<std::int64_t> strides,
                                      std::vector<std::int64_t> dilations, std::int64_t group) {
  auto attrs = std::make_shared<ConvAttrs>();
  attrs->pads = std::move(pads);
  attrs->strides = std::move(strides);
  attrs->dilations = std::move(dilations);
  attrs->group = group;
  return attrs;
}

struct ConvCase {
  Shape x, w;
  std::shared_ptr<ConvAttrs> attrs;
  const char* kernel;
};
std::vector<ConvCase> conv_cases() {
  return {
      {{2, 3, 17}, {5, 3, 4}, conv_attrs({2, 1}, {3}, {2}, 1), "conv_im2col"},
      {{1, 3, 19, 23}, {7, 3, 3, 3}, conv_attrs({1, 1, 1, 1}, {1, 1}, {}, 1), "conv_im2col"},
      {{2, 4, 13, 9}, {6, 2, 3, 2}, conv_attrs({0, 2, 1, 3}, {2, 3}, {1, 2}, 2), "conv_im2col"},
      {{1, 40, 5, 7}, {33, 40, 1, 1}, conv_attrs({}, {}, {}, 1), "conv_im2col"},
      {{1, 2, 5, 6, 7},
       {3, 2, 2, 3, 2},
       conv_attrs({1, 0, 1, 1, 1, 0}, {1, 2, 1}, {}, 1),
       "conv_im2col"},
      {{2, 5, 11, 13}, {10, 1, 3, 3}, conv_attrs({1, 1, 1, 1}, {1, 1}, {}, 5), "conv_depthwise"},
      {{1, 5, 11, 13}, {5, 1, 5, 3}, conv_attrs({2, 2, 1, 1}, {2, 2}, {1, 2}, 5), "conv_depthwise"},
      {{1, 1, 3, 40}, {2, 1, 1, 33}, conv_attrs({0, 32, 0, 32}, {1, 1}, {}, 1), "conv_im2col"},
  };
}

}  // namespace

TEST_CASE("cpu: Conv of every shape, with the weights packed and not") {
  for (const ConvCase& shape : conv_cases()) {
    for (const bool constant : {true, false}) {
      CpuCase c{.op = "Conv", .attrs = shape.attrs};
      c.inputs = {f32(shape.x, 1), f32(shape.w, 2)};
      if (constant) {
        c.constants = {1};
        c.inputs.push_back(f32({shape.w[0]}, 3));
      }
      c.atol = 1e-4;
      check_cpu(c, shape.kernel);
    }
  }
}

TEST_CASE("cpu: integer convolutions are exact") {
  for (const ConvCase& shape : conv_cases()) {
    for (const bool constant : {true, false}) {
      for (const DType x_type : {DType::kU8, DType::kI8}) {
        CpuCase c{.op = "ConvInteger", .attrs = shape.attrs};
        const double range = x_type == DType::kU8 ? 255 : 127;
        c.inputs = {random_tensor(x_type, shape.x, 1, range),
                    random_tensor(DType::kI8, shape.w, 2, 127), zero_point(x_type, 77)};
        if (constant) c.constants = {1};
        check_cpu(c, "conv_integer");
        CpuCase q{.op = "QLinearConv", .attrs = shape.attrs};
        q.inputs = {c.inputs[0],
                    scalar_f32(0.02f),
                    c.inputs[2],
                    c.inputs[1],
                    positive({shape.w[0]}, 5, 0.01f),
                    random_tensor(DType::kI8, {shape.w[0]}, 6, 3),
                    scalar_f32(0.3f),
                    zero_point(DType::kU8, 120),
                    random_tensor(DType::kI32, {shape.w[0]}, 7, 500)};
        if (constant) q.constants = {3, 5};
        check_cpu(q, "conv_requantize");
      }
    }
  }
}

TEST_CASE("cpu: MatMul, Gemm and their integer forms at awkward sizes") {
  struct Shapes {
    Shape a, b;
  };
  const Shapes shapes[] = {{{7}, {7}},
                           {{5, 7}, {7}},
                           {{7}, {7, 9}},
                           {{13, 33}, {33, 29}},
                           {{1, 300}, {300, 70}},
                           {{2, 3, 5, 17}, {17, 31}},
                           {{2, 1, 5, 17}, {3, 17, 31}},
                           {{0, 4}, {4, 3}},
                           {{4, 0}, {0, 3}}};
  for (const Shapes& s : shapes) {
    for (const bool constant : {false, true}) {
      CpuCase c{.op = "MatMul"};
      c.inputs = {f32(s.a, 1), f32(s.b, 2)};
      if (constant) c.constants = {1};
      c.atol = 1e-4;
      check_cpu(c, "matmul_f32");
      CpuCase i{.op = "MatMulInteger"};
      i.inputs = {random_tensor(DType::kU8, s.a, 1, 255), random_tensor(DType::kI8, s.b, 2, 127),
                  zero_point(DType::kU8, 9), zero_point(DType::kI8, -4)};
      if (constant) i.constants = {1, 3};
      check_cpu(i, "matmul_integer");
    }
  }
  for (int turn = 0; turn < 4; ++turn) {
    auto attrs = std::make_shared<GemmAttrs>();
    attrs->transA = (turn & 1) != 0;
    attrs->transB = (turn & 2) != 0;
    attrs->alpha = turn == 0 ? 1.0f : 0.5f;
    attrs->beta = turn == 3 ? 2.0f : 1.0f;
    for (const Shape& bias : {Shape{19}, Shape{11, 1}, Shape{}, Shape{11, 19}}) {
      CpuCase c{.op = "Gemm", .attrs = attrs};
      c.inputs = {f32(attrs->transA ? Shape{23, 11} : Shape{11, 23}, 1),
                  f32(attrs->transB ? Shape{19, 23} : Shape{23, 19}, 2), f32(bias, 3)};
      c.atol = 1e-4;
      check_cpu(c, "gemm_f32");
      c.constants = {1};
      check_cpu(c, "gemm_f32");
    }
  }
}

TEST_CASE("cpu: QLinearMatMul with scales per row and column") {
  for (const bool per_index : {false, true}) {
    CpuCase c{.op = "QLinearMatMul"};
    const Shape rows = per_index ? Shape{14} : Shape{};
    const Shape columns = per_index ? Shape{37} : Shape{};
    c.inputs = {random_tensor(DType::kU8, {14, 45}, 1, 255),
                positive(rows, 2, 0.01f),
                random_tensor(DType::kU8, rows, 3, 200),
                random_tensor(DType::kI8, {45, 37}, 4, 127),
                positive(columns, 5, 0.02f),
                random_tensor(DType::kI8, columns, 6, 5),
                scalar_f32(0.7f),
                zero_point(DType::kU8, 128)};
    check_cpu(c, "matmul_requantize");
    c.constants = {3, 5};
    check_cpu(c, "matmul_requantize");
  }
}

TEST_CASE("cpu: quantization rounds exactly as the definition does") {
  for (const DType dtype : {DType::kU8, DType::kI8, DType::kI16, DType::kU16}) {
    CpuCase q{.op = "QuantizeLinear"};
    q.inputs = {f32({3, 5, 21}, 1, 300), positive({5}, 2, 0.5f), random_tensor(dtype, {5}, 3, 50)};
    check_cpu(q, "quantize_");
    CpuCase d{.op = "DequantizeLinear"};
    d.inputs = {random_tensor(dtype, {3, 5, 21}, 4, 100), q.inputs[1], q.inputs[2]};
    check_cpu(d, "dequantize");
  }
  // Halves, where rounding to even shows.
  std::vector<float> halves;
  for (int i = -600; i < 600; ++i) halves.push_back(static_cast<float>(i) * 0.5f);
  CpuCase c{.op = "QuantizeLinear"};
  c.inputs = {*Tensor::from<float>(DType::kF32, {1200}, std::span<const float>(halves)),
              scalar_f32(1.0f), zero_point(DType::kU8, 128)};
  check_cpu(c, "quantize_");
  CpuCase dynamic{.op = "DynamicQuantizeLinear"};
  dynamic.inputs = {f32({7, 31}, 8, 5)};
  dynamic.outputs = 3;
  check_cpu(dynamic, "dynamic_quantize");
  for (const BlockFormat format : all_block_formats()) {
    const BlockFormatInfo& info = block_format_info(format);
    CpuCase decode{.op = "Decode", .domain = "polaris"};
    decode.inputs = {encode_tensor(f32({5, 3 * info.block_elements}, 9), format)};
    decode.constants = {0};
    check_cpu(decode, "decode_" + std::string(info.name));
  }
}

TEST_CASE("cpu: pools of every kind") {
  for (const bool ceil : {false, true}) {
    auto attrs = std::make_shared<PoolAttrs>();
    attrs->kernel_shape = {3, 2};
    attrs->strides = {2, 2};
    attrs->pads = {1, 1, 1, 0};
    attrs->ceil_mode = ceil;
    attrs->count_include_pad = ceil;
    CpuCase c{.op = "MaxPool", .attrs = attrs};
    c.inputs = {f32({2, 3, 11, 12}, 1)};
    c.outputs = 2;
    check_cpu(c, "max_pool");
    c.op = "AveragePool";
    c.outputs = 1;
    check_cpu(c, "average_pool");
  }
  for (const char* op : {"GlobalAveragePool", "GlobalMaxPool"}) {
    CpuCase c{.op = op};
    c.inputs = {f32({2, 3, 11, 12}, 1)};
    check_cpu(c, "global_pool");
  }
}

TEST_CASE("cpu: reductions over any axes") {
  const char* ops[] = {"ReduceSum",       "ReduceMean",     "ReduceMax", "ReduceMin",
                       "ReduceL1",        "ReduceProd",     "ReduceL2",  "ReduceLogSum",
                       "ReduceSumSquare", "ReduceLogSumExp"};
  for (const char* op : ops) {
    for (const std::vector<std::int64_t>& axes :
         {std::vector<std::int64_t>{}, {-1}, {0}, {1}, {0, 2}, {1, 2}}) {
      CpuCase c{.op = op};
      c.inputs = {positive({3, 5, 37}, 1, 0.7f), ints_i64(axes)};
      c.constants = {1};
      c.rtol = 2e-3;  // ReduceProd multiplies 555 rounded factors
      check_cpu(c, "reduce");
    }
  }
  for (const DType dtype : {DType::kI32, DType::kI64, DType::kF16}) {
    CpuCase c{.op = "ReduceSum"};
    c.inputs = {random_tensor(dtype, {4, 9}, 1, 9), ints_i64({0})};
    c.constants = {1};
    c.atol = 2e-2;
    check_cpu(c, "reduce");
  }
}

TEST_CASE("cpu: norms and softmax along any axis") {
  for (const char* op : {"Softmax", "LogSoftmax", "Hardmax"}) {
    for (const std::int64_t axis : {0, 1, 2}) {
      auto attrs = std::make_shared<SoftmaxAttrs>();
      attrs->axis = axis;
      CpuCase c{.op = op, .attrs = attrs};
      c.inputs = {f32({3, 5, 37}, 1, 20)};
      check_cpu(c, "softmax");
      c.inputs = {random_tensor(DType::kF16, {3, 5, 37}, 1, 5)};
      c.rtol = 4e-3;
      c.atol = 1e-3;
      check_cpu(c, "softmax");
    }
  }
  CpuCase layer{.op = "LayerNormalization"};
  layer.inputs = {f32({4, 37}, 1), f32({37}, 2), f32({37}, 3)};
  layer.outputs = 3;
  check_cpu(layer, "layer_norm");
  layer.inputs.pop_back();
  layer.outputs = 1;
  check_cpu(layer, "layer_norm");
  CpuCase batch{.op = "BatchNormalization"};
  batch.inputs = {f32({2, 5, 7, 3}, 1), f32({5}, 2), f32({5}, 3), f32({5}, 4),
                  positive({5}, 5, 1.0f)};
  check_cpu(batch, "batch_norm");
  CpuCase instance{.op = "InstanceNormalization"};
  instance.inputs = {f32({2, 4, 35}, 1), f32({4}, 2), f32({4}, 3)};
  check_cpu(instance, "instance_norm");
  auto attrs = std::make_shared<GroupNormAttrs>();
  attrs->num_groups = 2;
  CpuCase group{.op = "GroupNormalization", .attrs = attrs};
  group.inputs = instance.inputs;
  check_cpu(group, "group_norm");
}
