#include "backend/reference/reference_device.h"

#include <atomic>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "backend/reference/reference_kernel.h"
#include "backend/reference/reference_memory.h"
#include "base/bytes.h"
#include "base/os/clock.h"
#include "base/os/memory_info.h"

namespace polaris {
namespace {

using reference::Memory;
using reference::ReferenceKernel;

class ReferenceExecutable final : public Executable {
 public:
  explicit ReferenceExecutable(SegmentDesc segment) : segment_(std::move(segment)) {}
  const SegmentDesc& segment() const { return segment_; }

 private:
  SegmentDesc segment_;
};

DeviceInfo make_info(const ReferenceOptions& options) {
  // A machine that tells nothing is taken for one with plenty.
  constexpr std::int64_t kUnknownMemory = std::int64_t{1} << 40;
  const std::int64_t machine = host_memory().total_bytes;
  DeviceInfo info;
  info.id = "reference";
  info.backend = "reference";
  info.name = "Reference interpreter";
  info.driver = "polaris";
  info.host_memory = true;
  info.memory_bytes =
      options.memory_bytes > 0 ? options.memory_bytes : (machine > 0 ? machine : kUnknownMemory);
  info.budget_bytes = info.memory_bytes;
  info.allocation_bytes_max =
      options.allocation_bytes_max > 0 ? options.allocation_bytes_max : info.memory_bytes;
  info.binding_bytes_max =
      options.binding_bytes_max > 0 ? options.binding_bytes_max : info.allocation_bytes_max;
  info.limits = {"one thread, one element at a time"};
  return info;
}

class ReferenceDevice final : public Device {
 public:
  explicit ReferenceDevice(const ReferenceOptions& options)
      : info_(make_info(options)),
        memory_(std::make_shared<Memory>(info_.budget_bytes, info_.allocation_bytes_max,
                                         options.fail_allocation_at)) {}

  const DeviceInfo& info() const override { return info_; }

  DeviceCounters counters() const override {
    DeviceCounters out;
    out.allocations = memory_->allocations();
    out.live_bytes = memory_->live_bytes();
    out.peak_bytes = memory_->peak_bytes();
    out.submits = submits_.load();
    out.launches = launches_.load();
    return out;
  }

  Result<std::shared_ptr<const Kernel>> select(const NodeDesc& node) const override {
    const std::string op = "[" + op_full_name(*node.op) + "] ";
    if (node.op->reference == nullptr) {
      return Error::unsupported(op + "has no reference: the executor runs it");
    }
    const auto layout = spatial_layout(node);
    if (!layout) return layout.error();
    if (*layout != Layout::kRowMajor && node.op->has_trait(kDataDependent)) {
      return Error::unsupported(op + "layout, got " + std::string(layout_name(*layout)) +
                                " with a shape that depends on data, wanted row_major");
    }
    for (const auto& operands : {node.inputs, node.outputs}) {
      for (const OperandDesc& operand : operands) {
        if (!operand.present) continue;
        const bool affine = operand.type.encoding.kind == Encoding::Kind::kAffine;
        if (affine && (operand.constant == nullptr || !operand.constant->scale)) {
          return Error::unsupported(op + "operand " + operand.type.to_string() +
                                    " is no constant with a scale");
        }
        const auto bytes = operand.type.bytes();
        if (!bytes || *bytes > info_.binding_bytes_max) {
          return Error::unsupported(op + "operand, got " + operand.type.to_string() +
                                    ", wanted at most " + std::to_string(info_.binding_bytes_max) +
                                    " bytes");
        }
      }
    }
    return std::shared_ptr<const Kernel>(std::make_shared<ReferenceKernel>(node));
  }

