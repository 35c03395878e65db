#include <string>

#include "backend/vulkan/parts/kernel_util.h"
#include "backend/vulkan/parts/opcode.h"
#include "base/checked.h"
#include "ir/op_attrs/attention.h"

/// RotaryEmbedding of rank 3 [batch, positions, heads * head] or 4 [batch, heads, positions, head].
namespace polaris::vulkan {
namespace {

std::uint32_t word(std::int64_t value) { return static_cast<std::uint32_t>(value); }

struct Heads {
  std::int64_t batch, heads, positions, head, head_stride, position_stride;
};

Heads heads_of(const Shape& x, std::int64_t num_heads) {
  if (x.rank() == 4) return {x[0], x[1], x[2], x[3], x[2] * x[3], x[3]};
  const std::int64_t head = num_heads == 0 ? 0 : x[2] / num_heads;
  return {x[0], num_heads, x[1], head, head, x[2]};
}

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  for (std::size_t i = 0; i < 3; ++i) {
    const OperandDesc& operand = node.inputs[i];
    if (operand_bytes(operand) > std::min<std::int64_t>(target.binding_bytes_max, INT32_MAX)) {
      return refuse(node, "an operand larger than a binding may be");
    }
  }
  const Result<std::uint32_t> types = float_codes(node, 0, 3);
  if (!types) return types.error();
  const auto& attrs = node.attributes<RotaryEmbeddingAttrs>();
  const Heads h = heads_of(node.inputs[0].type.shape, attrs.num_heads);
  std::int64_t rotary = attrs.rotary_embedding_dim;
  if (rotary == 0) rotary = h.head;
  const std::int64_t vectors = h.batch * h.heads * h.positions;
  if (rotary < 2) return refuse(node, "nothing to rotate");
  const bool ids = has_input(node, 3);
  const std::uint32_t id_words = !ids ? 0u : (node.inputs[3].type.dtype == DType::kI64 ? 2u : 1u);
  const std::int64_t rows = operand_elements(node.inputs[1]) / (rotary / 2);
  const auto grid = grid_1d(target, vectors);
  auto kernel = std::make_shared<VulkanKernel>("rotary");
  Dispatch d;
  d.shader = "rotary";
  d.constants = {attrs.interleaved ? 1u : 0u, id_words, *types};
  d.push = {word(vectors), word(h.heads),       word(h.positions),       word(h.head),
            word(rotary),  word(h.head_stride), word(h.position_stride), word(rows)};
  d.operands = {Operand::input(0), Operand::input(1),  Operand::input(2),
                Operand::input(3), Operand::output(0), Operand::status()};
  if (ids) kernel->report_text = "position, got {}, wanted 0 to " + std::to_string(rows - 1);
  d.grid = {word(ceil_div(ceil_div(h.head, 2), 64)), grid[0], grid[1]};
  d.barrier_before = false;
  d.estimate_us = model_us(vectors * h.head * 12, vectors * h.head * 3);
  kernel->dispatches.push_back(std::move(d));
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all;
  for (const std::uint32_t interleaved : {0u, 1u}) {
    for (const std::uint32_t words : {0u, 1u, 2u}) {
      for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
        all.push_back({"rotary interleaved" + std::to_string(interleaved) + " ids" +
                           std::to_string(words) + variant_suffix(dtype),
                       "rotary",
                       {interleaved, words, type_code(dtype) * 0x10101u},
                       6,
                       32,
                       0});
      }
    }
  }
  return all;
}

constexpr std::string_view kOps[] = {"RotaryEmbedding"};

}  // namespace

extern const KernelFamily family_rotary;
const KernelFamily family_rotary{{"rotary", kOps, one_kernel<select>}, variants};

}  // namespace polaris::vulkan
