#include "gcn/node_setup.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "backend/vulkan/select.h"
#include "ir/text/text.h"
#include "sim/launch_timer.h"
#include "sim/sim_device.h"

namespace polaris::gcn {

Result<Graph> read_graph(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Error::not_found("[gcn] no file " + path);
  std::ostringstream text;
  text << file.rdbuf();
  ParseOptions options;
  options.resolve = [](std::string_view name, const TensorType& type) {
    auto constant = std::make_shared<Constant>();
    constant->name = name;
    const std::vector<std::byte> bytes = filled(type.bytes().value_or(0));
    auto tensor = Tensor::from_bytes(
        type, std::span(bytes).first(static_cast<std::size_t>(type.bytes().value_or(0))));
    if (tensor) constant->data = tensor.take();
    return std::shared_ptr<const Constant>(std::move(constant));
  };
  return parse_graph(text.str(), OpSet::builtin(), options);
}

Result<const vulkan::VulkanKernel*> NodeSetup::select(const Graph& graph, const Node& node) {
  for (ValueId id : node.inputs) {
    OperandDesc desc;
    desc.present = id.valid();
    values_.push_back(nullptr);
    if (id.valid()) {
      desc.type = graph.value(id).type;
      desc.constant = graph.value(id).constant.get();
      const bool plain = desc.constant != nullptr && desc.type.encoding.is_plain();
      if (plain) values_.back() = &desc.constant->data;
    }
    inputs_.push_back(desc);
  }
  for (ValueId id : node.outputs) {
    OperandDesc desc;
    desc.present = id.valid();
    if (id.valid()) desc.type = graph.value(id).type;
    outputs_.push_back(desc);
  }
  const NodeDesc described{node.op, node.attrs.get(), node.name, inputs_, outputs_, values_};
  auto kernel = vulkan::select_kernel(polaris_target(), described);
  if (!kernel) return kernel.error();
  kernel_ = kernel.take();
  const Status placed = place(node);
  if (!placed) return placed.error();
  return static_cast<const vulkan::VulkanKernel*>(kernel_.get());
}

Status NodeSetup::place(const Node& node) {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const int index = static_cast<int>(i);
    const bool host = (node.op->input_flags(index) & kHostRead) != 0;
    operands_.inputs.emplace_back();
    if (!inputs_[i].present || host || kernel_->absorbs(index)) continue;
    if (inputs_[i].constant != nullptr && !kernel_->weight_layout(index).empty()) {
      const std::int64_t bytes = kernel_->packed_bytes(index);
      memory_.emplace_back(static_cast<std::size_t>((bytes + 3) / 4 * 4));
      const std::span whole(memory_.back().data(), static_cast<std::size_t>(bytes));
      const Status packed = kernel_->pack(index, *inputs_[i].constant, whole);
      if (!packed) return packed;
      operands_.inputs.back() = whole;
    } else {
      operands_.inputs.back() = make(inputs_[i].type.bytes().value_or(0));
      // What indices are decides how long a kernel takes.
      if (values_[i] != nullptr) {
        const std::span<const std::byte> given = values_[i]->bytes();
        std::copy(given.begin(), given.end(), operands_.inputs.back().begin());
      }
    }
  }
  for (const OperandDesc& output : outputs_) {
    operands_.outputs.push_back(make(output.type.bytes().value_or(0)));
  }
  operands_.workspace = make(kernel_->workspace_bytes());
  operands_.status = make(4);
  const auto& params = static_cast<const vulkan::VulkanKernel&>(*kernel_).params;
  operands_.params = make(static_cast<std::int64_t>(params.size()));
  std::copy(params.begin(), params.end(), operands_.params.begin());
  return Status::success();
}

std::span<std::byte> NodeSetup::make(std::int64_t bytes) {
  memory_.push_back(filled(bytes));
  return {memory_.back().data(), static_cast<std::size_t>(bytes)};
}

}  // namespace polaris::gcn
