#include "backend/vulkan/parts/conv_window.h"

namespace polaris::vulkan {

Status check_operands(const VulkanTarget& target, const NodeDesc& node) {
  for (const auto operands : {node.inputs, node.outputs}) {
    for (const OperandDesc& operand : operands) {
      if (operand_elements(operand) > INT32_MAX ||
          operand_bytes(operand) > target.binding_bytes_max) {
        return refuse(node, "an operand larger than a binding may be");
      }
    }
  }
  return Status::success();
}

Status check_window(const NodeDesc& node, const ConvGeometry& g) {
  constexpr std::int64_t kMax = std::int64_t{1} << 29;
  for (const WindowDim& d : g.dims) {
    // Attributes and sizes are below 2^32 each, so the products fit 64 bits.
    for (const std::int64_t value :
         {d.in, d.out, d.stride, d.dilation, d.kernel, d.pad_begin, d.pad_end, d.out * d.stride,
          d.in * d.stride, d.kernel * d.dilation}) {
      if (value < 0 || value > kMax) return refuse(node, "a window too large for 32-bit indices");
    }
  }
  return Status::success();
}

void append_window(std::vector<std::uint32_t>& push, const ConvGeometry& g) {
  for (const auto member : {&WindowDim::in, &WindowDim::out, &WindowDim::kernel, &WindowDim::stride,
                            &WindowDim::pad_begin, &WindowDim::dilation}) {
    for (const WindowDim& d : g.dims) push.push_back(static_cast<std::uint32_t>(d.*member));
  }
}

}  // namespace polaris::vulkan
