#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "backend/elementwise.h"
#include "backend/vulkan/parts/kernel_util.h"
#include "backend/vulkan/parts/opcode.h"
#include "backend/vulkan/parts/strided.h"
#include "base/checked.h"
#include "ir/builtin_op.h"
#include "ir/op_attrs/chain.h"

/// polaris.Chain as a program in specialization constants.
namespace polaris::vulkan {
namespace {

constexpr std::string_view kOps[] = {"polaris.Chain"};
constexpr std::size_t kInputsMax = 8;
constexpr std::size_t kStepsMax = 16;

std::string_view shader_of(std::size_t steps) { return steps <= 4 ? "chain.4" : "chain.16"; }

/// The word of one step, or why there is none.
Result<std::uint32_t> step_word(const NodeDesc& node, const ChainAttrs& attrs, std::size_t s) {
  const ElementwiseRow* row = find_elementwise(attrs.ops[s]);
  const OpDef* op = find_builtin_op(attrs.ops[s]);
  const bool plain = row != nullptr && op != nullptr && op->numbers.empty() &&
                     (row->types & kFloats) != 0 &&
                     (row->form == ElementForm::kUnary || row->form == ElementForm::kBinary ||
                      row->form == ElementForm::kVariadic);
  if (!plain) return refuse(node, "step '" + attrs.ops[s] + "' has no opcode");
  std::uint32_t word = row->opcode;
  const auto inputs = static_cast<std::int64_t>(node.inputs.size());
  for (std::size_t a = 0; a < 2; ++a) {
    const std::int64_t arg = attrs.args[s * 3 + a];
    const bool wanted = static_cast<int>(a) < operands_of(row->form);
    if (wanted && (arg < 0 || arg >= inputs + static_cast<std::int64_t>(s))) {
      return refuse(node, "a step reads what is not there");
    }
    if (!wanted) continue;
    const std::int64_t slot =
        arg < inputs ? arg : arg - inputs + static_cast<std::int64_t>(kInputsMax);
    word |= static_cast<std::uint32_t>(slot) << (8 * (a + 1));
  }
  return word;
}

Status check(const NodeDesc& node, const ChainAttrs& attrs) {
  if (node.inputs.empty() || node.inputs.size() > kInputsMax) {
    return refuse(node, "inputs, got " + std::to_string(node.inputs.size()) + ", wanted 1 to 8");
  }
  if (attrs.ops.empty() || attrs.ops.size() > kStepsMax ||
      attrs.args.size() != attrs.ops.size() * 3) {
    return refuse(node, "steps, got " + std::to_string(attrs.ops.size()) + ", wanted 1 to 16");
  }
  for (const OperandDesc& input : node.inputs) {
    if (!input.present) return refuse(node, "an input is absent");
    if (input.type.dtype != node.inputs[0].type.dtype) return refuse(node, "inputs of two types");
    const Result<std::uint32_t> code = float_code(node, input);
    if (!code) return code.error();
  }
  return Status::success();
}

struct Plan {
  Space space;
  std::vector<std::uint32_t> constants;
  bool strided = false;
};

Result<Plan> plan(const NodeDesc& node, const ChainAttrs& attrs) {
  Plan p;
  const Shape& out = node.outputs[0].type.shape;
  std::vector<Shape> shapes;
  for (const OperandDesc& input : node.inputs) {
    shapes.push_back(input.type.shape);
  }
  shapes.resize(kInputsMax);  // absent ones stand still, as scalars do
  shapes.push_back(out);
  p.space = broadcast_space(out, shapes);
  std::uint32_t modes = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const std::uint32_t mode = operand_mode(p.space, static_cast<int>(i));
    p.strided = p.strided || mode == kModeStrided;
    modes |= mode << (2 * i);
  }
  p.constants = {static_cast<std::uint32_t>(attrs.ops.size()),
                 static_cast<std::uint32_t>(node.inputs.size()),
                 p.strided ? static_cast<std::uint32_t>(p.space.size()) : 0u, modes};
  for (std::size_t s = 0; s < attrs.ops.size(); ++s) {
    const Result<std::uint32_t> word = step_word(node, attrs, s);
    if (!word) return word.error();
    p.constants.push_back(*word);
  }
  p.constants.resize(4 + kStepsMax, 0);
  p.constants.push_back(type_code(node.inputs[0].type.dtype));
  return p;
}

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  const auto& attrs = node.attributes<ChainAttrs>();
  const Status checked = check(node, attrs);
  if (!checked) return checked.error();
  Result<Plan> planned = plan(node, attrs);
  if (!planned) return planned.error();
  const Plan& p = *planned;
  const ElementWidth width = width_of(node.inputs[0].type.dtype);
  const std::vector<ElementWidth> widths(kInputsMax + 1, width);
  const bool empty = operand_elements(node.outputs[0]) == 0;
  std::vector<SpacePart> parts;
  if (!empty) parts = split_space(target, p.space, widths);
  if (!empty && parts.empty()) {
    return refuse(node, "an operand exceeds the binding limit and cannot be split");
  }
  auto kernel = std::make_shared<VulkanKernel>("chain of " + std::to_string(attrs.ops.size()));
  if (p.strided) {
    append_params(*kernel, space_words(p.space, kInputsMax), target.alignment_bytes);
  }
  for (const SpacePart& part : parts) {
    Dispatch dispatch;
    dispatch.shader = shader_of(attrs.ops.size());
    dispatch.constants = p.constants;
    dispatch.push = {static_cast<std::uint32_t>(part.elements)};
    std::int64_t moved = 0;
    for (std::size_t i = 0; i <= kInputsMax; ++i) {
      const std::size_t from = i < node.inputs.size() || i == kInputsMax ? i : 0;
      const Operand whole =
          i == kInputsMax ? Operand::output(0) : Operand::input(static_cast<int>(from));
      std::uint32_t base = 0;
      dispatch.operands.push_back(part_window(target, part, from, width, whole, base));
      dispatch.push.push_back(base);
      if (from == i) moved += dispatch.operands.back().bytes;
    }
    dispatch.operands.push_back(Operand::params());
    dispatch.grid = grid_1d(target, ceil_div(part.elements, 1024));
    dispatch.barrier_before = false;
    const auto steps = static_cast<std::int64_t>(attrs.ops.size());
    dispatch.estimate_us = model_us(moved, part.elements * 6 * steps);
    kernel->dispatches.push_back(std::move(dispatch));
  }
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

/// Programs of a kind that fusion makes: a gate, a residual with bias, and the longest there is.
std::vector<ShaderVariant> variants() {
  const auto step = [](std::uint32_t op, std::uint32_t a, std::uint32_t b) {
    return op | a << 8 | b << 16;
  };
  const auto pad = [](std::vector<std::uint32_t> words) {
    words.resize(4 + kStepsMax + 1, 0);
    return words;
  };
  std::vector<std::uint32_t> longest = {16, 8, 4, 0xAAAA};
  for (std::uint32_t s = 0; s < kStepsMax; ++s) {
    const std::uint32_t last = s == 0 ? 0 : 7 + s;
    longest.push_back(s % 2 == 0 ? step(kOpAdd, last, s / 2) : step(kOpGelu, last, 0));
  }
  std::vector<ShaderVariant> all;
  all.push_back({"chain gate", shader_of(3),
                 pad({3, 2, 0, 0, step(kOpSigmoid, 0, 0), step(kOpMul, 0, 8), step(kOpMul, 9, 1)}),
                 10, 40, 0});
  all.push_back({"chain residual", shader_of(2),
                 pad({2, 3, 2, 2, step(kOpAdd, 0, 1), step(kOpAdd, 8, 2)}), 10, 40, 0});
  all.push_back({"chain longest", shader_of(kStepsMax), pad(longest), 10, 40, 0});
  longest.push_back(kTypeF16);
  all.push_back({"chain longest float16", shader_of(kStepsMax), longest, 10, 40, 0});
  return all;
}

}  // namespace

extern const KernelFamily family_chain;
const KernelFamily family_chain{{"chain", kOps, one_kernel<select>}, variants};

}  // namespace polaris::vulkan
