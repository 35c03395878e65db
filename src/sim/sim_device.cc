#include "sim/sim_device.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "backend/vulkan/select.h"
#include "base/bytes.h"
#include "base/os/clock.h"
#include "gcn/machine.h"
#include "sim/operands.h"
#include "sim/program_cache.h"

namespace polaris::gcn {
namespace {

constexpr std::int64_t kMemory = std::int64_t{8} << 30;
constexpr std::int64_t kLargest = std::int64_t{2} << 30;

/// Host memory with room for the last word.
class SimBuffer final : public Buffer {
 public:
  explicit SimBuffer(std::int64_t bytes)
      : Buffer(bytes, nullptr), memory_(static_cast<std::size_t>((bytes + 3) / 4 * 4)) {
    set_host(memory_.data());
  }

 private:
  std::vector<std::byte> memory_;
};

class SimExecutable final : public Executable {
 public:
  explicit SimExecutable(SegmentDesc in) : segment(std::move(in)) {
    for (const LaunchDesc& launch : segment.launches) {
      params.push_back(static_cast<const vulkan::VulkanKernel&>(*launch.kernel).params);
      params.back().resize((params.back().size() + 3) / 4 * 4);
    }
  }
  SegmentDesc segment;
  std::vector<std::vector<std::byte>> params;  // of each launch
};

std::byte* address(const BufferView& view) { return view.buffer->host() + view.offset; }

/// One launch of a submission: its operands as host bytes, its dispatches executed.
class LaunchRun {
 public:
  LaunchRun(ProgramCache& programs, const LaunchDesc& launch, std::span<const BufferView> fixed,
            std::span<const BufferView> regions, std::span<std::byte> params)
      : programs_(programs), launch_(launch), fixed_(fixed), regions_(regions) {
    for (const OperandRef& ref : launch.inputs) operands_.inputs.push_back(bytes(ref));
    for (const OperandRef& ref : launch.outputs) operands_.outputs.push_back(bytes(ref));
    operands_.workspace = bytes(launch.workspace);
    operands_.status = bytes(launch.status);
    operands_.params = params;
  }

  Status run() {
    const auto& kernel = static_cast<const vulkan::VulkanKernel&>(*launch_.kernel);
    for (const vulkan::Dispatch& dispatch : kernel.dispatches) {
      const Status done = one(dispatch);
      if (!done) return done;
    }
    return Status::success();
  }

 private:
  std::span<std::byte> bytes(const OperandRef& ref) const {
    if (ref.region < 0) return {};
    const auto region = static_cast<std::size_t>(ref.region);
    const BufferView& view =
        region < fixed_.size() ? fixed_[region] : regions_[region - fixed_.size()];
    return {address(view) + ref.offset, static_cast<std::size_t>(ref.bytes)};
  }

  Status one(const vulkan::Dispatch& dispatch) {
    Memory memory;
    Result<Launch> launch = operands_.launch(dispatch, memory);
    if (!launch) return launch.error();
    if (std::find(launch->grid.begin(), launch->grid.end(), 0U) != launch->grid.end()) {
      return Status::success();
    }
    Result<const Program*> program = programs_.get(dispatch);
    if (!program) return program.error();
    Machine machine(**program, memory, *launch);
    machine.run();
    const Faults& faults = machine.report().faults;
    if (faults.all().empty()) return Status::success();
    return Error::internal("[gcn] kernel '" + std::string(launch_.kernel->name()) + "', program '" +
                           (*program)->name + "':\n" + faults.text());
  }

  ProgramCache& programs_;
  const LaunchDesc& launch_;
  std::span<const BufferView> fixed_;
  std::span<const BufferView> regions_;
  Operands operands_;
};

class SimDevice final : public Device {
 public:
  explicit SimDevice(std::shared_ptr<ProgramCache> programs) : programs_(std::move(programs)) {
    info_.id = info_.backend = "gcn";
    info_.name = "POLARIS10 machine code, executed";
    info_.driver = programs_ ? "Mesa " + programs_->mesa() : "none";
    info_.software = true;
    info_.memory_bytes = info_.budget_bytes = kMemory;
    info_.allocation_bytes_max = kLargest;
    info_.binding_bytes_max = polaris_target().binding_bytes_max;
    info_.alignment_bytes = polaris_target().alignment_bytes;
  }

