#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "backend/vulkan/select.h"
#include "gcn/commands.h"
#include "gcn/timing.h"
#include "gcn/timing_row.h"
#include "ir/text/text.h"
#include "sim/launch_timer.h"
#include "sim/operands.h"
#include "sim/program_cache.h"
#include "sim/sim_device.h"

namespace polaris::gcn {
namespace {

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

/// A node's operands as a planner would offer them, and memory for them.
class NodeSetup {
 public:
  Result<const vulkan::VulkanKernel*> select(const Graph& graph, const Node& node) {
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

  Operands& operands() { return operands_; }

 private:
  Status place(const Node& node) {
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
      }
    }
    for (const OperandDesc& output : outputs_) {
      operands_.outputs.push_back(make(output.type.bytes().value_or(0)));
    }
    operands_.workspace = make(kernel_->workspace_bytes());
    const auto& params = static_cast<const vulkan::VulkanKernel&>(*kernel_).params;
    operands_.params = make(static_cast<std::int64_t>(params.size()));
    std::copy(params.begin(), params.end(), operands_.params.begin());
    return Status::success();
  }

  std::span<std::byte> make(std::int64_t bytes) {
    memory_.push_back(filled(bytes));
    return {memory_.back().data(), static_cast<std::size_t>(bytes)};
  }

  std::vector<OperandDesc> inputs_;
  std::vector<OperandDesc> outputs_;
  std::vector<const Tensor*> values_;
  std::shared_ptr<const Kernel> kernel_;
  std::vector<std::vector<std::byte>> memory_;
  Operands operands_;
};

Status time_node(ProgramCache& programs, const Graph& graph, const Node& node,
                 const TimingOptions& options) {
  NodeSetup setup;
  Result<const vulkan::VulkanKernel*> kernel = setup.select(graph, node);
  if (!kernel) return kernel.error();
  for (const vulkan::Dispatch& dispatch : (*kernel)->dispatches) {
    const auto start = std::chrono::steady_clock::now();
    Memory memory;
    Result<Launch> launch = setup.operands().launch(dispatch, memory);
    if (!launch) return launch.error();
    Result<const Program*> program = programs.get(dispatch);
    if (!program) return program.error();
    const Timing timing = simulate(**program, memory, *launch, options);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    if (timing.faults.stopped()) return Error::internal("[gcn] " + timing.faults.text());
    print_timing({node.name, std::string((*kernel)->name()), options.chip.name, took.count()},
                 *launch, **program, timing);
  }
  return Status::success();
}

int fail(const Error& error) {
  std::fprintf(stderr, "gcn: %s\n", error.message().c_str());
  return 1;
}

}  // namespace

int command_time(const std::vector<std::string>& args) {
  const Result<TimingArgs> parsed = parse_timing(args);
  if (!parsed) return parsed.error().message().empty() ? kWrongUsage : fail(parsed.error());
  Result<Graph> graph = read_graph(parsed->path);
  if (!graph) return fail(graph.error());
  Result<std::unique_ptr<ProgramCache>> programs = ProgramCache::open(radv::kDefaultIcd);
  if (!programs) return fail(programs.error());
  for (const NodeId id : graph->order()) {
    const Status timed = time_node(**programs, *graph, graph->node(id), parsed->options);
    if (!timed) return fail(timed.error());
  }
  return 0;
}

}  // namespace polaris::gcn
