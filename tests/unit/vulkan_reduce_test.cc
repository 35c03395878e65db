#include <doctest/doctest.h>

#include "ir/op_attrs/reduce.h"
#include "support/node_run.h"

using namespace polaris;
using namespace polaris::test;

TEST_CASE("vulkan reductions over every set of axes") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  const char* ops[] = {"ReduceSum",    "ReduceMean",     "ReduceMax", "ReduceMin",
                       "ReduceProd",   "ReduceL1",       "ReduceL2",  "ReduceSumSquare",
                       "ReduceLogSum", "ReduceLogSumExp"};
  const std::vector<std::int64_t> axes[] = {{0}, {-1}, {1, 2}, {0, 2}, {0, 1, 2}};
  for (const char* op : ops) {
    for (const Shape& shape : {Shape{3, 5, 7}, Shape{2, 1, 300}, Shape{70, 2, 65}}) {
      for (const auto& set : axes) {
        CAPTURE(op);
        CAPTURE(shape.to_string());
        CAPTURE(set.size());
        CAPTURE(set[0]);
        Random random(1);
        auto attrs = std::make_shared<ReduceAttrs>();
        attrs->keepdims = set.size() == 1;
        NodeCase node;
        node.op = &find_op(op);
        node.attrs = attrs;
        node.inputs = {random_floats(random, DType::kF32, shape, 0.97f, 1.03f),
                       of_ints(DType::kI64, {static_cast<std::int64_t>(set.size())}, set)};
        check_node(*device, node);
      }
    }
  }
  // No axes: all.
  Random random(2);
  NodeCase node;
  node.op = &find_op("ReduceSum");
  node.attrs = std::make_shared<ReduceAttrs>();
  node.inputs = {random_floats(random, DType::kF32, {4, 4096, 3}, 0, 1)};
  check_node(*device, node);
}

TEST_CASE("vulkan ArgMax and ArgMin, first and last of equals") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  for (const char* op : {"ArgMax", "ArgMin"}) {
    for (const bool last : {false, true}) {
      for (const Shape& shape : {Shape{3, 5, 7}, Shape{2, 1, 1000}, Shape{1, 70, 65}}) {
        for (int axis = -3; axis < 3; ++axis) {
          CAPTURE(op);
          CAPTURE(last);
          CAPTURE(shape.to_string());
          CAPTURE(axis);
          Random random(3);
          auto attrs = std::make_shared<ArgReduceAttrs>();
          attrs->axis = axis;
          attrs->keepdims = axis >= 0;
          attrs->select_last_index = last;
          NodeCase node;
          node.op = &find_op(op);
          node.attrs = attrs;
          // Few different values, so that many are equal.
          Tensor x = Tensor::allocate(DType::kF32, shape).take();
          for (std::int64_t i = 0; i < shape.elements(); ++i) {
            x.mutable_data<float>()[i] = static_cast<float>(random() % 5) - 2;
          }
          node.inputs = {x};
          check_node(*device, node);
        }
      }
    }
  }
}