  const DeviceInfo& info() const override { return info_; }
  DeviceCounters counters() const override { return {}; }
  Result<std::shared_ptr<const Kernel>> select(const NodeDesc& node) const override {
    return vulkan::select_kernel(polaris_target(), node);
  }
  Result<std::unique_ptr<Buffer>> allocate(std::int64_t bytes, MemoryKind) override {
    if (bytes < 0 || bytes > kLargest) return Error::out_of_memory("[gcn] a buffer");
    return std::unique_ptr<Buffer>(std::make_unique<SimBuffer>(bytes));
  }
  std::unique_ptr<Buffer> wrap(std::span<const std::byte>, std::shared_ptr<const void>) override {
    return nullptr;
  }
  // Everything is done when it returns, so that no fence is ever open.
  Result<Fence> start_write(const BufferView& to, const std::byte* from,
                            std::span<const Fence>) override {
    if (to.bytes > 0) copy_bytes(address(to), from, static_cast<std::size_t>(to.bytes));
    return Fence{};
  }
  Status read(const BufferView& from, std::byte* to, std::span<const Fence>) override {
    if (from.bytes > 0) copy_bytes(to, address(from), static_cast<std::size_t>(from.bytes));
    return Status::success();
  }
  Result<Fence> start_fill_zero(const BufferView& to, std::span<const Fence>) override {
    if (to.bytes > 0) clear_bytes(address(to), static_cast<std::size_t>(to.bytes));
    return Fence{};
  }
  Result<Fence> start_copy(const BufferView& from, const BufferView& to,
                           std::span<const Fence>) override {
    if (to.bytes > 0) move_bytes(address(to), address(from), static_cast<std::size_t>(to.bytes));
    return Fence{};
  }
  Result<std::unique_ptr<Executable>> compile(SegmentDesc segment) override {
    if (!programs_) return Error::unsupported("[gcn] this device is there to plan for alone");
    return std::unique_ptr<Executable>(std::make_unique<SimExecutable>(std::move(segment)));
  }
  Result<Fence> submit(Executable& executable, const SubmitArgs& args) override {
    auto& mine = static_cast<SimExecutable&>(executable);
    for (std::size_t i = 0; i < mine.segment.launches.size(); ++i) {
      if (args.cancel != nullptr && args.cancel->cancelled()) {
        return Error::cancelled("[gcn] stopped on request");
      }
      const std::int64_t start = monotonic_ns();
      LaunchRun run(*programs_, mine.segment.launches[i], mine.segment.fixed, args.regions,
                    mine.params[i]);
      const Status done = run.run();
      if (!done) return done.error();
      if (args.profile != nullptr) {
        args.profile->push_back({static_cast<std::int32_t>(i), elapsed_ms(start) * 1e3});
      }
    }
    return Fence{};
  }
  Status wait(Fence) override { return Status::success(); }

 private:
  DeviceInfo info_;
  std::shared_ptr<ProgramCache> programs_;
};

}  // namespace

vulkan::VulkanTarget polaris_target() {
  vulkan::VulkanTarget target;
  target.int64 = target.int16 = target.int8 = true;
  target.subgroup_arithmetic = target.subgroup_shuffle = true;
  target.subgroup_size = 64;
  target.group_threads_max = 1024;
  target.shared_bytes_max = 65536;
  target.alignment_bytes = 64;
  target.binding_bytes_max = kLargest - target.alignment_bytes;
  return target;
}

std::unique_ptr<Device> make_planning_device() { return std::make_unique<SimDevice>(nullptr); }

Result<std::unique_ptr<Device>> make_sim_device(const std::string& icd) {
  Result<std::unique_ptr<ProgramCache>> programs = ProgramCache::open(icd);
  if (!programs) return programs.error();
  return make_sim_device(std::shared_ptr<ProgramCache>(programs.take()));
}

std::unique_ptr<Device> make_sim_device(std::shared_ptr<ProgramCache> programs) {
  return std::make_unique<SimDevice>(std::move(programs));
}

}  // namespace polaris::gcn
