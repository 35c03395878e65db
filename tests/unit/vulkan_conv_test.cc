#include <doctest/doctest.h>

#include "ir/op_attrs/conv.h"
#include "support/node_run.h"

using namespace polaris;
using namespace polaris::test;

namespace {

struct Geometry {
  Shape x;
  Shape w;
  std::int64_t group = 1;
  std::vector<std::int64_t> strides;
  std::vector<std::int64_t> pads;
  std::vector<std::int64_t> dilations;
  const char* auto_pad = "NOTSET";
};

const std::vector<Geometry>& geometries() {
  static const std::vector<Geometry> all = {
      {{1, 3, 8, 8}, {4, 3, 3, 3}},
      {{2, 5, 9, 7}, {7, 5, 3, 3}, 1, {1, 1}, {1, 1, 1, 1}},
      {{1, 16, 11, 13}, {33, 16, 3, 3}, 1, {2, 2}, {1, 0, 2, 1}},
      {{1, 32, 7, 7}, {64, 32, 1, 1}},
      {{2, 24, 5, 5}, {16, 24, 5, 5}, 1, {}, {2, 2, 2, 2}},
      {{1, 8, 12, 12}, {8, 1, 3, 3}, 8, {1, 1}, {1, 1, 1, 1}},
      {{1, 6, 10, 10}, {12, 2, 3, 3}, 3, {2, 1}, {0, 1, 0, 1}},
      {{1, 4, 15, 15}, {5, 4, 3, 3}, 1, {}, {2, 2, 2, 2}, {2, 2}},
      {{1, 3, 10, 9}, {6, 3, 4, 2}, 1, {3, 2}, {}, {}, "SAME_UPPER"},
      {{1, 3, 10, 9}, {6, 3, 4, 2}, 1, {3, 2}, {}, {}, "SAME_LOWER"},
      {{1, 3, 10, 9}, {6, 3, 4, 2}, 1, {3, 2}, {}, {}, "VALID"},
      {{2, 5, 40}, {9, 5, 7}, 1, {2}, {3, 3}},
      {{1, 1, 70, 70}, {1, 1, 3, 3}, 1, {}, {1, 1, 1, 1}},
      {{1, 40, 3, 3}, {130, 40, 3, 3}, 1, {}, {1, 1, 1, 1}},
      {{3, 20, 64, 64}, {20, 20, 1, 1}},
  };
  return all;
}

std::shared_ptr<ConvAttrs> attrs_of(const Geometry& g) {
  auto attrs = std::make_shared<ConvAttrs>();
  attrs->group = g.group;
  attrs->strides = g.strides;
  attrs->pads = g.pads;
  attrs->dilations = g.dilations;
  attrs->auto_pad = g.auto_pad;
  return attrs;
}

Tensor bytes(Random& random, DType dtype, const Shape& shape) {
  return dtype == DType::kI8 ? random_ints(random, dtype, shape, -128, 127)
                             : random_ints(random, dtype, shape, 0, 255);
}

Tensor scale(float value) {
  return Tensor::from<float>(DType::kF32, {}, std::span<const float>(&value, 1)).take();
}

}  // namespace

TEST_CASE("vulkan Conv of one and two dims, with constant and computed weights") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  for (const Geometry& g : geometries()) {
    for (const bool bias : {false, true}) {
      for (const std::uint64_t constants : {0u, 2u}) {
        CAPTURE(g.x.to_string());
        CAPTURE(g.w.to_string());
        CAPTURE(g.auto_pad);
        Random random(31);
        NodeCase node;
        node.op = &find_op("Conv");
        node.attrs = attrs_of(g);
        node.inputs = {random_floats(random, DType::kF32, g.x),
                       random_floats(random, DType::kF32, g.w)};
        if (bias) node.inputs.push_back(random_floats(random, DType::kF32, {g.w[0]}));
        node.constants = constants;
        check_node(*device, node);
      }
    }
  }
}

