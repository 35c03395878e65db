#include <string>

#include "backend/vulkan/parts/conv_window.h"
#include "backend/vulkan/parts/opcode.h"
#include "base/checked.h"

/// MaxPool with its indices, AveragePool, GlobalMaxPool and GlobalAveragePool.
namespace polaris::vulkan {
namespace {

std::uint32_t word(std::int64_t value) { return static_cast<std::uint32_t>(value); }

bool is_byte(const OperandDesc& operand) { return dtype_info(operand.type.dtype).bits == 8; }
bool is_last(const OperandDesc& operand) { return operand.layout == Layout::kChannelsLast; }

/// The module of pool.comp by the type of x; none: unsupported.
std::string_view shader_for(DType x) {
  switch (x) {
    case DType::kF32: return "pool.f32";
    case DType::kF16:
    case DType::kBF16: return "pool.f16";
    case DType::kI8:
    case DType::kU8: return "pool.i8";
    default: return {};
  }
}

KernelResult finish(const char* name, Dispatch d, const NodeDesc& node, std::int64_t operations) {
  auto kernel = std::make_shared<VulkanKernel>(name);
  std::int64_t bytes = operand_bytes(node.inputs[0]);
  for (const OperandDesc& output : node.outputs) bytes += operand_bytes(output);
  d.barrier_before = false;
  d.estimate_us = model_us(bytes, operations);
  kernel->dispatches.push_back(std::move(d));
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

/// A workgroup a plane, or with channels last a workgroup 64 channels.
KernelResult select_planes(const VulkanTarget& target, const NodeDesc& node, bool average,
                           std::int64_t area) {
  const OperandDesc& x = node.inputs[0];
  const bool last = is_last(x);
  const std::int64_t images = x.type.shape[0];
  const std::int64_t channels = x.type.shape[1];
  const std::int64_t groups = images * (last ? ceil_div(channels, 64) : channels);
  const std::uint32_t threads = area > (last ? 16 : 256) ? 256 : 64;
  Dispatch d;
  d.shader = "pool_global";
  d.constants = {threads, average ? 1u : 0u, last ? 1u : 0u, type_code(x.type.dtype)};
  d.push = {word(groups), word(channels), word(area)};
  d.operands = {Operand::input(0), Operand::output(0)};
  d.grid = grid_1d(target, groups);
  d.loop_rounds = ceil_div(area, last ? threads / 64 : threads);
  return finish(average ? "pool_global_average" : "pool_global_max", std::move(d), node,
                operand_elements(x) * 2);
}

KernelResult select_windows(const VulkanTarget& target, const NodeDesc& node, bool average,
                            const ConvGeometry& g, const PoolAttrs& attrs) {
  const OperandDesc& x = node.inputs[0];
  const OperandDesc& y = node.outputs[0];
  const bool indices = node.outputs.size() > 1 && node.outputs[1].present;
  if (indices && node.outputs[1].layout != y.layout) {
    return refuse(node, "indices of another layout than the maxima");
  }
  const std::int64_t outputs = operand_elements(y);
  const bool columns = attrs.storage_order == 1;
  const bool count_pad = average && attrs.count_include_pad;
  Dispatch d;
  d.shader = shader_for(x.type.dtype);
  d.constants = {average ? 1u : 0u,
                 x.type.dtype == DType::kI8 ? 1u : 0u,
                 !indices  ? 0u
                 : columns ? 2u
                           : 1u,
                 g.spatial == 3 ? 1u : 0u,
                 is_last(x) ? 1u : 0u,
                 is_last(y) ? 1u : 0u,
                 x.type.dtype == DType::kBF16 ? 1u : 0u};
  d.push = {word(outputs), word(x.type.shape[1]), count_pad ? 1u : 0u};
  for (const WindowDim& w : g.dims) d.push.push_back(word(w.in + w.pad_end));
  append_window(d.push, g);
  // Absent indices are bound to the maxima; the shader does not look.
  d.operands = {Operand::input(0), Operand::output(0), Operand::output(indices ? 1 : 0)};
  d.grid = grid_1d(target, ceil_div(outputs, 64));
  const std::int64_t planes = g.dims[0].kernel;
  d.loop_rounds = g.kernel_size() + planes * (g.dims[1].kernel + 1);
  return finish(average ? "pool_average" : "pool_max", std::move(d), node,
                outputs * g.kernel_size() * 4);
}

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  const bool average = node.op->name.ends_with("AveragePool");
  const bool global = node.op->name.starts_with("Global");
  const OperandDesc& x = node.inputs[0];
  const Shape& shape = x.type.shape;
  if (shader_for(x.type.dtype).empty() || (is_byte(x) && (average || global))) {
    return refuse(node, "inputs of this type");
  }
  if (Status s = check_operands(target, node); !s) return s.error();
  if (operand_elements(node.outputs[0]) == 0) {
    return std::shared_ptr<Kernel>(std::make_shared<VulkanKernel>("pool_empty"));
  }
  if (operand_elements(x) == 0) return refuse(node, "an empty input");
  if (!global) {
    const auto g = pool_geometry(shape, node.attributes<PoolAttrs>());
    if (!g) return refuse(node, g.error().message());
    if (Status s = check_window(node, *g); !s) return s.error();
    return select_windows(target, node, average, *g, node.attributes<PoolAttrs>());
  }
  // A small plane is one window of one thread.
  const std::int64_t area = shape.elements_between(2, shape.rank());
  if (area > 32 || is_last(x)) return select_planes(target, node, average, area);
  ConvGeometry g;
  g.spatial = 1;
  g.dims[2].in = g.dims[2].kernel = area;
  return select_windows(target, node, average, g, PoolAttrs());
}

void add_windows(std::vector<ShaderVariant>& all, DType type, const std::string& suffix) {
  const std::uint32_t sign = type == DType::kI8 ? 1 : 0;
  const std::uint32_t brain = type == DType::kBF16 ? 1 : 0;
  const auto add = [&](const std::string& name, std::vector<std::uint32_t> constants) {
    constants.push_back(brain);
    all.push_back({"pool " + suffix + name, shader_for(type), std::move(constants), 3, 96, 64});
  };
  add("max", {0, sign, 0, 0, 0, 0});
  add("max indices", {0, sign, 1, 0, 0, 0});
  add("max columns 3d", {0, sign, 2, 1, 0, 0});
  add("max 3d", {0, sign, 0, 1, 0, 0});
  add("max last", {0, sign, 0, 0, 1, 1});
  add("max indices 3d last", {0, sign, 1, 1, 1, 1});
  if (sign != 0) return;
  add("average", {1, 0, 0, 0, 0, 0});
  add("average 3d", {1, 0, 0, 1, 0, 0});
  add("average last", {1, 0, 0, 0, 1, 1});
}

void add_planes(std::vector<ShaderVariant>& all, DType type, const std::string& suffix) {
  for (const std::uint32_t average : {0u, 1u}) {
    for (const std::uint32_t last : {0u, 1u}) {
      for (const std::uint32_t threads : {64u, 256u}) {
        all.push_back({"pool_global " + suffix + (average != 0 ? "average" : "max") +
                           (last != 0 ? " last " : " ") + std::to_string(threads),
                       "pool_global",
                       {threads, average, last, type_code(type)},
                       2,
                       12,
                       threads});
      }
    }
  }
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all;
  add_windows(all, DType::kF32, "");
  add_windows(all, DType::kF16, "f16 ");
  add_windows(all, DType::kBF16, "bf16 ");
  add_windows(all, DType::kI8, "i8 ");
  add_planes(all, DType::kF32, "f32 ");
  add_planes(all, DType::kF16, "f16 ");
  add_planes(all, DType::kBF16, "bf16 ");
  return all;
}

constexpr std::string_view kOps[] = {"MaxPool", "AveragePool", "GlobalMaxPool",
                                     "GlobalAveragePool"};

}  // namespace

extern const KernelFamily family_pool;
const KernelFamily family_pool{{"pool", kOps, one_kernel<select>, kOps}, variants};

}  // namespace polaris::vulkan
