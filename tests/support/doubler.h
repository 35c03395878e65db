#pragma once
#include <doctest/doctest.h>

#include <memory>

#include "backend/backend.h"
#include "ir/op_def.h"

namespace polaris::test {

/// y = x + x over `elements` floats: one launch, two run regions.
struct Doubler {
  OperandDesc x;
  OperandDesc inputs[2];
  OperandDesc output;
  NoAttrs attrs;
  std::shared_ptr<const Kernel> kernel;

  Doubler(Device& device, const OpDef& add, std::int64_t elements) {
    x.type = {DType::kF32, Shape{elements}, {}};
    inputs[0] = inputs[1] = output = x;
    NodeDesc node;
    node.op = &add;
    node.attrs = &attrs;
    node.name = "double";
    node.inputs = inputs;
    node.outputs = {&output, 1};
    auto selected = device.select(node);
    REQUIRE(selected.ok());
    kernel = *selected;
  }

  LaunchDesc launch(std::int32_t from, std::int32_t to) const {
    const std::int64_t bytes = *x.type.bytes();
    LaunchDesc desc;
    desc.kernel = kernel;
    desc.node_name = "double";
    desc.inputs = {{from, 0, bytes}, {from, 0, bytes}};
    desc.outputs = {{to, 0, bytes}};
    return desc;
  }
};

}  // namespace polaris::test
