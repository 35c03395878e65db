#include "backend/cpu/widened.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "backend/cpu/convert.h"
#include "base/checked.h"

namespace polaris::cpu {
namespace {

constexpr std::size_t kOperandsMax = 64;

bool is_half(const TensorType& type) {
  return type.encoding.is_plain() && (type.dtype == DType::kF16 || type.dtype == DType::kBF16);
}

/// An operand that stands in the workspace as float32 while the kernel runs.
struct WideOperand {
  std::size_t index = 0;
  DType dtype = DType::kF16;
  std::int64_t elements = 0;
  std::int64_t at = 0;  // in the workspace
};

struct Widened {
  std::shared_ptr<CpuKernel> kernel;
  const Simd* simd = nullptr;
  std::vector<WideOperand> inputs;
  std::vector<WideOperand> outputs;
  std::size_t input_count = 0;  // of the launch
  std::size_t output_count = 0;
  std::int64_t inner_at = 0;  // the kernel's own workspace
};

Status run(const Widened& w, const Launch& l) {
  const std::byte* inputs[kOperandsMax];
  std::byte* outputs[kOperandsMax];
  std::copy_n(l.inputs, w.input_count, inputs);
  std::copy_n(l.outputs, w.output_count, outputs);
  for (const WideOperand& in : w.inputs) {
    if (inputs[in.index] == nullptr) continue;
    auto* wide = reinterpret_cast<float*>(l.workspace + in.at);
    widen_all(*w.simd, *l.pool, in.dtype, inputs[in.index], in.elements, wide);
    inputs[in.index] = l.workspace + in.at;
  }
  for (const WideOperand& out : w.outputs) {
    if (outputs[out.index] != nullptr) outputs[out.index] = l.workspace + out.at;
  }
  Status status = w.kernel->run({inputs, outputs, l.workspace + w.inner_at, l.pool});
  if (!status) return status;
  for (const WideOperand& out : w.outputs) {
    if (l.outputs[out.index] == nullptr) continue;
    const auto* wide = reinterpret_cast<const float*>(l.workspace + out.at);
    narrow_all(*w.simd, *l.pool, out.dtype, wide, out.elements, l.outputs[out.index]);
  }
  return status;
}

/// The operands as select() is to see them; those that it changed are appended to `wide`.
std::vector<OperandDesc> widen_types(std::span<const OperandDesc> operands, std::uint64_t kept,
                                     std::vector<WideOperand>& wide) {
  std::vector<OperandDesc> out(operands.begin(), operands.end());
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!out[i].present || !is_half(out[i].type) || ((kept >> i) & 1u) != 0) continue;
    wide.push_back({i, out[i].type.dtype, out[i].type.shape.elements(), 0});
    out[i].type.dtype = DType::kF32;
  }
  return out;
}

/// Known halves as float32, which live as long as `held`.
Result<std::vector<const Tensor*>> widen_values(const Simd& simd, const NodeDesc& node,
                                                std::uint64_t kept, std::vector<Tensor>& held) {
  std::vector<const Tensor*> out(node.values.begin(), node.values.end());
  held.reserve(out.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i] == nullptr || !*out[i] || !is_half(out[i]->type()) || ((kept >> i) & 1u) != 0) {
      continue;
    }
    auto wide = Tensor::allocate(DType::kF32, out[i]->shape());
    if (!wide) return wide.error();
    widen(simd, out[i]->dtype(), out[i]->bytes().data(), 0, out[i]->elements(),
          wide->mutable_data<float>());
    out[i] = &held.emplace_back(wide.take());
  }
  return out;
}

/// Gives each operand its place; those that the kernel packs or does not read need none.
void place(Widened& w) {
  std::erase_if(w.inputs, [&](const WideOperand& in) {
    const auto i = static_cast<int>(in.index);
    return w.kernel->absorbs(i) || !w.kernel->weight_layout(i).empty();
  });
  for (auto* list : {&w.inputs, &w.outputs}) {
    for (WideOperand& operand : *list) {
      operand.at = w.inner_at;
      w.inner_at += round_up(operand.elements * std::int64_t{sizeof(float)}, 64);
    }
  }
}

}  // namespace

KernelResult select_widened(const CpuTarget& target, const NodeDesc& node, const SelectFn& select,
                            std::uint64_t kept) {
  if (std::max(node.inputs.size(), node.outputs.size()) + kTrailingOptionals > kOperandsMax) {
    return unsupported(node, "too many operands to widen");
  }
  std::uint64_t kept_outputs = 0;
  for (const InPlace& pair : node.op->inplace) {
    if (!pair.required) continue;
    kept |= std::uint64_t{1} << pair.input;
    kept_outputs |= std::uint64_t{1} << pair.output;
  }
  auto wide = std::make_shared<Widened>();
  const std::vector<OperandDesc> inputs = widen_types(node.inputs, kept, wide->inputs);
  const std::vector<OperandDesc> outputs = widen_types(node.outputs, kept_outputs, wide->outputs);
  if (wide->inputs.empty() && wide->outputs.empty()) return unsupported(node, "nothing to widen");
  std::vector<Tensor> held;
  const auto values = widen_values(*target.simd, node, kept, held);
  if (!values) return values.error();
  NodeDesc widened = node;
  widened.inputs = inputs;
  widened.outputs = outputs;
  widened.values = *values;
  KernelResult kernel = select(target, widened);
  if (!kernel) return kernel;
  wide->kernel = kernel.take();
  wide->simd = target.simd;
  wide->input_count = inputs.size() + kTrailingOptionals;
  wide->output_count = outputs.size() + kTrailingOptionals;
  place(*wide);
  auto out = make_kernel(std::string(wide->kernel->name()) + "_widened",
                         [wide](const Launch& l) { return run(*wide, l); });
  out->take_weights_of(*wide->kernel);
  if (wide->kernel->rather_channels_last()) out->wish_channels_last();
  out->set_workspace(wide->inner_at + wide->kernel->workspace_bytes());
  return KernelResult(std::move(out));
}

}  // namespace polaris::cpu
