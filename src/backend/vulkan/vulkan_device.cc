#include "backend/vulkan/vulkan_device.h"

#include <algorithm>
#include <string>
#include <utility>

#include "backend/vulkan/device/core.h"
#include "backend/vulkan/device/executable.h"
#include "backend/vulkan/kernel.h"
#include "backend/vulkan/parts/kernel_util.h"
#include "backend/vulkan/select.h"

namespace polaris {
namespace vulkan {
namespace {

class VulkanDevice final : public Device {
 public:
  explicit VulkanDevice(std::unique_ptr<Core> core) : core_(std::move(core)) {}

  const DeviceInfo& info() const override { return core_->device->physical().info; }

  DeviceCounters counters() const override {
    DeviceCounters counters;
    counters.allocations = core_->memory.allocations();
    counters.live_bytes = core_->memory.live_bytes();
    counters.peak_bytes = core_->memory.peak_bytes();
    counters.command_buffers = core_->command_buffers.load(std::memory_order_relaxed);
    counters.pipelines = core_->pipelines.created();
    counters.submits = core_->device->submits();
    counters.launches = core_->launches.load(std::memory_order_relaxed);
    counters.turns_given = core_->turns.turns_given();
    counters.longest_unit_us = core_->longest_unit_us.load(std::memory_order_relaxed);
    return counters;
  }
  std::int64_t budget_bytes() override { return core_->memory.budget_bytes(); }
  std::string slow_kernel() const override { return core_->slow_kernel(); }

  Result<std::shared_ptr<const Kernel>> select(const NodeDesc& node) const override {
    return select_kernel(core_->device->physical().target, node, tuning_.get().get());
  }
  void set_tuning(const std::shared_ptr<const Tuning>& tuning) override { tuning_.set(tuning); }

  Result<std::unique_ptr<Buffer>> allocate(std::int64_t bytes, MemoryKind kind) override {
    auto buffer = core_->memory.allocate(bytes, kind);
    if (!buffer) return buffer.error();
    return std::unique_ptr<Buffer>(buffer.take());
  }

  std::unique_ptr<Buffer> wrap(std::span<const std::byte>, std::shared_ptr<const void>) override {
    return nullptr;
  }

  Result<Fence> start_write(const BufferView& to, const std::byte* from,
                            std::span<const Fence> after) override {
    return core_->transfer.write(to, from, after);
  }
  Result<Fence> start_copy(const BufferView& from, const BufferView& to,
                           std::span<const Fence> after) override {
    return core_->transfer.copy(from, to, after);
  }
  Result<Fence> start_fill_zero(const BufferView& to, std::span<const Fence> after) override {
    return core_->transfer.fill_zero(to, after);
  }
  Status read(const BufferView& from, std::byte* to, std::span<const Fence> after) override {
    return core_->transfer.read(from, to, after);
  }

  Result<std::unique_ptr<Executable>> compile(SegmentDesc segment) override {
    auto executable = VulkanExecutable::create(*core_, segment);
    if (!executable) return executable.error();
    return std::unique_ptr<Executable>(executable.take());
  }

  Result<Fence> submit(Executable& executable, const SubmitArgs& args) override {
    return static_cast<VulkanExecutable&>(executable).submit(args);
  }

  Status wait(Fence fence) override { return core_->wait(fence); }

