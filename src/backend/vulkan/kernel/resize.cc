#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "backend/node_resize.h"
#include "backend/vulkan/parts/kernel_util.h"
#include "backend/vulkan/parts/opcode.h"
#include "base/checked.h"
#include "ir/op_attrs/resize.h"
#include "tensor/element.h"

/// Resize: nearest elements of any type, weighted sums of floats, along up to three loops.
namespace polaris::vulkan {
namespace {

constexpr std::string_view kOps[] = {"Resize"};
constexpr std::string_view kWeighted = "resize.float";
constexpr std::size_t kResizedMax = 3;
constexpr std::int64_t kTableWordsMax = 12 << 10;  // of the 64 KiB of params
constexpr std::uint32_t kOutside = 0xFFFFFFFF;

std::string_view shader_of(ElementWidth width) {
  switch (width.raw()) {
    case 1: return "resize.b1";
    case 2: return "resize.b2";
    case 4: return "resize.b4";
    default: return "resize.b8";
  }
}

/// The bits of the extrapolation value; sums are of float32.
std::array<std::uint32_t, 2> fill_of(const NodeDesc& node, bool nearest) {
  const DType dtype = nearest ? node.inputs[0].type.dtype : DType::kF32;
  const auto value = static_cast<double>(node.attributes<ResizeAttrs>().extrapolation_value);
  std::array<std::byte, 8> bits = {};
  store_f64(dtype, bits.data(), 0, is_float(dtype) ? value : std::nearbyint(value));
  return std::bit_cast<std::array<std::uint32_t, 2>>(bits);
}

/// The loops as the shader has them, innermost first.
struct Tables {
  std::vector<std::uint32_t> loops;
  std::vector<std::uint32_t> words;
  std::vector<std::uint32_t> taps;  // of the resized ones
  std::uint32_t resized = 0;        // a bit each
  bool crops = false;
};

Tables tables_of(const std::vector<ResizeLoop>& loops, bool nearest) {
  Tables out;
  for (std::size_t d = 0; d < loops.size(); ++d) {
    const ResizeLoop& loop = loops[loops.size() - 1 - d];
    const auto size = static_cast<std::uint32_t>(loop.size);
    const FastDivisor divisor = fast_divisor(size);
    out.loops.insert(out.loops.end(), {divisor.multiplier, divisor.shift, size,
                                       static_cast<std::uint32_t>(loop.step),
                                       static_cast<std::uint32_t>(out.words.size())});
    if (loop.taps == 0) continue;
    out.resized |= 1u << d;
    out.taps.push_back(static_cast<std::uint32_t>(loop.taps));
    for (std::size_t k = 0; k < loop.from.size(); ++k) {
      out.crops = out.crops || loop.from[k] < 0;
      out.words.push_back(loop.from[k] < 0 ? kOutside : static_cast<std::uint32_t>(loop.from[k]));
      if (!nearest) out.words.push_back(float_bits(loop.weights[k]));
    }
  }
  return out;
}

/// Why the shader does not do it, or success.
Status check(const NodeDesc& node, const std::vector<ResizeLoop>& loops, bool nearest) {
  if (!nearest) {
    if (const auto code = float_code(node, node.inputs[0]); !code) return code.error();
  }
  if (nearest && type_code(node.inputs[0].type.dtype) == kTypeNone) {
    return refuse(node, "elements of its type");
  }
  std::int64_t words = 0;
  std::size_t resized = 0;
  for (const ResizeLoop& loop : loops) {
    words += static_cast<std::int64_t>(loop.from.size()) * (nearest ? 1 : 2);
    if (loop.taps > 0) ++resized;
  }
  if (resized == 0) return refuse(node, "nothing is resized");
  if (resized > kResizedMax) return refuse(node, "more than 3 axes");
  if (words > kTableWordsMax) return refuse(node, "more taps than its tables hold");
  if (std::max(operand_elements(node.inputs[0]), operand_elements(node.outputs[0])) >= 1 << 30) {
    return refuse(node, "more than 2^30 elements");
  }
  return Status::success();
}

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  const std::string& mode = node.attributes<ResizeAttrs>().mode;
  const bool nearest = mode == "nearest";
  const auto loops = node_resize(node);
  if (!loops) return refuse(node, "scales, sizes or roi are not known, or too large");
  if (auto s = check(node, *loops, nearest); !s) return s.error();
  Tables tables = tables_of(*loops, nearest);
  std::int64_t sums = 1;
  for (const std::uint32_t taps : tables.taps) sums *= taps;
  tables.taps.resize(kResizedMax, 1);
  const DType dtype = node.inputs[0].type.dtype;
  const std::int64_t count = operand_elements(node.outputs[0]);

  auto kernel = std::make_shared<VulkanKernel>("resize " + mode);
  const std::int64_t at_loops = append_params(*kernel, tables.loops, target.alignment_bytes);
  const std::int64_t at_words = append_params(*kernel, tables.words, target.alignment_bytes);
  const auto fill = fill_of(node, nearest);
  Dispatch dispatch;
  dispatch.shader = nearest ? shader_of(width_of(dtype)) : kWeighted;
  dispatch.constants = {static_cast<std::uint32_t>(loops->size()),
                        tables.resized,
                        tables.crops ? 1u : 0u,
                        tables.taps[0],
                        tables.taps[1],
                        tables.taps[2],
                        type_code(dtype)};
  dispatch.push = {fill[0], fill[1], static_cast<std::uint32_t>(count)};
  dispatch.operands = {Operand::input(0), Operand::output(0), Operand::params(at_loops),
                       Operand::params(at_words)};
  dispatch.grid = grid_1d(target, ceil_div(count, 256));
  dispatch.loop_rounds = sums;
  dispatch.estimate_us =
      model_us(operand_bytes(node.outputs[0]) +
                   std::min(operand_bytes(node.inputs[0]), operand_bytes(node.outputs[0]) * sums),
               nearest ? 0 : 4 * count * sums);
  kernel->dispatches.push_back(std::move(dispatch));
  kernel->absorbed = 1ull << 1 | 1ull << 2 | 1ull << 3;
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

/// Planes at another height and width.
std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all;
  for (const std::int64_t bytes : {1, 2, 4, 8}) {
    all.push_back({"resize nearest b" + std::to_string(bytes),
                   shader_of(ElementWidth(bytes)),
                   {3, 3, 0, 1, 1, 1, 0},
                   4,
                   12,
                   0});
  }
  for (const DType dtype : {DType::kF32, DType::kF16}) {
    for (const std::uint32_t taps : {2u, 4u}) {
      all.push_back({(taps == 2 ? "resize linear" : "resize cubic") + variant_suffix(dtype),
                     kWeighted,
                     {3, 3, 0, taps, taps, 1, type_code(dtype)},
                     4,
                     12,
                     0});
    }
  }
  return all;
}

}  // namespace

extern const KernelFamily family_resize;
const KernelFamily family_resize{{"resize", kOps, one_kernel<select>}, variants};

}  // namespace polaris::vulkan
