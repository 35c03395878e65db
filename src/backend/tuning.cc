#include "backend/tuning.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "ir/attrs_key.h"

namespace polaris {
namespace {

void add_type(Hasher& hash, const TensorType& type) {
  hash.add_text(type.to_string());
  hash.add_i64(type.shape.rank());
}

void add_operand(Hasher& hash, const OperandDesc& operand) {
  hash.add_i64(operand.present ? 1 : 0);
  if (!operand.present) return;
  add_type(hash, operand.type);
  hash.add_i64(static_cast<std::int64_t>(operand.layout));
  hash.add_i64(operand.constant != nullptr ? 1 : 0);
}

}  // namespace

std::string kernel_id(const Kernel& kernel) {
  std::string id(kernel.name());
  if (!kernel.variant.empty()) id += " " + kernel.variant;
  return id;
}

std::string node_key(const NodeDesc& node) {
  Hasher hash;
  hash.add_text(op_full_name(*node.op));
  hash.add_text(node.attrs != nullptr ? attrs_key(*node.attrs) : std::string());
  hash.add_i64(static_cast<std::int64_t>(node.inputs.size()));
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    add_operand(hash, node.inputs[i]);
    const bool host = (node.op->input_flags(static_cast<int>(i)) & kHostRead) != 0;
    const Tensor* value = host && i < node.values.size() ? node.values[i] : nullptr;
    hash.add_i64(value != nullptr ? 1 : 0);
    if (value != nullptr && *value) hash.add(value->bytes());
  }
  hash.add_i64(static_cast<std::int64_t>(node.outputs.size()));
  for (const OperandDesc& output : node.outputs) add_operand(hash, output);
  return hash.finish().hex();
}

void Tuning::erase(std::string_view node) {
  const auto found = kernels_.find(node);
  if (found != kernels_.end()) kernels_.erase(found);
}

const std::string* Tuning::find(std::string_view node) const {
  const auto found = kernels_.find(node);
  return found == kernels_.end() ? nullptr : &found->second;
}

std::shared_ptr<const Kernel> choose_kernel(const KernelList& offered, const NodeDesc& node,
                                            const Tuning* tuning) {
  auto choice = std::make_shared<KernelChoice>();
  for (const auto& kernel : offered) {
    std::string id = kernel_id(*kernel);
    const bool known =
        std::find(choice->kernels.begin(), choice->kernels.end(), id) != choice->kernels.end();
    if (!known) choice->kernels.push_back(std::move(id));
  }
  if (choice->kernels.size() < 2) return offered.front();
  choice->node = node_key(node);
  const std::string* fastest = tuning != nullptr ? tuning->find(choice->node) : nullptr;
  auto taken = offered.begin();
  if (fastest != nullptr) {
    taken = std::find_if(offered.begin(), offered.end(),
                         [&](const auto& kernel) { return kernel_id(*kernel) == *fastest; });
    if (taken == offered.end()) taken = offered.begin();  // it is offered no more
  }
  (*taken)->choice = std::move(choice);
  return *taken;
}

}  // namespace polaris
