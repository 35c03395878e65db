#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "backend/vulkan/parts/kernel_util.h"
#include "backend/vulkan/parts/strided.h"
#include "base/checked.h"
#include "ir/op_attrs/shape.h"

/// Pad in all four modes; pads may be negative.
namespace polaris::vulkan {
namespace {

constexpr std::string_view kOps[] = {"Pad"};
constexpr std::string_view kModes[] = {"constant", "edge", "reflect", "wrap"};

std::string_view shader_of(ElementWidth width) {
  switch (width.raw()) {
    case 1: return "pad.b1";
    case 2: return "pad.b2";
    case 4: return "pad.b4";
    default: return "pad.b8";
  }
}

/// Pads before each dim of the input, or why they are not known.
Result<std::vector<std::int64_t>> low_pads(const NodeDesc& node) {
  const Shape& in = node.inputs[0].type.shape;
  const auto pads = known_ints(node, 1);
  if (!pads) return refuse(node, "pads are not known");
  std::vector<std::int64_t> axes;
  for (int d = 0; d < in.rank(); ++d) axes.push_back(d);
  if (has_input(node, 3)) {
    const auto known = known_ints(node, 3);
    if (!known) return refuse(node, "axes are not known");
    axes = *known;
  }
  if (pads->size() != 2 * axes.size()) return refuse(node, "pads, wanted two an axis");
  std::vector<std::int64_t> low(static_cast<std::size_t>(in.rank()), 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = normalize_axis(axes[i], in.rank());
    if (!axis) return refuse(node, "axes name no axis");
    low[static_cast<std::size_t>(*axis)] = (*pads)[i];
  }
  return low;
}

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  const Shape& in = node.inputs[0].type.shape;
  const Shape& out = node.outputs[0].type.shape;
  const std::string& mode_name = node.attributes<PadAttrs>().mode;
  const auto* mode = std::find(std::begin(kModes), std::end(kModes), mode_name);
  if (mode == std::end(kModes)) return refuse(node, "mode, got '" + mode_name + "'");
  if (!node.inputs[0].type.encoding.is_plain()) return refuse(node, "encoded input");
  const std::int64_t count = operand_elements(node.outputs[0]);
  if (count >= (std::int64_t{1} << 30)) return refuse(node, "more than 2^30 elements");
  Result<std::vector<std::int64_t>> low = low_pads(node);
  if (!low) return low.error();
  const bool constant = mode == std::begin(kModes);
  if (!constant && operand_elements(node.inputs[0]) == 0 && count > 0) {
    return refuse(node, "an empty input has no edge");
  }

  auto kernel = std::make_shared<VulkanKernel>("pad " + mode_name);
  const Shape strides = row_major_strides(in);
  std::vector<std::uint32_t> words;
  for (int d = out.rank(); d-- > 0;) {
    const auto size = static_cast<std::uint32_t>(out[d]);
    const FastDivisor divisor = fast_divisor(size);
    words.insert(words.end(),
                 {divisor.multiplier, divisor.shift, size, static_cast<std::uint32_t>(strides[d]),
                  static_cast<std::uint32_t>(in[d]),
                  static_cast<std::uint32_t>((*low)[static_cast<std::size_t>(d)])});
  }
  // Without a fill value its binding shows zeros.
  const std::int64_t zeros =
      append_params(*kernel, std::vector<std::uint32_t>(4, 0u), target.alignment_bytes);
  const std::int64_t table = append_params(*kernel, words, target.alignment_bytes);
  const ElementWidth width = width_of(node.inputs[0].type.dtype);
  Dispatch dispatch;
  dispatch.shader = shader_of(width);
  dispatch.constants = {static_cast<std::uint32_t>(out.rank()),
                        static_cast<std::uint32_t>(mode - std::begin(kModes))};
  dispatch.push = {static_cast<std::uint32_t>(count)};
  dispatch.operands = {Operand::input(0),
                       has_input(node, 2) ? Operand::input(2) : Operand::params(zeros),
                       Operand::output(0), Operand::params(table)};
  dispatch.grid = grid_1d(target, ceil_div(count, 256));
  dispatch.estimate_us = model_us(width.of(2 * count), 0);
  kernel->dispatches.push_back(std::move(dispatch));
  kernel->absorbed = 1ull << 1 | 1ull << 3;
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all;
  for (const std::int64_t bytes : {1, 2, 4, 8}) {
    for (std::uint32_t mode = 0; mode < 4; ++mode) {
      all.push_back({"pad " + std::string(kModes[mode]) + " b" + std::to_string(bytes),
                     shader_of(ElementWidth(bytes)),
                     {4, mode},
                     4,
                     4,
                     0});
    }
  }
  return all;
}

}  // namespace

extern const KernelFamily family_pad;
const KernelFamily family_pad{{"pad", kOps, one_kernel<select>}, variants};

}  // namespace polaris::vulkan
