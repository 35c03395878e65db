#include "backend/vulkan/parts/kernel_util.h"

#include <algorithm>
#include <cstring>

#include "backend/node_cost.h"
#include "backend/vulkan/parts/opcode.h"
#include "base/bytes.h"
#include "base/checked.h"

namespace polaris::vulkan {
namespace {

// An RX 580 as the leads model it: 256 GB/s at 75 %, 5 TFLOPS, a gap between dependent stages.
constexpr double kBytesPerUs = 190e3;
constexpr double kFlopsPerUs = 4e6;
constexpr double kStartUs = 8.0;

}  // namespace

std::string VulkanKernel::report(std::uint32_t code) const {
  std::string text = report_text;
  const std::size_t at = text.find("{}");
  if (at != std::string::npos) text.replace(at, 2, std::to_string(static_cast<std::int32_t>(code)));
  return text;
}

Error refuse(const NodeDesc& node, std::string_view what) { return refuse_on("", node, what); }

std::array<std::uint32_t, 3> grid_1d(const VulkanTarget& target, std::int64_t groups) {
  if (groups <= 0) return {0, 1, 1};
  const std::int64_t wide = target.group_count_max;
  const std::int64_t rows = ceil_div(groups, wide);
  const std::int64_t columns = ceil_div(groups, rows);
  return {static_cast<std::uint32_t>(columns), static_cast<std::uint32_t>(rows), 1};
}

double model_us(std::int64_t bytes, std::int64_t flops) {
  const double memory = static_cast<double>(bytes) / kBytesPerUs;
  const double arithmetic = static_cast<double>(flops) / kFlopsPerUs;
  return std::max(memory, arithmetic) + kStartUs;
}

void finish_estimate(VulkanKernel& kernel, const NodeDesc& node) {
  double total = 0;
  for (const Dispatch& dispatch : kernel.dispatches) total += dispatch.estimate_us;
  kernel.estimate_us = total;
  const NodeCost cost = node_cost(node);
  kernel.flops = cost.flops;
  kernel.bytes = cost.bytes;
}

Result<std::uint32_t> float_code(const NodeDesc& node, const OperandDesc& operand) {
  if (!operand.present) return kTypeF32;
  const DType dtype = operand.type.dtype;
  if (!operand.type.encoding.is_plain()) return refuse(node, "an encoded operand");
  if (dtype == DType::kF64) return refuse(node, "float64, which stays on the cpu");
  if (!is_float(dtype)) {
    return refuse(node, "an operand of " + std::string(dtype_name(dtype)) +
                            ", wanted float32, float16 or bfloat16");
  }
  return type_code(dtype);
}

Result<std::uint32_t> float_codes(const NodeDesc& node, std::size_t first, std::size_t last) {
  std::uint32_t codes = 0;
  for (std::size_t i = first; i < last && i < node.inputs.size(); ++i) {
    const Result<std::uint32_t> code = float_code(node, node.inputs[i]);
    if (!code) return code;
    codes |= *code << (8 * (i - first));
  }
  return codes;
}

std::string variant_suffix(DType dtype) {
  return dtype == DType::kF32 ? "" : " " + std::string(dtype_name(dtype));
}

std::int64_t operand_bytes(const OperandDesc& operand) {
  return operand.present ? operand.type.bytes().value_or(0) : 0;
}

std::int64_t operand_elements(const OperandDesc& operand) {
  return operand.present ? operand.type.shape.checked_elements().value_or(0) : 0;
}

FastDivisor fast_divisor(std::uint32_t divisor) {
  // Granlund and Montgomery: shift = ceil(log2 d), multiplier = 2^32 (2^shift - d) / d + 1.
  const std::uint32_t shift =
      divisor <= 1 ? 0u : static_cast<std::uint32_t>(std::bit_width(divisor - 1));
  const std::uint64_t power = std::uint64_t{1} << shift;
  const std::uint64_t d = std::max(divisor, 1u);
  return {static_cast<std::uint32_t>(((power - d) << 32) / d + 1), shift};
}

std::int64_t append_params(VulkanKernel& kernel, std::span<const std::uint32_t> words,
                           std::int64_t alignment_bytes) {
  const std::int64_t start =
      round_up(static_cast<std::int64_t>(kernel.params.size()), alignment_bytes);
  kernel.params.resize(static_cast<std::size_t>(start) + words.size_bytes());
  if (!words.empty()) {
    copy_bytes(kernel.params.data() + start, words.data(), words.size_bytes());
  }
  return start;
}

}  // namespace polaris::vulkan
