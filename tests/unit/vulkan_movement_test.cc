#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "ir/op_attrs/gather.h"
#include "ir/op_attrs/reduce.h"
#include "ir/op_attrs/shape.h"
#include "support/node_run.h"
#include "support/vulkan.h"

using namespace polaris;
using namespace polaris::test;

namespace {

NodeCase node_of(std::string_view op, std::vector<Tensor> inputs) {
  NodeCase node;
  node.op = &find_op(op);
  node.attrs = node.op->make_attrs == nullptr ? std::make_unique<NoAttrs>() : node.op->make_attrs();
  node.inputs = std::move(inputs);
  return node;
}

template <class A>
A& attrs_of(NodeCase& node) {
  return static_cast<A&>(*node.attrs);
}

Tensor i64s(const std::vector<std::int64_t>& values) {
  return of_ints(DType::kI64, {static_cast<std::int64_t>(values.size())}, values);
}

constexpr DType kSizes[] = {DType::kU8, DType::kF16, DType::kF32, DType::kI64, DType::kF64};

Tensor any(Random& random, DType dtype, const Shape& shape) {
  if (is_float(dtype)) return random_floats(random, dtype, shape);
  return random_ints(random, dtype, shape, 0, 100);
}

}  // namespace

TEST_CASE("vulkan Transpose, Slice, Concat, Split and Tile move elements of any size") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  Random random(20);
  for (const DType dtype : kSizes) {
    CAPTURE(std::string(dtype_name(dtype)));
    for (const auto& perm :
         std::vector<std::vector<std::int64_t>>{{}, {0, 2, 1}, {2, 0, 1}, {1, 0, 2}}) {
      NodeCase node = node_of("Transpose", {any(random, dtype, {5, 8, 33})});
      attrs_of<TransposeAttrs>(node).perm = perm;
      check_node(*device, node);
    }
    check_node(*device, node_of("Slice", {any(random, dtype, {5, 9, 16}), i64s({1, -1}),
                                          i64s({4, -100}), i64s({0, 1}), i64s({2, -2})}));
    check_node(*device, node_of("Slice", {any(random, dtype, {5, 9, 16}), i64s({4}), i64s({12}),
                                          i64s({2})}));
    check_node(*device,
               node_of("Slice", {any(random, dtype, {5, 9}), i64s({3}), i64s({3}), i64s({1})}));
    for (const std::int64_t axis : {0, 1, -1}) {
      NodeCase node =
          node_of("Concat", {any(random, dtype, {3, 4, 5}), any(random, dtype, {3, 4, 5}),
                             any(random, dtype, {3, 4, 5})});
      attrs_of<ConcatAttrs>(node).axis = axis;
      check_node(*device, node);
    }
    NodeCase split = node_of("Split", {any(random, dtype, {4, 10, 3}), i64s({1, 6, 3})});
    attrs_of<SplitAttrs>(split).axis = 1;
    split.outputs = 3;
    check_node(*device, split);
    check_node(*device, node_of("Tile", {any(random, dtype, {3, 1, 4}), i64s({2, 5, 3})}));
    check_node(*device, node_of("Expand", {any(random, dtype, {3, 1, 4}), i64s({2, 3, 5, 1})}));
    check_node(*device, node_of("Reshape", {any(random, dtype, {3, 7, 4}), i64s({-1, 2})}));
  }
}

TEST_CASE("vulkan Pad in every mode, with negative pads and chosen axes") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  Random random(21);
  for (const char* mode : {"constant", "edge", "reflect", "wrap"}) {
    CAPTURE(std::string(mode));
    for (const DType dtype : {DType::kU8, DType::kF16, DType::kF32, DType::kI64}) {
      NodeCase node = node_of("Pad", {any(random, dtype, {4, 5, 6}), i64s({1, 0, 3, 2, 2, 4})});
      attrs_of<PadAttrs>(node).mode = mode;
      check_node(*device, node);
      node.inputs = {any(random, dtype, {4, 5}), i64s({-1, 2}), any(random, dtype, {}), i64s({1})};
      check_node(*device, node);
    }
  }
}

