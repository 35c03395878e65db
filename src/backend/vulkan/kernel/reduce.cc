#include "ir/op_util/reduce.h"

#include <algorithm>
#include <string>

#include "backend/vulkan/parts/kernel_util.h"
#include "backend/vulkan/parts/opcode.h"
#include "base/checked.h"
#include "ir/op_attrs/reduce.h"

/// ReduceSum and its like over any axes, ArgMax and ArgMin.
namespace polaris::vulkan {
namespace {

std::uint32_t word(std::int64_t value) { return static_cast<std::uint32_t>(value); }

// In the order of the op numbers in reduce.comp.
constexpr std::string_view kOps[] = {
    "ReduceSum", "ReduceMean",      "ReduceMax",    "ReduceMin",       "ReduceProd", "ReduceL1",
    "ReduceL2",  "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp", "ArgMax",     "ArgMin"};
constexpr std::uint32_t kMean = 1, kMax = 2, kMin = 3, kL2 = 6, kLogSum = 8, kLogSumExp = 9,
                        kArgMax = 10;

/// Dims of size 1 dropped, neighbours that one stride walks merged; innermost first.
std::vector<std::uint32_t> dim_words(const Shape& sizes, const Shape& strides) {
  std::vector<std::uint32_t> words;
  for (int i = sizes.rank() - 1; i >= 0; --i) {
    if (sizes[i] == 1) continue;
    const std::size_t n = words.size();
    if (n > 0 && strides[i] == std::int64_t{words[n - 2]} * words[n - 1]) {
      words[n - 2] *= word(sizes[i]);
    } else {
      words.push_back(word(sizes[i]));
      words.push_back(word(strides[i]));
    }
  }
  if (words.empty()) words = {1, 0};
  return words;
}

/// Axes of the node; nothing: all, or none with noop_with_empty_axes.
Result<std::vector<std::int64_t>> read_axes(const NodeDesc& node, bool arg) {
  if (arg) return std::vector<std::int64_t>{node.attributes<ArgReduceAttrs>().axis};
  if (!has_input(node, 1)) return std::vector<std::int64_t>{};
  auto axes = known_ints(node, 1);
  if (!axes) return refuse(node, "axes that are not known when planning");
  return *axes;
}

/// The module whose values hold what the op makes of this type.
Result<std::string_view> shader_of(const VulkanTarget& target, const NodeDesc& node, DType dtype,
                                   std::uint32_t op) {
  if (is_float(dtype)) {
    const Result<std::uint32_t> code = float_code(node, node.inputs[0]);
    if (!code) return code.error();
    return std::string_view("reduce.float");
  }
  if (dtype == DType::kBool && op != kMax && op != kMin) return refuse(node, "bool");
  if (op == kLogSum || op == kLogSumExp) return refuse(node, "logarithms of integers");
  // What a mean or a root sums must not wrap.
  const bool wide = dtype_info(dtype).bits == 64 || op == kMean || op == kL2;
  if (wide && !target.int64) return refuse(node, "64-bit integers, which this device lacks");
  return std::string_view(wide ? "reduce.int64" : "reduce.int");
}

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  const auto op =
      static_cast<std::uint32_t>(std::find(std::begin(kOps), std::end(kOps), node.op->name) - kOps);
  const bool arg = op >= kArgMax;
  const OperandDesc& x = node.inputs[0];
  const Result<std::string_view> shader = shader_of(target, node, x.type.dtype, op);
  if (!shader) return shader.error();
  if (operand_bytes(x) > std::min<std::int64_t>(target.binding_bytes_max, INT32_MAX)) {
    return refuse(node, "an operand larger than a binding may be");
  }
  Result<std::vector<std::int64_t>> axes = read_axes(node, arg);
  if (!axes) return axes.error();
  const bool noop = !arg && node.attributes<ReduceAttrs>().noop_with_empty_axes;
  const auto geometry = reduce_geometry(x.type.shape, *axes, noop);
  if (!geometry) return refuse(node, "axes outside the rank");
  const std::int64_t outputs = operand_elements(node.outputs[0]);
  if (geometry->count == 0 && !is_float(x.type.dtype) && (op == kMax || op == kMin)) {
    return refuse(node, "a limit of no integers");
  }

  std::vector<std::uint32_t> dims = dim_words(geometry->kept, geometry->kept_strides);
  const std::vector<std::uint32_t> reduced =
      dim_words(geometry->reduced, geometry->reduced_strides);
  const auto kept_rank = static_cast<std::uint32_t>(dims.size() / 2);
  const auto reduced_rank = static_cast<std::uint32_t>(reduced.size() / 2);
  // A thread an output would walk it alone: not where a driver ends such a loop.
  const std::int64_t steps = std::max<std::int64_t>(reduced_rank, 1) * (op == kLogSumExp ? 2 : 1);
  const bool columns = geometry->count <= 16 || (dims[1] == 1 && outputs >= 4096 &&
                                                 geometry->count * steps < target.loop_rounds_max);
  const std::uint32_t threads = columns || geometry->count <= 128 ? 64u : 256u;
  dims.insert(dims.end(), reduced.begin(), reduced.end());

  auto kernel = std::make_shared<VulkanKernel>(columns ? "reduce_columns" : "reduce_rows");
  const std::int64_t params = append_params(*kernel, dims, target.alignment_bytes);
  Dispatch d;
  d.shader = *shader;
  d.constants = {threads,
                 op,
                 columns ? 1u : 0u,
                 kept_rank,
                 reduced_rank,
                 arg && node.attributes<ArgReduceAttrs>().select_last_index ? 1u : 0u,
                 type_code(x.type.dtype)};
  d.push = {word(outputs), word(geometry->count)};
  d.operands = {Operand::input(0), Operand::output(0), Operand::params(params)};
  d.grid = grid_1d(target, columns ? ceil_div(outputs, threads) : outputs);
  d.barrier_before = false;
  d.loop_rounds = steps * (columns ? geometry->count : ceil_div(geometry->count, threads));
  d.estimate_us =
      model_us(operand_bytes(x) + operand_bytes(node.outputs[0]), outputs * geometry->count * 8);
  kernel->dispatches.push_back(std::move(d));
  kernel->absorbed = 1u << 1;
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all;
  const auto add = [&](std::uint32_t op, DType dtype, std::string_view shader) {
    const std::string name = "reduce " + std::string(kOps[op]) + variant_suffix(dtype);
    const std::uint32_t type = type_code(dtype);
    all.push_back({name + " rows64", shader, {64, op, 0, 2, 2, 0, type}, 3, 8, 64});
    all.push_back({name + " rows256", shader, {256, op, 0, 2, 2, 0, type}, 3, 8, 256});
    all.push_back({name + " columns", shader, {64, op, 1, 2, 2, 0, type}, 3, 8, 64});
  };
  for (std::uint32_t op = 0; op < std::size(kOps); ++op) {
    add(op, DType::kF32, "reduce.float");
    add(op, DType::kF16, "reduce.float");
    if (op == kLogSum || op == kLogSumExp) continue;
    const bool wide = op == kMean || op == kL2;
    add(op, DType::kI32, wide ? "reduce.int64" : "reduce.int");
    if (!wide) add(op, DType::kU8, "reduce.int");
    add(op, DType::kI64, "reduce.int64");
  }
  return all;
}

}  // namespace

extern const KernelFamily family_reduce;
const KernelFamily family_reduce{{"reduce", kOps, one_kernel<select>}, variants};

}  // namespace polaris::vulkan
