// Which kernel the backend takes for a node on the card, by shapes alone.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "backend/vulkan/select.h"
#include "ir/op_attrs/conv.h"
#include "sim/sim_device.h"
#include "support/node_run.h"

using namespace polaris;
using namespace polaris::test;

namespace {

/// The kernel for a node whose second input is a constant: its name and its variant.
std::pair<std::string, std::string> chosen(const vulkan::VulkanTarget& target, const OpDef& op,
                                           const Attrs* attrs, const Shape& x, const Shape& w,
                                           const Shape& y) {
  Constant weight;
  weight.data = *Tensor::allocate(DType::kF32, w);
  std::vector<OperandDesc> inputs(2);
  inputs[0].type = {DType::kF32, x, {}};
  inputs[1].type = {DType::kF32, w, {}};
  inputs[1].constant = &weight;
  std::vector<OperandDesc> outputs(1);
  outputs[0].type = {DType::kF32, y, {}};
  const std::vector<const Tensor*> values = {nullptr, &weight.data};
  const NodeDesc node{&op, attrs, "node", inputs, outputs, values};
  const auto kernel = vulkan::select_kernel(target, node);
  REQUIRE(kernel);
  return {std::string((*kernel)->name()), (*kernel)->variant};
}

std::string conv_tile(const vulkan::VulkanTarget& target, const Shape& x, const Shape& w) {
  ConvAttrs attrs;
  const std::int64_t pad = w[2] / 2;
  attrs.pads = {pad, pad, pad, pad};
  return chosen(target, find_op("Conv"), &attrs, x, w, {x[0], w[0], x[2], x[3]}).second;
}

}  // namespace

TEST_CASE("vulkan choice: a product of any width with a constant is the linear kernel's") {
  const vulkan::VulkanTarget target = gcn::polaris_target();
  const OpDef& linear = find_op("Linear", "polaris");
  for (const std::int64_t n : {10, 64, 1000, 50257}) {
    for (const std::int64_t t : {1, 7, 40}) {
      CAPTURE(n);
      CAPTURE(t);
      const auto [name, variant] = chosen(target, linear, nullptr, {t, 256}, {n, 256}, {t, n});
      CHECK(name.starts_with("linear_f32"));
    }
  }
}

TEST_CASE("vulkan choice: convolutions of few pixels deal their input channels to more waves") {
  vulkan::VulkanTarget target = gcn::polaris_target();
  CHECK(conv_tile(target, {1, 64, 224, 224}, {64, 64, 3, 3}) == "16x128 of 64 threads");
  CHECK(conv_tile(target, {1, 64, 56, 56}, {64, 64, 3, 3}) == "16x64 of 256 threads");
  CHECK(conv_tile(target, {1, 512, 7, 7}, {512, 512, 3, 3}) == "16x64 of 1024 threads");
  CHECK(conv_tile(target, {1, 960, 7, 7}, {160, 960, 1, 1}) == "8x64 of 1024 threads");
  CHECK(conv_tile(target, {1, 64, 1, 1}, {8, 64, 1, 1}) == "8x64 of 1024 threads");
  // Too few channels to deal.
  CHECK(conv_tile(target, {1, 24, 7, 7}, {160, 24, 1, 1}) == "16x64 of 256 threads");
  CHECK(conv_tile(target, {1, 8, 7, 7}, {160, 8, 1, 1}) == "16x128 of 64 threads");
  target.group_threads_max = 256;
  CHECK(conv_tile(target, {1, 512, 7, 7}, {512, 512, 3, 3}) == "16x64 of 256 threads");
  CHECK(conv_tile(target, {1, 64, 1, 1}, {8, 64, 1, 1}) == "8x256 of 64 threads");
}
