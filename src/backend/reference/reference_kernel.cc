#include "backend/reference/reference_kernel.h"

#include "backend/node_cost.h"
#include "base/bytes.h"
#include "ir/op_util/elements.h"

namespace polaris::reference {
namespace {

// Stands for the bytes of empty operands and of those whose type alone is read.
alignas(64) constexpr std::byte kNoBytes[64] = {};

/// Row-major where the operand's layout makes no difference.
Layout memory_layout(const OperandDesc& operand) {
  const bool same = operand.layout == Layout::kRowMajor ||
                    same_order(operand.type.shape, operand.layout, Layout::kRowMajor);
  return same ? Layout::kRowMajor : operand.layout;
}

/// At least one, so that an empty operand has an address.
std::size_t type_bytes(const TensorType& type) {
  return static_cast<std::size_t>(type.bytes().value_or(0)) + 1;
}

/// Copies elements from `layout` to row-major, or the other way.
void relayout(const TensorType& type, Layout layout, const std::byte* from, std::byte* to,
              bool to_row_major) {
  const AxisOrder order = layout_order(layout, type.shape.rank());
  const Shape strides = row_major_strides(type.shape);
  Shape step;  // logical strides of the axes in memory order
  for (int i = 0; i < type.shape.rank(); ++i) {
    step.push_back(strides[order[static_cast<std::size_t>(i)]]);
  }
  Walk walk(physical_shape(type.shape, layout));
  const int logical = walk.add(step);
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
    const std::int64_t there = walk[logical];
    copy_elements(type.dtype, to, to_row_major ? there : i, from, to_row_major ? i : there, 1);
  }
}

}  // namespace

ReferenceKernel::ReferenceKernel(const NodeDesc& node)
    : op_(node.op),
      attrs_(node.attrs != nullptr ? node.attrs->clone() : std::make_unique<NoAttrs>()),
      name_("reference_" + op_full_name(*node.op)) {
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const OperandDesc& input = node.inputs[i];
    Input in{input.type, memory_layout(input), input.present, {}, {}, {}};
    const bool host = (op_->input_flags(static_cast<int>(i)) & kHostRead) != 0;
    if (host && i < node.values.size() && node.values[i] != nullptr) in.value = *node.values[i];
    if (input.constant != nullptr) {
      in.scale = input.constant->scale;
      in.zero_point = input.constant->zero_point;
    }
    inputs_.push_back(std::move(in));
  }
  const std::size_t count =
      op_->has_trait(kDataDependent) ? node.outputs.size() / 2 : node.outputs.size();
  for (std::size_t i = 0; i < count; ++i) {
    outputs_.push_back({node.outputs[i].type, memory_layout(node.outputs[i])});
  }
  const NodeCost cost = node_cost(node);
  flops = cost.flops;
  bytes = cost.bytes;
  // Some 20 ns a scalar step: what a host pays for generic loads and stores.
  estimate_us = 1.0 + 0.02 * static_cast<double>(flops);
}

Status ReferenceKernel::run(std::string_view node_name, std::span<std::byte* const> inputs,
                            std::span<std::byte* const> outputs) const {
  std::vector<RefTensor> in(inputs_.size());
  std::vector<std::vector<std::byte>> copies;  // row-major forms, and outputs that nobody wants
  copies.reserve(inputs_.size() + outputs_.size());
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (!inputs_[i].present) continue;
    in[i].type = inputs_[i].type;
    const std::byte* data = inputs[i] != nullptr ? inputs[i] : kNoBytes;
    if (inputs_[i].value && !inputs_[i].value.bytes().empty()) {
      data = inputs_[i].value.bytes().data();
    }
    if (inputs_[i].layout != Layout::kRowMajor) {
      std::vector<std::byte>& plain = copies.emplace_back(type_bytes(in[i].type));
      relayout(in[i].type, inputs_[i].layout, data, plain.data(), true);
      data = plain.data();
    }
    in[i].data = const_cast<std::byte*>(data);
    if (inputs_[i].scale) in[i].scale = &inputs_[i].scale;
    if (inputs_[i].zero_point) in[i].zero_point = &inputs_[i].zero_point;
  }
  std::vector<RefTensor> out(outputs_.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].type = outputs_[i].type;
    out[i].data = outputs[i];
    if (out[i].data != nullptr && outputs_[i].layout == Layout::kRowMajor) continue;
    out[i].data = copies.emplace_back(type_bytes(out[i].type)).data();
  }
  for (const InPlace& alias : op_->inplace) {
    const auto from = static_cast<std::size_t>(alias.input);
    const auto to = static_cast<std::size_t>(alias.output);
    if (!alias.required || to >= out.size() || from >= in.size()) continue;
    if (in[from].data == out[to].data || in[from].data == nullptr) continue;
    copy_bytes(out[to].data, in[from].data,
               static_cast<std::size_t>(in[from].type.bytes().value_or(0)));
  }
  RefContext context;
  context.op = op_;
  context.attrs = attrs_.get();
  context.node_name = node_name;
  context.inputs = in;
  context.outputs = out;
  if (auto ran = run_reference(context); !ran) return ran;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (outputs[i] == nullptr || outputs_[i].layout == Layout::kRowMajor) continue;
    relayout(out[i].type, outputs_[i].layout, out[i].data, outputs[i], false);
  }
  if (!op_->has_trait(kDataDependent)) return Status::success();
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto dims = out[i].type.shape.dims();
    std::byte* to = outputs[out.size() + i];
    if (to != nullptr) copy_bytes(to, dims.data(), dims.size_bytes());
  }
  return Status::success();
}

}  // namespace polaris::reference
