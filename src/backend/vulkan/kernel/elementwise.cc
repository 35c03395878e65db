#include <algorithm>
#include <array>
#include <bit>
#include <iterator>
#include <string>
#include <vector>

#include "backend/elementwise.h"
#include "backend/vulkan/parts/kernel_util.h"
#include "backend/vulkan/parts/opcode.h"
#include "backend/vulkan/parts/strided.h"
#include "base/checked.h"

/// Elementwise ops with NumPy broadcast: one table row an op, one shader source.
namespace polaris::vulkan {
namespace {

constexpr auto kOps = [] {
  std::array<std::string_view, std::size(kElementwiseRows)> names{};
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kElementwiseRows[i].op;
  return names;
}();

/// Bits only: any type of the same width will do.
std::uint32_t bits_code(DType dtype) {
  switch (width_of(dtype).raw()) {
    case 1: return kTypeU8;
    case 2: return kTypeU16;
    case 4: return kTypeU32;
    default: return kTypeU64;
  }
}

struct Value {
  Operand operand;
  Shape shape;
  std::uint32_t type = 0;
  ElementWidth width{1};
  std::int64_t bytes = 0;
};

Value value_of(const OperandDesc& desc, Operand operand, bool bits_only) {
  const ElementWidth width = width_of(desc.type.dtype);
  const std::uint32_t code = bits_only ? bits_code(desc.type.dtype) : type_code(desc.type.dtype);
  return {operand, desc.type.shape, code, width, width.of(desc.type.shape.elements())};
}

/// What one shader call computes.
struct Step {
  std::string_view shader;
  std::uint32_t opcode = 0;
  std::vector<Value> inputs;  // one to three
  Value output;
  float p0 = 0.0f;
  float p1 = 0.0f;
};

std::vector<std::uint32_t> constants_of(std::uint32_t opcode, const std::uint32_t (&types)[4],
                                        const std::uint32_t (&modes)[3], std::uint32_t dims) {
  return {opcode, types[0], types[1], types[2], types[3], modes[0], modes[1], modes[2], dims};
}

/// Adds the dispatches of one step, split where an operand exceeds a binding.
Status add_step(VulkanKernel& kernel, const VulkanTarget& target, const NodeDesc& node,
                const Step& step, bool barrier) {
  std::vector<Shape> shapes;
  std::vector<ElementWidth> widths;
  for (const Value& value : step.inputs) shapes.push_back(value.shape);
  shapes.push_back(step.output.shape);
  const Space space = broadcast_space(step.output.shape, shapes);
  const std::size_t count = step.inputs.size();
  for (const Value& value : step.inputs) widths.push_back(value.width);
  widths.push_back(step.output.width);
  const std::vector<SpacePart> parts = split_space(target, space, widths);
  if (parts.empty())
    return refuse(node, "an operand exceeds the binding limit and cannot be split");

  std::uint32_t types[4] = {};
  std::uint32_t modes[3] = {};
  bool strided = false;
  Space inputs_space = space;
  for (SpaceDim& dim : inputs_space) {
    for (std::size_t o = count; o < 3; ++o) dim.strides[o] = 0;
  }
  for (std::size_t o = 0; o < 3; ++o) {
    types[o] = o < count ? step.inputs[o].type : step.inputs[0].type;
    modes[o] = o < count ? operand_mode(space, static_cast<int>(o)) : kModeScalar;
    strided = strided || modes[o] == kModeStrided;
  }
  types[3] = step.output.type;
  const auto dims = strided ? static_cast<std::uint32_t>(space.size()) : 0u;
  std::int64_t params = 0;
  if (strided) {
    params = append_params(kernel, space_words(inputs_space, 3), target.alignment_bytes);
  }
  bool first = true;
  for (const SpacePart& part : parts) {
    Dispatch dispatch;
    dispatch.shader = step.shader;
    dispatch.constants = constants_of(step.opcode, types, modes, dims);
    dispatch.push = {static_cast<std::uint32_t>(part.elements), float_bits(step.p0),
                     float_bits(step.p1)};
    std::int64_t moved = 0;
    for (std::size_t o = 0; o < 4; ++o) {
      const bool out = o == 3;
      const std::size_t from = out ? count : o < count ? o : 0;
      const Value& value = out ? step.output : step.inputs[from];
      std::uint32_t base = 0;
      dispatch.operands.push_back(
          part_window(target, part, from, value.width, value.operand, base));
      dispatch.push.push_back(base);
      if (out || o < count) moved += dispatch.operands.back().bytes;
    }
    dispatch.operands.push_back(Operand::params(params));
    dispatch.grid = grid_1d(target, ceil_div(part.elements, 1024));
    dispatch.barrier_before = barrier && first;
    dispatch.estimate_us = model_us(moved, part.elements * 8);
    first = false;
    kernel.dispatches.push_back(std::move(dispatch));
  }
  return Status::success();
}

/// The shader for arithmetic on a dtype.
Result<std::string_view> arithmetic_shader(const VulkanTarget& target, const NodeDesc& node,
                                           DType dtype, std::uint32_t types) {
  const bool allowed = is_float(dtype)         ? (types & kFloats) != 0
                       : dtype == DType::kBool ? (types & kBools) != 0
                                               : (types & kInts) != 0;
  if (dtype == DType::kF64) return refuse(node, "float64, which stays on the cpu");
  if (!allowed) {
    return refuse(node, "no shader for " + std::string(dtype_name(dtype)));
  }
  if (is_float(dtype)) return std::string_view("elementwise.float");
  // The second operand of Pow is of a type of its own.
  const bool wide = std::any_of(node.inputs.begin(), node.inputs.end(), [](const OperandDesc& o) {
    return o.present && dtype_info(o.type.dtype).bits == 64;
  });
  if (!wide) return std::string_view("elementwise.int");
  if (!target.int64) return refuse(node, "64-bit integers, which this device lacks");
  return std::string_view("elementwise.int64");
}

/// Cast goes through the domain of its source; 64-bit sources by what is kept of them.
Result<std::string_view> cast_shader(const NodeDesc& node, DType from, DType to) {
  if (type_code(from) == kTypeNone || type_code(to) == kTypeNone) {
    return refuse(node, "float64, which stays on the cpu");
  }
  if (from == to) return std::string_view("elementwise.bits");
  if (is_float(from) || is_float(to)) return std::string_view("elementwise.float");
  if (dtype_info(from).bits < 64) return std::string_view("elementwise.int");
  if (to == DType::kBool) return std::string_view("elementwise.float");
  // Low bits are all that narrower types keep, and all that the other 64-bit type differs in.
  return std::string_view(dtype_info(to).bits < 64 ? "elementwise.int" : "elementwise.bits");
}

Status add_fixed(VulkanKernel& kernel, const VulkanTarget& target, const NodeDesc& node,
                 const ElementwiseRow& row, std::string_view shader, bool bits_only) {
  Step step;
  step.shader = shader;
  step.opcode = opcode_of(row, node);
  for (int i = 0; i < operands_of(row.form); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (!has_input(node, at)) return refuse(node, "an input is absent");
    step.inputs.push_back(value_of(node.inputs[at], Operand::input(i), bits_only));
  }
  step.output = value_of(node.outputs[0], Operand::output(0), bits_only);
  step.p0 = number_of(node, 0);
  step.p1 = number_of(node, 1);
  return add_step(kernel, target, node, step, false);
}

Status add_clip(VulkanKernel& kernel, const VulkanTarget& target, const NodeDesc& node,
                std::string_view shader) {
  Step step;
  step.shader = shader;
  step.inputs.push_back(value_of(node.inputs[0], Operand::input(0), false));
  for (std::size_t i = 1; i <= 2; ++i) {
    if (has_input(node, i)) {
      step.inputs.push_back(value_of(node.inputs[i], Operand::input(static_cast<int>(i)), false));
    }
  }
  step.opcode = step.inputs.size() == 3 ? kOpClip
                : has_input(node, 1)    ? kOpMax
                : has_input(node, 2)    ? kOpMin
                                        : kOpIdentity;
  step.output = value_of(node.outputs[0], Operand::output(0), false);
  return add_step(kernel, target, node, step, false);
}

/// Folds inputs pairwise; partial results stay in the workspace, because the output may share
/// bytes with an input that is read later.
Status add_variadic(VulkanKernel& kernel, const VulkanTarget& target, const NodeDesc& node,
                    const ElementwiseRow& row, std::string_view shader) {
  const std::size_t count = node.inputs.size();
  const Value output = value_of(node.outputs[0], Operand::output(0), false);
  const bool mean = row.opcode == kOpAddScale;
  Value partial = value_of(node.inputs[0], Operand::input(0), false);
  if (count == 1) {
    Step copy{.shader = shader, .opcode = kOpIdentity, .inputs = {partial}, .output = output};
    return add_step(kernel, target, node, copy, false);
  }
  for (std::size_t i = 1; i < count; ++i) {
    const bool last = i + 1 == count;
    Step step{.shader = shader, .opcode = mean && !last ? kOpAdd : row.opcode};
    step.inputs = {partial, value_of(node.inputs[i], Operand::input(static_cast<int>(i)), false)};
    step.output = output;
    if (!last) step.output.operand = Operand::workspace();
    step.p0 = 1.0f / static_cast<float>(count);
    if (last && mean && !std::has_single_bit(count)) {
      step.opcode = kOpAddDivide;  // the inverse would be rounded before the product is
      step.p0 = static_cast<float>(count);
    }
    const Status added = add_step(kernel, target, node, step, i > 1);
    if (!added) return added.error();
    partial = step.output;
  }
  if (count > 2) kernel.workspace = output.bytes;
  return Status::success();
}

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  const ElementwiseRow* row = find_elementwise(node.op->name);
  if (row == nullptr || node.inputs.empty() || !node.inputs[0].present) {
    return refuse(node, "no elementwise form");
  }
  for (const OperandDesc& operand : node.inputs) {
    if (operand.present && !operand.type.encoding.is_plain()) return refuse(node, "encoded input");
  }
  const DType dtype = node.inputs[0].type.dtype;
  Result<std::string_view> shader = std::string_view("elementwise.bits");
  if (row->form == ElementForm::kCast) {
    shader = cast_shader(node, dtype, node.outputs[0].type.dtype);
  } else if (row->form != ElementForm::kWhere && row->form != ElementForm::kCopy) {
    shader = arithmetic_shader(target, node, dtype, row->types);
  }
  if (!shader) return shader.error();
  if (row->op == "Pow" && node.inputs[1].type.dtype != dtype &&
      is_float(node.inputs[1].type.dtype) != is_float(dtype)) {
    if (!is_float(dtype)) return refuse(node, "an integer base with a float exponent");
  }
  auto kernel = std::make_shared<VulkanKernel>(std::string(*shader) + " " + std::string(row->op));
  const bool bits_only = *shader == "elementwise.bits";
  Status added;
  if (operand_elements(node.outputs[0]) == 0) {
    finish_estimate(*kernel, node);
    return std::shared_ptr<Kernel>(std::move(kernel));
  }
  switch (row->form) {
    case ElementForm::kVariadic: added = add_variadic(*kernel, target, node, *row, *shader); break;
    case ElementForm::kClip: added = add_clip(*kernel, target, node, *shader); break;
    case ElementForm::kUnary:
    case ElementForm::kBinary:
    case ElementForm::kWhere:
    case ElementForm::kCopy:
    case ElementForm::kCast:
      added = add_fixed(*kernel, target, node, *row, *shader, bits_only);
      break;
  }
  if (!added) return added.error();
  // CastLike's pattern is used for its type only.
  if (row->form == ElementForm::kCast && node.inputs.size() > 1) kernel->absorbed |= 1ull << 1;
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

/// A row's variants in one domain: aligned operands, and a strided last operand.
void add_variants(std::vector<ShaderVariant>& all, const ElementwiseRow& row,
                  std::string_view shader, DType dtype) {
  const bool bits_only = shader == "elementwise.bits";
  const std::uint32_t code = bits_only ? bits_code(dtype) : type_code(dtype);
  const bool to_bool = (row.opcode >= kOpEqual && row.opcode <= kOpLessOrEqual) ||
                       row.opcode == kOpIsNaN || row.opcode == kOpIsInf;
  const std::uint32_t types[4] = {code, code, code, to_bool ? kTypeBool : code};
  const Opcode opcode = row.op == "Mod" && is_float(dtype) ? kOpFmod : row.opcode;
  for (const std::uint32_t mode : {kModeSame, kModeStrided}) {
    std::uint32_t modes[3] = {kModeSame, kModeScalar, kModeScalar};
    modes[operands_of(row.form) - 1] = mode;
    ShaderVariant variant;
    variant.name = std::string(shader) + " " + std::string(row.op) + " " +
                   std::string(dtype_name(dtype)) + (mode == kModeSame ? " same" : " strided");
    variant.shader = shader;
    variant.constants = constants_of(opcode, types, modes, mode == kModeStrided ? 3 : 0);
    variant.bindings = 5;
    variant.push_bytes = 28;
    all.push_back(std::move(variant));
  }
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all;
  for (const ElementwiseRow& row : kElementwiseRows) {
    const bool bits_only = row.form == ElementForm::kWhere || row.form == ElementForm::kCopy;
    if (bits_only) {
      for (const DType d : {DType::kU8, DType::kU16, DType::kU32, DType::kU64}) {
        add_variants(all, row, "elementwise.bits", d);
      }
      continue;
    }
    if ((row.types & kFloats) != 0) {
      add_variants(all, row, "elementwise.float", DType::kF32);
      add_variants(all, row, "elementwise.float", DType::kF16);
      if (row.opcode == kOpAddScale) {
        ElementwiseRow divided = row;
        divided.op = "Mean by division";
        divided.opcode = kOpAddDivide;
        add_variants(all, divided, "elementwise.float", DType::kF32);
      }
    }
    if ((row.types & kInts) != 0) {
      add_variants(all, row, "elementwise.int", DType::kI32);
      add_variants(all, row, "elementwise.int", DType::kU8);
      if (row.form != ElementForm::kCast) add_variants(all, row, "elementwise.int64", DType::kI64);
    }
    if ((row.types & kBools) != 0) add_variants(all, row, "elementwise.int", DType::kBool);
  }
  return all;
}

}  // namespace

extern const KernelFamily family_elementwise;
const KernelFamily family_elementwise{{"elementwise", kOps, one_kernel<select>}, variants};

}  // namespace polaris::vulkan