TEST_CASE("vulkan ConvInteger is exact") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  for (const Geometry& g : geometries()) {
    for (const DType type : {DType::kU8, DType::kI8}) {
      for (const bool zeros : {false, true}) {
        CAPTURE(g.x.to_string());
        CAPTURE(zeros);
        Random random(32);
        NodeCase node;
        node.op = &find_op("ConvInteger");
        node.attrs = attrs_of(g);
        node.inputs = {bytes(random, type, g.x), bytes(random, type, g.w)};
        if (zeros) {
          node.inputs.push_back(bytes(random, type, {}));
          node.inputs.push_back(bytes(random, type, {}));
        }
        node.constants = 2 | 8;
        check_node(*device, node);
      }
    }
  }
}

TEST_CASE("vulkan QLinearConv is exact, per tensor and per channel") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  for (const Geometry& g : geometries()) {
    for (const DType type : {DType::kU8, DType::kI8}) {
      for (const bool channels : {false, true}) {
        CAPTURE(g.x.to_string());
        CAPTURE(channels);
        Random random(33);
        const Shape per = channels ? Shape{g.w[0]} : Shape{};
        const std::int64_t each = g.w.elements() / g.w[0];
        const auto taps = static_cast<float>(each);
        NodeCase node;
        node.op = &find_op("QLinearConv");
        node.attrs = attrs_of(g);
        node.inputs = {
            bytes(random, type, g.x),
            scale(0.02f),
            bytes(random, type, {}),
            bytes(random, DType::kI8, g.w),
            channels ? random_floats(random, DType::kF32, per, 0.01f, 0.05f) : scale(0.03f),
            channels ? of_ints(DType::kI8, per, {}) : bytes(random, DType::kI8, per),
            scale(0.01f * taps),
            bytes(random, type, {}),
            random_ints(random, DType::kI32, {g.w[0]}, -5000, 5000)};
        node.constants = 0x1FA;
        check_node(*device, node);
      }
    }
  }
}

TEST_CASE("vulkan pooling: strides, padding, dilation, ceil mode, whole planes") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  for (const char* op : {"MaxPool", "AveragePool"}) {
    for (int form = 0; form < 6; ++form) {
      CAPTURE(op);
      CAPTURE(form);
      Random random(34);
      auto attrs = std::make_shared<PoolAttrs>();
      attrs->kernel_shape = {3, 2};
      attrs->strides = {2, 2};
      if (form >= 1) attrs->pads = {1, 0, 1, 1};
      if (form == 2) attrs->ceil_mode = true;
      if (form == 3) attrs->count_include_pad = op[0] == 'A';
      if (form == 4) attrs->dilations = {2, 3};
      if (form == 5) {
        attrs->pads.clear();
        attrs->auto_pad = "SAME_UPPER";
      }
      NodeCase node;
      node.op = &find_op(op);
      node.attrs = attrs;
      node.inputs = {random_floats(random, DType::kF32, {2, 3, 12, 11})};
      check_node(*device, node);
      attrs->kernel_shape = {4};
      attrs->strides = {3};
      attrs->pads =
          form == 0 || form == 5 ? std::vector<std::int64_t>{} : std::vector<std::int64_t>{1, 2};
      attrs->dilations.clear();
      node.inputs = {random_floats(random, DType::kF32, {2, 3, 50})};
      check_node(*device, node);
    }
  }
  for (const char* op : {"GlobalMaxPool", "GlobalAveragePool"}) {
    for (const Shape& shape : {Shape{2, 3, 7, 5}, Shape{1, 70, 9}, Shape{1, 2, 3, 4, 5}}) {
      CAPTURE(op);
      Random random(35);
      NodeCase node;
      node.op = &find_op(op);
      node.inputs = {random_floats(random, DType::kF32, shape)};
      check_node(*device, node);
    }
  }
}