  Result<std::unique_ptr<Buffer>> allocate(std::int64_t bytes, MemoryKind) override {
    return Memory::allocate(memory_, bytes);
  }
  std::unique_ptr<Buffer> wrap(std::span<const std::byte> bytes,
                               std::shared_ptr<const void> owner) override {
    return reference::wrap_bytes(bytes, std::move(owner));
  }
  // All work is done when its call returns, so that there is nothing to wait for.
  Result<Fence> start_write(const BufferView& to, const std::byte* from,
                            std::span<const Fence>) override {
    if (to.bytes > 0) copy_bytes(address(to), from, static_cast<std::size_t>(to.bytes));
    return Fence{};
  }
  Result<Fence> start_copy(const BufferView& from, const BufferView& to,
                           std::span<const Fence>) override {
    if (to.bytes > 0) move_bytes(address(to), address(from), static_cast<std::size_t>(to.bytes));
    return Fence{};
  }
  Result<Fence> start_fill_zero(const BufferView& to, std::span<const Fence>) override {
    if (to.bytes > 0) clear_bytes(address(to), static_cast<std::size_t>(to.bytes));
    return Fence{};
  }
  Status read(const BufferView& from, std::byte* to, std::span<const Fence>) override {
    if (from.bytes > 0) copy_bytes(to, address(from), static_cast<std::size_t>(from.bytes));
    return Status::success();
  }

  Result<std::unique_ptr<Executable>> compile(SegmentDesc segment) override {
    return std::unique_ptr<Executable>(std::make_unique<ReferenceExecutable>(std::move(segment)));
  }

  Result<Fence> submit(Executable& executable, const SubmitArgs& args) override {
    const SegmentDesc& segment = static_cast<ReferenceExecutable&>(executable).segment();
    if (args.regions.size() != static_cast<std::size_t>(segment.run_regions)) {
      return Error::internal("[reference] regions of " + segment.name + ", got " +
                             std::to_string(args.regions.size()) + ", wanted " +
                             std::to_string(segment.run_regions));
    }
    submits_.fetch_add(1);
    for (std::size_t i = 0; i < segment.launches.size(); ++i) {
      if (args.cancel != nullptr && args.cancel->cancelled()) {
        return Error::cancelled("[reference] " + segment.name + " stopped on request");
      }
      const std::int64_t start = monotonic_ns();
      if (auto ran = launch(segment, segment.launches[i], args); !ran) return ran.error();
      launches_.fetch_add(1);
      if (args.profile != nullptr) {
        args.profile->push_back({static_cast<std::int32_t>(i), elapsed_ms(start) * 1e3});
      }
    }
    return Fence{};
  }

  Status wait(Fence) override { return Status::success(); }

 private:
  static std::byte* address(const BufferView& view) { return view.buffer->host() + view.offset; }

  static std::vector<std::byte*> addresses(const SegmentDesc& segment,
                                           const std::vector<OperandRef>& refs,
                                           const SubmitArgs& args) {
    std::vector<std::byte*> out;
    for (const OperandRef& ref : refs) {
      const auto at = static_cast<std::size_t>(ref.region);
      if (ref.region < 0) {
        out.push_back(nullptr);
      } else if (at < segment.fixed.size()) {
        out.push_back(address(segment.fixed[at]) + ref.offset);
      } else {
        out.push_back(address(args.regions[at - segment.fixed.size()]) + ref.offset);
      }
    }
    return out;
  }

  static Status launch(const SegmentDesc& segment, const LaunchDesc& desc, const SubmitArgs& args) {
    const auto& kernel = static_cast<const ReferenceKernel&>(*desc.kernel);
    return kernel.run(desc.node_name, addresses(segment, desc.inputs, args),
                      addresses(segment, desc.outputs, args));
  }

  const DeviceInfo info_;
  std::shared_ptr<Memory> memory_;
  std::atomic<std::int64_t> submits_{0};
  std::atomic<std::int64_t> launches_{0};
};

}  // namespace

std::unique_ptr<Device> make_reference_device(const ReferenceOptions& options) {
  return std::make_unique<ReferenceDevice>(options);
}

}  // namespace polaris
