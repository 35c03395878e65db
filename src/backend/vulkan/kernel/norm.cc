#include <algorithm>
#include <string>

#include "backend/vulkan/parts/kernel_util.h"
#include "backend/vulkan/parts/opcode.h"
#include "base/checked.h"
#include "ir/op_attrs/normalization.h"

/// RMSNormalization, LayerNormalization, InstanceNormalization, GroupNormalization and
/// BatchNormalization.
namespace polaris::vulkan {
namespace {

std::uint32_t word(std::int64_t value) { return static_cast<std::uint32_t>(value); }

/// x as contiguous rows, and how scale and bias stand against them.
struct Rows {
  std::int64_t rows = 0;
  std::int64_t size = 0;
  std::int64_t scales = 1;
  std::int64_t spatial = 1;
  bool centred = true;
  bool per_channel = false;
  float epsilon = 0;
};

/// Rows over the axes from `axis` on; scale of a row's shape, or one for all.
template <class A>
Result<Rows> trailing_rows(const NodeDesc& node) {
  const Shape& x = node.inputs[0].type.shape;
  const auto axis = normalize_axis(node.attributes<A>().axis, x.rank());
  if (!axis) return refuse(node, "an axis outside the rank");
  Rows r;
  r.epsilon = node.attributes<A>().epsilon;
  r.size = x.elements_between(*axis, x.rank());
  r.rows = x.elements_between(0, *axis);
  r.centred = node.op->name == "LayerNormalization";
  r.scales = operand_elements(node.inputs[1]);
  if (r.scales == 1) return r;
  // Leading ones aside, the scale must have the row's own shape.
  const Shape& scale = node.inputs[1].type.shape;
  if (r.scales != r.size || scale.elements_between(std::max(0, scale.rank() - (x.rank() - *axis)),
                                                   scale.rank()) != r.size) {
    return refuse(node, "a scale of another shape than the normalized axes");
  }
  return r;
}

/// Rows of a group of channels; scale and bias per channel.
Result<Rows> channel_rows(const NodeDesc& node, std::int64_t groups, float epsilon) {
  const Shape& x = node.inputs[0].type.shape;
  if (x.rank() < 2) return refuse(node, "a rank below 2");
  if (groups <= 0 || x[1] % groups != 0 || operand_elements(node.inputs[1]) != x[1]) {
    return refuse(node, "channels that the groups do not divide");
  }
  Rows r;
  r.epsilon = epsilon;
  r.spatial = x.elements_between(2, x.rank());
  r.rows = x[0] * groups;
  r.size = x[1] / groups * r.spatial;
  r.scales = x[1];
  r.per_channel = true;
  return r;
}

Result<Rows> rows_of(const NodeDesc& node) {
  if (node.op->is("RMSNormalization")) return trailing_rows<RmsNormAttrs>(node);
  if (node.op->is("LayerNormalization")) return trailing_rows<LayerNormAttrs>(node);
  if (node.op->is("InstanceNormalization")) {
    const Shape& x = node.inputs[0].type.shape;
    return channel_rows(node, x.rank() < 2 ? 0 : x[1],
                        node.attributes<InstanceNormAttrs>().epsilon);
  }
  const auto& attrs = node.attributes<GroupNormAttrs>();
  return channel_rows(node, attrs.num_groups, attrs.epsilon);
}

constexpr std::uint32_t kThreads[] = {64, 128, 256, 512, 1024};

/// Threads of a row's workgroup. Few rows leave most of a card idle and wait for their loads: they
/// get more threads, as long as each has a few elements.
std::uint32_t threads_for(const VulkanTarget& target, std::int64_t rows, std::int64_t size) {
  constexpr std::int64_t kFewRows = 64;
  std::uint32_t out = size <= 64 ? 64 : size <= 128 ? 128 : 256;
  if (rows > kFewRows) return out;
  while (out < 1024 && out * 2 <= target.group_threads_max && size >= std::int64_t{out} * 8) {
    out *= 2;
  }
  return out;
}

KernelResult select_batch(const VulkanTarget& target, const NodeDesc& node) {
  const Shape& x = node.inputs[0].type.shape;
  const auto& attrs = node.attributes<BatchNormAttrs>();
  if (attrs.training_mode) return refuse(node, "training mode");
  if (x.rank() < 2) return refuse(node, "a rank below 2");
  const std::int64_t elements = x.elements();
  const Result<std::uint32_t> types = float_codes(node, 0, 4);
  if (!types) return types.error();
  const auto type = [&](unsigned i) { return *types >> (8 * i) & 255u; };
  const Result<std::uint32_t> variance = float_code(node, node.inputs[4]);
  if (!variance) return variance.error();
  if (type(1) != type(2) || type(3) != *variance) {
    return refuse(node, "scale and bias, or mean and variance, of different types");
  }
  auto kernel = std::make_shared<VulkanKernel>("norm_batch");
  Dispatch d;
  d.shader = "batch_norm";
  d.constants = {type(0) | type(1) << 8 | type(3) << 16};
  d.push = {word(elements), word(x[1]), word(x.elements_between(2, x.rank())),
            float_bits(attrs.epsilon)};
  for (int i = 0; i < 5; ++i) d.operands.push_back(Operand::input(i));
  d.operands.push_back(Operand::output(0));
  d.grid = grid_1d(target, ceil_div(elements, 256));
  d.barrier_before = false;
  d.estimate_us = model_us(elements * 8, elements * 32);
  kernel->dispatches.push_back(std::move(d));
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (!has_input(node, i)) continue;
    if (operand_bytes(node.inputs[i]) >
        std::min<std::int64_t>(target.binding_bytes_max, INT32_MAX)) {
      return refuse(node, "an operand larger than a binding may be");
    }
  }
  if (node.op->is("BatchNormalization")) return select_batch(target, node);
  Result<Rows> rows = rows_of(node);
  if (!rows) return rows.error();
  const Rows& r = *rows;
  if (r.size == 0) return refuse(node, "statistics of no elements");
  const bool bias = has_input(node, 2);
  if (bias && operand_elements(node.inputs[2]) != r.scales) {
    return refuse(node, "a bias of another shape than the scale");
  }
  const Result<std::uint32_t> types = float_codes(node, 0, 3);
  const Result<std::uint32_t> y = float_code(node, node.outputs[0]);
  if (!types) return types.error();
  if (!y) return y.error();
  const auto wanted = [&](std::size_t i) {
    return i < node.outputs.size() && node.outputs[i].present ? static_cast<std::uint32_t>(i) : 0u;
  };
  auto kernel = std::make_shared<VulkanKernel>(r.centred ? "norm_layer" : "norm_rms");
  Dispatch d;
  d.shader = "norm";
  d.constants = {threads_for(target, r.rows, r.size),
                 r.centred ? 1u : 0u,
                 bias ? 1u : 0u,
                 r.per_channel ? 1u : 0u,
                 *types | *y << 24,
                 wanted(1) | wanted(2)};
  d.push = {word(r.rows), word(r.size), word(r.scales), word(r.spatial), float_bits(r.epsilon)};
  d.operands = {Operand::input(0),  Operand::input(1),  Operand::input(2),
                Operand::output(0), Operand::output(1), Operand::output(2)};
  d.grid = grid_1d(target, r.rows);
  d.barrier_before = false;
  d.loop_rounds = 3 * ceil_div(r.size, d.constants[0]);
  d.estimate_us = model_us(r.rows * r.size * 8, r.rows * r.size * 6);
  kernel->dispatches.push_back(std::move(d));
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all = {{"batch_norm", "batch_norm", {0}, 6, 16, 0},
                                    {"batch_norm f16", "batch_norm", {0x010101}, 6, 16, 0},
                                    {"batch_norm bf16", "batch_norm", {0x020202}, 6, 16, 0}};
  for (const std::uint32_t threads : kThreads) {
    for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
      const std::string n = " " + std::to_string(threads) + variant_suffix(dtype);
      const std::uint32_t types = type_code(dtype) * 0x01010101u;
      all.push_back({"norm rms" + n, "norm", {threads, 0, 0, 0, types, 0}, 6, 20, threads});
      all.push_back({"norm layer" + n, "norm", {threads, 1, 1, 0, types, 0}, 6, 20, threads});
      all.push_back({"norm channel" + n, "norm", {threads, 1, 1, 1, types, 0}, 6, 20, threads});
    }
    all.push_back({"norm layer statistics " + std::to_string(threads),
                   "norm",
                   {threads, 1, 1, 0, 0, 3},
                   6,
                   20,
                   threads});
  }
  return all;
}

constexpr std::string_view kOps[] = {"RMSNormalization", "LayerNormalization",
                                     "InstanceNormalization", "GroupNormalization",
                                     "BatchNormalization"};

}  // namespace

extern const KernelFamily family_norm;
const KernelFamily family_norm{{"norm", kOps, one_kernel<select>}, variants};

}  // namespace polaris::vulkan
