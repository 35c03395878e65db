// Any op by its definition: rare dtypes and plugins' ops. Slow, and named in profiles.
#include <cstring>
#include <vector>

#include "backend/cpu/kernel.h"
#include "base/bytes.h"

namespace polaris::cpu {
namespace {

/// What a run needs of the node, kept because the descriptor dies with select().
struct GenericNode {
  const OpDef* op = nullptr;
  std::shared_ptr<const Attrs> attrs;
  std::string name;
  std::vector<RefTensor> inputs;
  std::vector<RefTensor> outputs;
  std::vector<Tensor> held;                   // scales and zero points of affine constants
  std::vector<Tensor> values;                 // of host-read inputs, which have no operand
  std::vector<std::pair<int, int>> required;  // output, input
};

Status run(const GenericNode& node, const Launch& l) {
  std::vector<RefTensor> inputs = node.inputs;
  std::vector<RefTensor> outputs = node.outputs;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::byte* data = node.values[i] ? node.values[i].bytes().data() : l.inputs[i];
    inputs[i].data = const_cast<std::byte*>(data);
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) outputs[i].data = l.outputs[i];
  RefContext context;
  context.op = node.op;
  context.attrs = node.attrs.get();
  context.node_name = node.name;
  context.inputs = inputs;
  context.outputs = outputs;
  if (auto ran = run_reference(context); !ran) return ran;
  if (!node.op->has_trait(kDataDependent)) return Status::success();
  // The actual dims go to the operands behind the outputs.
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto dims = outputs[i].type.shape.dims();
    std::byte* to = l.outputs[outputs.size() + i];
    if (to != nullptr) copy_bytes(to, dims.data(), dims.size_bytes());
  }
  return Status::success();
}

KernelResult select(const CpuTarget&, const NodeDesc& node) {
  if (node.op->reference == nullptr) return unsupported(node, "it has no reference");
  auto kept = std::make_shared<GenericNode>();
  kept->op = node.op;
  if (node.attrs != nullptr) kept->attrs = node.attrs->clone();
  kept->name = std::string(node.name);
  kept->held.reserve(2 * node.inputs.size());
  for (const OperandDesc& operand : node.inputs) {
    RefTensor tensor{operand.type, nullptr, nullptr, nullptr};
    if (operand.constant != nullptr && operand.constant->scale) {
      tensor.scale = &kept->held.emplace_back(operand.constant->scale);
      if (operand.constant->zero_point) {
        tensor.zero_point = &kept->held.emplace_back(operand.constant->zero_point);
      }
    }
    const std::size_t i = kept->inputs.size();
    const bool host = (node.op->input_flags(static_cast<int>(i)) & kHostRead) != 0;
    const bool known = host && i < node.values.size() && node.values[i] != nullptr;
    kept->values.push_back(known ? *node.values[i] : Tensor());
    kept->inputs.push_back(tensor);
  }
  const std::size_t count =
      node.op->has_trait(kDataDependent) ? node.outputs.size() / 2 : node.outputs.size();
  for (const OperandDesc& operand : node.outputs.first(count)) {
    kept->outputs.push_back({operand.type, nullptr, nullptr, nullptr});
  }
  auto kernel = make_kernel("generic_" + op_full_name(*node.op),
                            [kept](const Launch& l) { return run(*kept, l); });
  return KernelResult(std::move(kernel));
}

}  // namespace

// Serves no op by name: the device asks it last.
extern const KernelFamily family_generic;
constinit const KernelFamily family_generic{"generic", {}, one_kernel<select>};

}  // namespace polaris::cpu