 private:
  std::unique_ptr<Core> core_;
  TuningSlot tuning_;
};

/// Every binding must fit, and every loop end by itself, whatever the family thought of.
Status check_limits(const VulkanTarget& target, const NodeDesc& node, const Kernel& kernel) {
  const auto bytes_of = [&](const Operand& operand) {
    if (operand.bytes >= 0) return operand.bytes;
    const auto index = static_cast<std::size_t>(operand.index);
    const auto take = [&](std::span<const OperandDesc> list) -> std::int64_t {
      return index < list.size() && list[index].present
                 ? list[index].type.bytes().value_or(0) - operand.offset
                 : 0;
    };
    switch (operand.source) {
      case Operand::Source::kInput: {
        const int input = operand.index;
        if (!kernel.weight_layout(input).empty())
          return kernel.packed_bytes(input) - operand.offset;
        return take(node.inputs);
      }
      case Operand::Source::kOutput: return take(node.outputs);
      case Operand::Source::kWorkspace: return kernel.workspace_bytes() - operand.offset;
      case Operand::Source::kParams: return std::int64_t{0};
      case Operand::Source::kStatus: return std::int64_t{0};
    }
    return std::int64_t{0};
  };
  for (const Dispatch& dispatch : static_cast<const VulkanKernel&>(kernel).dispatches) {
    if (dispatch.loop_rounds > target.loop_rounds_max) {
      return refuse(node, "a loop of up to " + std::to_string(dispatch.loop_rounds) +
                              " rounds, which this driver ends after " +
                              std::to_string(target.loop_rounds_max));
    }
    for (const Operand& operand : dispatch.operands) {
      if (bytes_of(operand) > target.binding_bytes_max) {
        return Error::unsupported("[" + op_full_name(*node.op) + "] node '" +
                                  std::string(node.name) + "': an operand of " +
                                  std::to_string(bytes_of(operand)) + " bytes, wanted at most " +
                                  std::to_string(target.binding_bytes_max));
      }
    }
  }
  return Status::success();
}

/// Ops that read shapes, or whose every input the host reads: they are folded before a plan runs.
bool is_shape_arithmetic(const NodeDesc& node) {
  if (node.op->is("Shape") || node.op->is("Size")) return true;
  const auto& ports = node.op->inputs;
  return !ports.empty() && std::all_of(ports.begin(), ports.end(), [](const Port& port) {
    return (port.flags & kHostRead) != 0;
  });
}

/// Nothing to compute: every output is there with no element, the dims of a data-dependent op
/// included.
bool writes_nothing(const NodeDesc& node) {
  return node.op->reference != nullptr &&
         std::all_of(node.outputs.begin(), node.outputs.end(), [](const OperandDesc& output) {
           return !output.present || output.type.shape.checked_elements() == 0;
         });
}

}  // namespace

Result<std::shared_ptr<const Kernel>> select_kernel(const VulkanTarget& target,
                                                    const NodeDesc& node, const Tuning* tuning) {
  if (writes_nothing(node)) {
    return std::shared_ptr<const Kernel>(std::make_shared<const VulkanKernel>("empty"));
  }
  if (const auto small = small_dtype(node)) {
    return refuse(node, "no vulkan kernel takes " + std::string(dtype_name(*small)));
  }
  static const FamilyTable<KernelFamily> kTable(std::span(kFamilies, kFamilyCount));
  Refusals refusals("", node);
  const Result<KernelList> offered =
      gather_kernels(kTable, target, node, refusals,
                     [&](const Kernel& kernel) { return check_limits(target, node, kernel); });
  if (!offered) return offered.error();
  if (!offered->empty()) return choose_kernel(*offered, node, tuning);
  if (refusals.empty()) {
    refusals.add(is_shape_arithmetic(node) ? "shape arithmetic, which the host does"
                                           : "the vulkan backend has no kernel for this op");
  }
  return refusals.error();
}

}  // namespace vulkan

VulkanHide VulkanHide::like_polaris() {
  VulkanHide hide;
  hide.float16 = true;
  hide.integer_dot = true;
  return hide;
}

VulkanHide VulkanHide::everything() { return {true, true, true, true, true, true}; }

Result<std::vector<DeviceInfo>> list_vulkan_devices() {
  const auto instance = vulkan::Instance::shared();
  if (!instance) {
    if (instance.error().code() == ErrorCode::kNotFound) return std::vector<DeviceInfo>();
    return instance.error();
  }
  auto devices = vulkan::enumerate_devices(**instance, {});
  if (!devices) return devices.error();
  std::vector<DeviceInfo> infos;
  for (vulkan::PhysicalDevice& device : *devices) infos.push_back(std::move(device.info));
  return infos;
}

Result<std::unique_ptr<Device>> make_vulkan_device(const VulkanOptions& options) {
  const auto instance = vulkan::Instance::shared();
  if (!instance) return instance.error();
  auto devices = vulkan::enumerate_devices(**instance, options);
  if (!devices) return devices.error();
  Result<vulkan::PhysicalDevice> chosen = vulkan::select_device(devices.take(), options.selector);
  if (!chosen) return chosen.error();
  const std::string cache =
      options.pipeline_cache_path.value_or(vulkan::default_cache_path(*chosen));
  auto logical = vulkan::LogicalDevice::create(**instance, chosen.take(), options.fail_submit_at);
  if (!logical) return logical.error();
  auto core = std::make_unique<vulkan::Core>(logical.take(), options.fail_allocation_at, cache,
                                             options.unit_us);
  const Status cached = core->pipelines.open();
  if (!cached) return cached.error();
  const Status ready = core->transfer.open();
  if (!ready) return ready.error();
  return std::unique_ptr<Device>(std::make_unique<vulkan::VulkanDevice>(std::move(core)));
}

}  // namespace polaris
