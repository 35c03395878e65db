#include <algorithm>
#include <bit>
#include <string>

#include "backend/vulkan/parts/kernel_util.h"
#include "backend/vulkan/parts/opcode.h"
#include "base/checked.h"
#include "ir/op_attrs/reduce.h"

/// TopK along any axis, sorted: short lines by counting, long ones in rounds that leave fewer and
/// fewer candidates.
namespace polaris::vulkan {
namespace {

constexpr std::string_view kOps[] = {"TopK"};
constexpr std::int64_t kSpanMax = 1 << 14;
constexpr std::int64_t kShortSpanMax = 1 << 10;  // from here on a square costs more than rounds
constexpr std::int64_t kRoundSpan = 1 << 11;     // candidates of a workgroup in a round
constexpr std::int64_t kRunMin = 64;

std::uint32_t word(std::int64_t value) { return static_cast<std::uint32_t>(value); }

struct Line {
  std::int64_t count = 0;  // elements of all lines
  std::int64_t span = 0;
  std::int64_t inner = 0;
  std::int64_t k = 0;
  std::int64_t lines() const { return span == 0 ? 0 : count / span; }
  bool takes_rounds() const { return span > kShortSpanMax && k > 0 && 2 * k <= kRoundSpan; }
};

/// Of a line in each round; the last has one.
std::vector<std::int64_t> parts_of_rounds(const Line& line) {
  std::vector<std::int64_t> out;
  for (std::int64_t left = line.span; out.empty() || out.back() > 1; left = out.back() * line.k) {
    out.push_back(ceil_div(left, kRoundSpan));
  }
  return out;
}

KernelResult select_rounds(const VulkanTarget& target, const NodeDesc& node, const Line& line,
                           bool largest) {
  const DType dtype = node.inputs[0].type.dtype;
  const std::vector<std::int64_t> parts = parts_of_rounds(line);
  // Rounds read from one half of the workspace and write to the other, which needs less.
  const std::int64_t half = parts.size() > 1 ? line.lines() * parts[0] * line.k : 0;
  const std::int64_t rest = parts.size() > 2 ? line.lines() * parts[1] * line.k : 0;
  const std::string_view shader = is_float(dtype) ? "top_k_long.float" : "top_k_long.int";
  auto kernel = std::make_shared<VulkanKernel>(std::string(shader));
  kernel->workspace = (half + rest) * 8;
  if (kernel->workspace > target.binding_bytes_max) {
    return refuse(node, "more candidates than a binding holds");
  }
  const std::int64_t run = std::max(std::bit_ceil(word(line.k)) + std::int64_t{0}, kRunMin);
  std::int64_t left = line.span;
  for (std::size_t r = 0; r < parts.size(); ++r) {
    const bool first = r == 0;
    const bool last = r + 1 == parts.size();
    Dispatch d;
    d.shader = shader;
    d.constants = {type_code(dtype), largest ? 1u : 0u, first ? 1u : 0u, last ? 1u : 0u, word(run)};
    d.push = {word(line.lines() * parts[r]),
              word(parts[r]),
              word(left),
              word(line.span),
              word(line.inner),
              word(line.k),
              word(r % 2 == 0 ? half : 0),
              word(r % 2 == 0 ? 0 : half)};
    d.operands = {Operand::input(0), Operand::output(0), Operand::output(1), Operand::workspace()};
    d.grid = grid_1d(target, line.lines() * parts[r]);
    d.barrier_before = !first;
    d.estimate_us = model_us(line.lines() * left * 8, line.lines() * left * 64);
    kernel->dispatches.push_back(std::move(d));
    left = parts[r] * line.k;
  }
  kernel->absorbed = 1u << 1;
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

Result<std::string_view> shader_of(const VulkanTarget& target, const NodeDesc& node) {
  const DType dtype = node.inputs[0].type.dtype;
  if (is_float(dtype)) {
    const Result<std::uint32_t> code = float_code(node, node.inputs[0]);
    if (!code) return code.error();
    return std::string_view("top_k.float");
  }
  if (dtype_info(dtype).bits < 64) return std::string_view("top_k.int");
  if (!target.int64) return refuse(node, "64-bit integers, which this device lacks");
  return std::string_view("top_k.int64");
}

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  const Shape& shape = node.inputs[0].type.shape;
  const Result<std::string_view> shader = shader_of(target, node);
  if (!shader) return shader.error();
  const auto& attrs = node.attributes<TopKAttrs>();
  const auto axis = normalize_axis(attrs.axis, shape.rank());
  if (!axis) return refuse(node, "axis names no axis");
  const std::int64_t count = operand_elements(node.inputs[0]);
  if (count >= (std::int64_t{1} << 30)) return refuse(node, "more than 2^30 elements");
  const Line line{count, shape[*axis], shape.elements_between(*axis + 1, shape.rank()),
                  node.outputs[0].type.shape[*axis]};
  if (line.takes_rounds() && *shader != "top_k.int64") {
    return select_rounds(target, node, line, attrs.largest);
  }
  if (line.span > kSpanMax) {
    return refuse(node, "an axis longer than 2^14, whose square it would cost");
  }
  auto kernel = std::make_shared<VulkanKernel>(std::string(*shader));
  Dispatch d;
  d.shader = *shader;
  d.constants = {type_code(node.inputs[0].type.dtype), attrs.largest ? 1u : 0u};
  d.push = {word(count), word(line.span), word(line.inner), word(line.k)};
  d.operands = {Operand::input(0), Operand::output(0), Operand::output(1)};
  d.grid = grid_1d(target, ceil_div(count, 64));
  d.barrier_before = false;
  d.loop_rounds = line.span;
  d.estimate_us = model_us(2 * operand_bytes(node.inputs[0]), count * line.span * 4);
  kernel->dispatches.push_back(std::move(d));
  kernel->absorbed = 1u << 1;
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all;
  const auto add = [&](std::string_view shader, DType dtype) {
    all.push_back(
        {"top_k " + std::string(dtype_name(dtype)), shader, {type_code(dtype), 1}, 3, 16, 1});
  };
  add("top_k.float", DType::kF32);
  add("top_k.float", DType::kF16);
  add("top_k.int", DType::kI32);
  add("top_k.int64", DType::kI64);
  const auto add_rounds = [&](std::string_view shader, DType dtype) {
    for (const std::uint32_t round : {0u, 1u, 2u, 3u}) {
      constexpr std::string_view kRounds[] = {"only", "first", "middle", "last"};
      const std::uint32_t first = round < 2 ? 1 : 0;
      const std::uint32_t last = round == 0 || round == 3 ? 1 : 0;
      all.push_back(
          {"top_k " + std::string(kRounds[round]) + " round " + std::string(dtype_name(dtype)),
           shader,
           {type_code(dtype), 1, first, last, 128},
           4,
           32,
           1});
    }
  };
  add_rounds("top_k_long.float", DType::kF32);
  add_rounds("top_k_long.float", DType::kF16);
  add_rounds("top_k_long.int", DType::kI32);
  return all;
}

}  // namespace

extern const KernelFamily family_top_k;
const KernelFamily family_top_k{{"top_k", kOps, one_kernel<select>}, variants};

}  // namespace polaris::vulkan
