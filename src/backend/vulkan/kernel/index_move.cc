#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "backend/vulkan/parts/copy_plan.h"
#include "backend/vulkan/parts/index_check.h"
#include "backend/vulkan/parts/kernel_util.h"
#include "backend/vulkan/parts/opcode.h"
#include "backend/vulkan/parts/strided.h"
#include "base/checked.h"
#include "ir/op_attrs/gather.h"

/// GatherElements, GatherND, ScatterElements and ScatterND; reductions have a shader of their own,
/// whose order is fixed.
namespace polaris::vulkan {
namespace {

constexpr std::string_view kOps[] = {"GatherElements", "GatherND", "ScatterElements", "ScatterND"};
constexpr std::int64_t kCountMax = std::int64_t{1} << 30;
// Updates that one thread takes in a row.
constexpr std::int64_t kSerialMax = std::int64_t{1} << 16;
constexpr std::string_view kReductions[] = {"add", "mul", "max", "min"};

enum Form : std::uint32_t { kElements = 0, kTuples = 1 };

std::string_view shader_of(ElementWidth width) {
  switch (width.raw()) {
    case 1: return "index_move.b1";
    case 2: return "index_move.b2";
    case 4: return "index_move.b4";
    default: return "index_move.b8";
  }
}

std::uint32_t u32(std::int64_t value) { return static_cast<std::uint32_t>(value); }

/// What the shader wants to know beside the operands.
struct Addressing {
  std::int64_t count = 0;
  std::int64_t inner = 1;
  std::int64_t batch_tuples = 1;
  std::int64_t batch_stride = 0;
  std::int64_t axis = 0;
  std::uint32_t dims = 0;
  std::vector<std::uint32_t> words;
  std::vector<std::int64_t> sizes;  // of the dims that indices address
};

Result<Addressing> by_elements(const NodeDesc& node, std::int64_t named_axis) {
  const Shape& data = node.inputs[0].type.shape;
  const Shape& indices = node.inputs[1].type.shape;
  const auto axis = normalize_axis(named_axis, data.rank());
  if (!axis || indices.rank() != data.rank()) return refuse(node, "axis or rank");
  const Shape strides = row_major_strides(data);
  Addressing a;
  a.count = indices.elements();
  a.dims = static_cast<std::uint32_t>(data.rank());
  a.axis = data.rank() - 1 - *axis;
  a.sizes = {data[*axis]};
  for (int d = data.rank(); d-- > 0;) {
    const FastDivisor divisor = fast_divisor(u32(indices[d]));
    a.words.insert(a.words.end(), {divisor.multiplier, divisor.shift, u32(indices[d]),
                                   u32(strides[d]), u32(data[d])});
  }
  return a;
}

Result<Addressing> by_tuples(const NodeDesc& node, std::int64_t batch_dims) {
  const Shape& data = node.inputs[0].type.shape;
  const Shape& indices = node.inputs[1].type.shape;
  if (indices.rank() == 0 || batch_dims < 0 || batch_dims >= indices.rank()) {
    return refuse(node, "batch_dims or rank");
  }
  const int batch = static_cast<int>(batch_dims);
  const std::int64_t length = indices.back();
  if (length > data.rank() - batch) return refuse(node, "tuples longer than the rank");
  const int last = batch + static_cast<int>(length);
  const Shape strides = row_major_strides(data);
  Addressing a;
  a.inner = data.elements_between(last, data.rank());
  const std::int64_t tuples = indices.elements_between(0, indices.rank() - 1);
  a.count = tuples * a.inner;
  a.batch_tuples = indices.elements_between(batch, indices.rank() - 1);
  a.batch_stride = batch == 0 ? 0 : data.elements_between(batch, data.rank());
  a.dims = static_cast<std::uint32_t>(length);
  for (int d = batch; d < last; ++d) {
    a.words.insert(a.words.end(), {0u, 0u, u32(data[d]), u32(strides[d]), 0u});
    a.sizes.push_back(data[d]);
  }
  return a;
}

Dispatch make_dispatch(VulkanKernel& kernel, const VulkanTarget& target, const NodeDesc& node,
                       const Addressing& a, Form form, bool scatter) {
  const ElementWidth width = width_of(node.inputs[0].type.dtype);
  const FastDivisor by_inner = fast_divisor(u32(a.inner));
  const FastDivisor by_batch = fast_divisor(u32(std::max<std::int64_t>(a.batch_tuples, 1)));
  Dispatch dispatch;
  dispatch.shader = shader_of(width);
  dispatch.constants = {node.inputs[1].type.dtype == DType::kI64 ? 1u : 0u, form, scatter ? 1u : 0u,
                        a.dims};
  dispatch.push = {u32(a.count),        u32(a.inner),   by_inner.multiplier, by_inner.shift,
                   by_batch.multiplier, by_batch.shift, u32(a.batch_stride), u32(a.axis)};
  dispatch.operands = {Operand::input(scatter ? 2 : 0), Operand::input(1), Operand::output(0),
                       Operand::params(append_params(kernel, a.words, target.alignment_bytes))};
  dispatch.grid = grid_1d(target, ceil_div(a.count, 256));
  dispatch.estimate_us = model_us(width.of(3 * a.count), 0);
  return dispatch;
}

Result<std::string_view> reduce_shader(const VulkanTarget& target, const NodeDesc& node) {
  const DType dtype = node.inputs[0].type.dtype;
  if (is_float(dtype)) {
    const Result<std::uint32_t> code = float_code(node, node.inputs[0]);
    if (!code) return code.error();
    return std::string_view("scatter_reduce.float");
  }
  if (dtype_info(dtype).bits < 64) return std::string_view("scatter_reduce.int");
  if (!target.int64) return refuse(node, "64-bit integers, which this device lacks");
  return std::string_view("scatter_reduce.int64");
}

/// The dispatch that joins the updates into the output, which already holds the data.
Result<Dispatch> make_reduction(VulkanKernel& kernel, const VulkanTarget& target,
                                const NodeDesc& node, const Addressing& a, Form form,
                                std::uint32_t reduction) {
  const Result<std::string_view> shader = reduce_shader(target, node);
  if (!shader) return shader.error();
  const Shape& data = node.inputs[0].type.shape;
  const Shape& indices = node.inputs[1].type.shape;
  std::vector<std::uint32_t> words = a.words;
  std::uint32_t dims = a.dims;
  std::int64_t lines = a.inner;
  std::int64_t index_stride = a.inner;
  std::int64_t target_stride = 0;
  int axis = 0;
  if (form == kElements) {
    axis = data.rank() - 1 - static_cast<int>(a.axis);
    const Shape index_strides = row_major_strides(indices);
    const Shape strides = row_major_strides(data);
    words.clear();
    dims -= 1;
    for (int d = data.rank(); d-- > 0;) {
      if (d == axis) continue;
      const FastDivisor divisor = fast_divisor(u32(indices[d]));
      words.insert(words.end(), {divisor.multiplier, divisor.shift, u32(indices[d]),
                                 u32(index_strides[d]), u32(strides[d])});
    }
    lines = a.count / indices[axis];
    index_stride = index_strides[axis];
    target_stride = strides[axis];
  } else {
    for (std::size_t d = 0; d < dims; ++d) std::swap(words[5 * d + 3], words[5 * d + 4]);
  }
  const std::int64_t updates = a.count / lines;
  if (updates > kSerialMax) return refuse(node, "a reduction of more than 2^16 updates in a row");
  Dispatch dispatch;
  dispatch.shader = *shader;
  dispatch.constants = {node.inputs[1].type.dtype == DType::kI64 ? 1u : 0u, form, reduction, dims,
                        type_code(node.inputs[0].type.dtype)};
  dispatch.push = {u32(lines), u32(updates), u32(index_stride), u32(target_stride),
                   u32(data[axis])};
  dispatch.operands = {Operand::input(2), Operand::input(1), Operand::output(0),
                       Operand::params(append_params(kernel, words, target.alignment_bytes))};
  dispatch.grid = grid_1d(target, ceil_div(lines, 64));
  dispatch.loop_rounds = updates * (form == kTuples ? 1 + std::int64_t{dims} : 1);
  dispatch.estimate_us = model_us(4 * operand_bytes(node.inputs[2]), updates * 400);
  return dispatch;
}

Result<Addressing> addressing_of(const NodeDesc& node, Form form, bool scatter) {
  if (form == kTuples) {
    return by_tuples(node, scatter ? 0 : node.attributes<GatherNdAttrs>().batch_dims);
  }
  return by_elements(node, scatter ? node.attributes<ScatterElementsAttrs>().axis
                                   : node.attributes<GatherAttrs>().axis);
}

std::string reduction_of(const NodeDesc& node, Form form, bool scatter) {
  if (!scatter) return "none";
  return form == kTuples ? node.attributes<ScatterNdAttrs>().reduction
                         : node.attributes<ScatterElementsAttrs>().reduction;
}

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  const std::string op = op_full_name(*node.op);
  const bool scatter = op.starts_with("Scatter");
  const Form form = op.ends_with("ND") ? kTuples : kElements;
  const DType index = node.inputs[1].type.dtype;
  if (index != DType::kI32 && index != DType::kI64) {
    return refuse(node, "indices that are neither int32 nor int64");
  }
  if (!node.inputs[0].type.encoding.is_plain()) return refuse(node, "encoded data");
  Result<Addressing> a = addressing_of(node, form, scatter);
  if (!a) return a.error();
  const std::int64_t elements = operand_elements(node.inputs[0]);
  if (a->count >= kCountMax || elements >= kCountMax)
    return refuse(node, "more than 2^30 elements");
  if (elements == 0 && a->count > 0) return refuse(node, "indices into no elements");

