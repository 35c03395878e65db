#include <doctest/doctest.h>

#include "ir/op_attrs/normalization.h"
#include "support/node_run.h"

using namespace polaris;
using namespace polaris::test;

TEST_CASE("vulkan RMSNormalization and LayerNormalization over trailing axes") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  for (const std::int64_t axis : {-1, 1, -2}) {
    for (const std::int64_t size : {1, 7, 64, 129, 500}) {
      CAPTURE(axis);
      CAPTURE(size);
      Random random(static_cast<unsigned>(size));
      const Shape scale = axis == -1 ? Shape{size} : Shape{3, size};
      auto rms = std::make_shared<RmsNormAttrs>();
      rms->axis = axis;
      NodeCase node;
      node.op = &find_op("RMSNormalization");
      node.attrs = rms;
      node.inputs = {random_floats(random, DType::kF32, {2, 3, size}),
                     random_floats(random, DType::kF32, scale)};
      check_node(*device, node);
      auto layer = std::make_shared<LayerNormAttrs>();
      layer->axis = axis;
      node.op = &find_op("LayerNormalization");
      node.attrs = layer;
      check_node(*device, node);
      node.inputs.push_back(random_floats(random, DType::kF32, scale));
      check_node(*device, node);
    }
  }
}

TEST_CASE("vulkan BatchNormalization, InstanceNormalization and GroupNormalization") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  Random random(4);
  NodeCase node;
  node.inputs = {random_floats(random, DType::kF32, {2, 6, 5, 7}),
                 random_floats(random, DType::kF32, {6}), random_floats(random, DType::kF32, {6})};
  node.op = &find_op("InstanceNormalization");
  node.attrs = std::make_shared<InstanceNormAttrs>();
  check_node(*device, node);
  node.op = &find_op("GroupNormalization");
  auto group = std::make_shared<GroupNormAttrs>();
  group->num_groups = 3;
  node.attrs = group;
  check_node(*device, node);
  node.op = &find_op("BatchNormalization");
  node.attrs = std::make_shared<BatchNormAttrs>();
  node.inputs.push_back(random_floats(random, DType::kF32, {6}));
  node.inputs.push_back(random_floats(random, DType::kF32, {6}, 0.1f, 2));
  check_node(*device, node);
}

TEST_CASE("vulkan Softmax, LogSoftmax and Hardmax over every axis") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  const Shape shapes[] = {{5}, {3, 1}, {2, 3, 70}, {2, 300}, {4, 5, 6, 7}};
  for (const char* op : {"Softmax", "LogSoftmax", "Hardmax"}) {
    for (const Shape& shape : shapes) {
      for (int axis = -shape.rank(); axis < shape.rank(); ++axis) {
        CAPTURE(op);
        CAPTURE(shape.to_string());
        CAPTURE(axis);
        Random random(2);
        auto attrs = std::make_shared<SoftmaxAttrs>();
        attrs->axis = axis;
        NodeCase node;
        node.op = &find_op(op);
        node.attrs = attrs;
        node.inputs = {random_floats(random, DType::kF32, shape, -4, 4)};
        check_node(*device, node);
      }
    }
  }
  // Equal maxima: the first counts.
  NodeCase node;
  node.op = &find_op("Hardmax");
  node.attrs = std::make_shared<SoftmaxAttrs>();
  node.inputs = {Tensor::allocate(DType::kF32, {3, 100}).take()};
  check_node(*device, node);
}