TEST_CASE("vulkan Gather along any axis, with wide and narrow indices") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  Random random(22);
  for (const DType dtype : kSizes) {
    for (const std::int64_t axis : {0, 1, -1}) {
      CAPTURE(std::string(dtype_name(dtype)));
      CAPTURE(axis);
      for (const DType index : {DType::kI32, DType::kI64}) {
        const Shape data{5, 8, 12};
        const std::int64_t n = data[axis < 0 ? 2 : static_cast<int>(axis)];
        NodeCase node = node_of(
            "Gather", {any(random, dtype, data), random_ints(random, index, {2, 7}, -n, n - 1)});
        attrs_of<GatherAttrs>(node).axis = axis;
        check_node(*device, node);
        node.inputs[1] = of_ints(index, {}, {1});
        check_node(*device, node);
      }
    }
  }
  for (const BlockFormat format :
       {BlockFormat::kQ4_0, BlockFormat::kQ8_0, BlockFormat::kQ4_1, BlockFormat::kQ5_0,
        BlockFormat::kQ5_1, BlockFormat::kQ4_K, BlockFormat::kQ5_K, BlockFormat::kQ6_K}) {
    NodeCase node = node_of("Gather", {random_blocks(random, format, {50, 768}),
                                       random_ints(random, DType::kI32, {9}, -50, 49)});
    node.constants = 1;
    check_node(*device, node);
  }
}

TEST_CASE("vulkan Gather and copies from tables above the binding limit") {
  VulkanOptions options;
  options.binding_bytes_max = 1 << 14;
  auto device = make_test_vulkan(options);
  if (!device) return;
  Random random(23);
  const Tensor indices = random_ints(random, DType::kI64, {40}, -1000, 999);
  check_node(*device, node_of("Gather", {random_floats(random, DType::kF32, {1000, 33}), indices}));
  NodeCase blocks =
      node_of("Gather", {random_blocks(random, BlockFormat::kQ8_0, {1000, 64}), indices});
  blocks.constants = 1;
  check_node(*device, blocks);
  check_node(*device,
             node_of("Tile", {random_floats(random, DType::kF32, {100, 33}), i64s({7, 2})}));
  NodeCase transpose = node_of("Transpose", {random_floats(random, DType::kF32, {20, 30, 40})});
  attrs_of<TransposeAttrs>(transpose).perm = {0, 2, 1};
  check_node(*device, transpose);
}

TEST_CASE("vulkan GatherElements, GatherND and their scatters") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  Random random(24);
  for (const DType dtype : {DType::kU8, DType::kF16, DType::kF32, DType::kI64}) {
    CAPTURE(std::string(dtype_name(dtype)));
    NodeCase elements = node_of(
        "GatherElements",
        {any(random, dtype, {4, 6, 5}), random_ints(random, DType::kI64, {3, 9, 5}, -6, 5)});
    attrs_of<GatherAttrs>(elements).axis = 1;
    check_node(*device, elements);
    NodeCase nd = node_of("GatherND", {any(random, dtype, {3, 4, 5, 2}),
                                       random_ints(random, DType::kI64, {3, 7, 2}, 0, 3)});
    attrs_of<GatherNdAttrs>(nd).batch_dims = 1;
    check_node(*device, nd);
    NodeCase scatter = node_of(
        "ScatterND", {any(random, dtype, {6, 4, 3}), of_ints(DType::kI64, {3, 1}, {4, 0, -1}),
                      any(random, dtype, {3, 4, 3})});
    check_node(*device, scatter);
    NodeCase lines = node_of("ScatterElements", {any(random, dtype, {6, 4}),
                                                 of_ints(DType::kI64, {2, 3}, {0, 3, 5, 2, 1, -6}),
                                                 any(random, dtype, {2, 3})});
    check_node(*device, lines);
  }
}

TEST_CASE("vulkan NonZero finds what there is, in order") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  Random random(25);
  for (const DType dtype : {DType::kBool, DType::kI16, DType::kI32, DType::kI64}) {
    check_node(*device, node_of("NonZero", {random_ints(random, dtype, {7, 11, 13}, 0, 1)}));
  }
  check_node(*device, node_of("NonZero", {random_ints(random, DType::kI32, {300001}, 0, 5)}));
  check_node(*device, node_of("NonZero", {random_ints(random, DType::kI32, {5, 5}, 0, 0)}));
  check_node(*device, node_of("NonZero", {random_ints(random, DType::kI32, {5, 0}, 0, 0)}));
  const std::vector<float> zeros = {0.0f, -0.0f, 1.0f, -1.0f, 0.0f};
  check_node(*device, node_of("NonZero", {Tensor::from<float>(DType::kF32, {5}, zeros).take()}));
}

TEST_CASE("vulkan CumSum in both directions") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  Random random(26);
  for (const DType dtype : {DType::kF32, DType::kI32, DType::kI64}) {
    for (const std::int64_t axis : {0, 1, 2}) {
      for (const bool flag : {false, true}) {
        NodeCase node =
            node_of("CumSum", {any(random, dtype, {5, 70, 3}), of_ints(DType::kI64, {}, {axis})});
        attrs_of<CumSumAttrs>(node).exclusive = flag;
        attrs_of<CumSumAttrs>(node).reverse = flag;
        check_node(*device, node);
      }
    }
  }
}