  auto kernel = std::make_shared<VulkanKernel>("index_move " + op);
  if (scatter) {
    Copy copy;
    copy.from = Operand::input(0);
    copy.to = Operand::output(0);
    copy.from_bytes = copy.to_bytes = operand_bytes(node.inputs[0]);
    copy.width = width_of(node.inputs[0].type.dtype);
    SpaceDim all;
    all.size = elements;
    all.strides[0] = all.strides[1] = 1;
    copy.space = {all};
    const Status copied = add_copy(*kernel, target, node, std::move(copy), false);
    if (!copied) return copied.error();
  }
  const std::string reduction = reduction_of(node, form, scatter);
  const auto* known = std::find(std::begin(kReductions), std::end(kReductions), reduction);
  if (a->count > 0 && known != std::end(kReductions)) {
    Result<Dispatch> dispatch =
        make_reduction(*kernel, target, node, *a, form, u32(known - std::begin(kReductions)));
    if (!dispatch) return dispatch.error();
    kernel->dispatches.push_back(dispatch.take());
  } else if (a->count > 0) {
    kernel->dispatches.push_back(make_dispatch(*kernel, target, node, *a, form, scatter));
  }
  if (a->count > 0) {
    if (auto s = add_index_check(*kernel, target, node, 1, a->sizes); !s) return s.error();
  }
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all;
  for (const std::int64_t bytes : {1, 2, 4, 8}) {
    for (const std::uint32_t form : {kElements, kTuples}) {
      for (const std::uint32_t scatter : {0u, 1u}) {
        const std::string name = std::string(scatter != 0 ? "scatter " : "gather ") +
                                 (form == kElements ? "elements b" : "tuples b");
        all.push_back({name + std::to_string(bytes),
                       shader_of(ElementWidth(bytes)),
                       {1, form, scatter, 3},
                       4,
                       32,
                       0});
      }
    }
  }
  const auto add = [&](std::string_view shader, DType dtype, std::uint32_t form) {
    all.push_back({"scatter reduce " + std::string(dtype_name(dtype)) +
                       (form == kElements ? " elements" : " tuples"),
                   shader,
                   {1, form, 0, 3, type_code(dtype)},
                   4,
                   20,
                   1});
  };
  for (const std::uint32_t form : {kElements, kTuples}) {
    add("scatter_reduce.float", DType::kF32, form);
    add("scatter_reduce.float", DType::kF16, form);
    add("scatter_reduce.int", DType::kI32, form);
    add("scatter_reduce.int64", DType::kI64, form);
  }
  return all;
}

}  // namespace

extern const KernelFamily family_index_move;
const KernelFamily family_index_move{{"index_move", kOps, one_kernel<select>}, variants};

}  // namespace polaris::vulkan
