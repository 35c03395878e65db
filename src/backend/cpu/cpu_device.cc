#include "backend/cpu/cpu_device.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <vector>

#include "backend/cpu/cpu_memory.h"
#include "backend/cpu/isa.h"
#include "backend/cpu/kernel.h"
#include "backend/cpu/widened.h"
#include "base/bytes.h"
#include "base/os/clock.h"
#include "base/os/memory_info.h"
#include "ir/node_error.h"

namespace polaris::cpu {

extern const KernelFamily* const kFamilies[];
extern const std::size_t kFamilyCount;
extern const KernelFamily family_generic;

namespace {

/// Launches are timed in one of so many runs: reading the clock costs as much as a small launch.
constexpr std::uint64_t kRunsATiming = 16;

/// One launch with room for its addresses, so that submit allocates nothing.
struct BoundLaunch {
  std::shared_ptr<const CpuKernel> kernel;
  std::string node_name;
  std::vector<OperandRef> refs;  // inputs, outputs, workspace
  std::size_t inputs = 0;
  std::vector<std::byte*> addresses;
  std::int64_t last_ns = 0;  // how long it took when it was last timed
};

class CpuExecutable final : public Executable {
 public:
  std::mutex mutex;  // its launches' addresses are those of one run
  std::vector<BoundLaunch> launches;
  std::vector<BufferView> fixed;
  std::size_t run_regions = 0;
  std::uint64_t runs = 0;
};

bool inside(const BufferView& view) {
  return view.buffer != nullptr && view.offset >= 0 && view.bytes >= 0 &&
         view.offset <= view.buffer->bytes() && view.bytes <= view.buffer->bytes() - view.offset;
}

Error outside(std::string_view what) {
  return Error::internal("[cpu] " + std::string(what) + ": bytes outside of the buffer");
}

class CpuDevice final : public Device {
 public:
  CpuDevice(const CpuOptions& options, Isa isa, std::string model)
      : pool_(options.threads,
              options.slice_us < 0 ? ThreadPool::kSliceNs : options.slice_us * 1000),
        target_{isa, simd_of(isa), quant_simd_of(isa), pool_.threads()},
        memory_(limits_of(options)) {
    fill_info(options, std::move(model));
  }

  const DeviceInfo& info() const override { return info_; }
  DeviceCounters counters() const override {
    DeviceCounters out;
    out.allocations = memory_.allocations();
    out.live_bytes = memory_.live_bytes();
    out.peak_bytes = memory_.peak_bytes();
    out.submits = submits_.load();
    out.launches = launches_.load();
    out.turns_given = pool_.turnstile().given();
    out.longest_unit_us = pool_.turnstile().longest_ns() / 1000;
    return out;
  }

  Result<std::shared_ptr<const Kernel>> select(const NodeDesc& node) const override;
  void set_tuning(const std::shared_ptr<const Tuning>& tuning) override { tuning_.set(tuning); }
  Result<std::unique_ptr<Buffer>> allocate(std::int64_t bytes, MemoryKind) override {
    return memory_.allocate(bytes);
  }
  std::unique_ptr<Buffer> wrap(std::span<const std::byte> bytes,
                               std::shared_ptr<const void> owner) override {
    return wrap_bytes(bytes, std::move(owner));
  }
  // All work is done when its call returns, so that there is nothing to wait for.
  Result<Fence> start_write(const BufferView& to, const std::byte* from,
                            std::span<const Fence>) override {
    if (!inside(to)) return outside("write");
    if (to.bytes > 0) copy_bytes(to.buffer->host() + to.offset, from, size_of(to));
    return Fence{};
  }
  Result<Fence> start_copy(const BufferView& from, const BufferView& to,
                           std::span<const Fence>) override {
    if (!inside(from) || !inside(to) || from.bytes != to.bytes) return outside("copy");
    if (to.bytes > 0) {
      move_bytes(to.buffer->host() + to.offset, from.buffer->host() + from.offset, size_of(to));
    }
    return Fence{};
  }
  Result<Fence> start_fill_zero(const BufferView& to, std::span<const Fence>) override {
    if (!inside(to)) return outside("fill_zero");
    if (to.bytes > 0) clear_bytes(to.buffer->host() + to.offset, size_of(to));
    return Fence{};
  }
  Status read(const BufferView& from, std::byte* to, std::span<const Fence>) override {
    if (!inside(from)) return outside("read");
    if (from.bytes > 0) copy_bytes(to, from.buffer->host() + from.offset, size_of(from));
    return Status::success();
  }
  Result<std::unique_ptr<Executable>> compile(SegmentDesc segment) override;
  Result<Fence> submit(Executable& executable, const SubmitArgs& args) override;
  Status wait(Fence) override { return Status::success(); }

 private:
  static std::size_t size_of(const BufferView& view) {
    return static_cast<std::size_t>(view.bytes);
  }
  static CpuMemory::Limits limits_of(const CpuOptions& options) {
    const std::int64_t all =
        options.memory_bytes > 0 ? options.memory_bytes : host_memory().total_bytes;
    return {options.budget_bytes > 0 ? options.budget_bytes : all, options.allocation_bytes_max,
            options.fail_allocation_at};
  }
  void fill_info(const CpuOptions& options, std::string model);
  Status run(BoundLaunch& launch, const CpuExecutable& executable, const SubmitArgs& args);

  ThreadPool pool_;
  CpuTarget target_;
  CpuMemory memory_;
  DeviceInfo info_;
  TuningSlot tuning_;
  std::atomic<std::int64_t> submits_{0};
  std::atomic<std::int64_t> launches_{0};
};

void CpuDevice::fill_info(const CpuOptions& options, std::string model) {
  info_.id = info_.backend = "cpu";
  info_.name = model.empty() ? "CPU" : std::move(model);
  info_.driver = "polaris " + std::string(isa_name(target_.isa));
  info_.host_memory = true;
  info_.memory_bytes = options.memory_bytes > 0 ? options.memory_bytes : host_memory().total_bytes;
  info_.budget_bytes = options.budget_bytes > 0 ? options.budget_bytes : info_.memory_bytes;
  info_.allocation_bytes_max =
      options.allocation_bytes_max > 0 ? options.allocation_bytes_max : info_.budget_bytes;
  info_.binding_bytes_max = info_.allocation_bytes_max;
  for (int i = 0; i <= static_cast<int>(target_.isa); ++i) {
    info_.features.emplace_back(isa_name(static_cast<Isa>(i)));
  }
  info_.features.push_back("threads=" + std::to_string(pool_.threads()));
  if (pool_.threads() < std::min(options.threads, ThreadPool::kThreadsMax)) {
    info_.limits.push_back("threads, got " + std::to_string(pool_.threads()) + ", wanted " +
                           std::to_string(options.threads) + ": the system gave no more");
  }
  if (target_.isa < Isa::kAvx2) info_.limits.emplace_back("no AVX2: matrices run at SSE2 speed");
}

const FamilyTable<KernelFamily>& family_table() {
  static const FamilyTable<KernelFamily> table(std::span(kFamilies, kFamilyCount));
  return table;
}

/// A family's float32 kernel between conversions, or null.
std::shared_ptr<CpuKernel> widened_kernel(const CpuTarget& target, const NodeDesc& node,
                                          Layout layout) {
  const std::string name = op_full_name(*node.op);
  for (const KernelFamily* family : family_table().of(*node.op)) {
    if (layout == Layout::kChannelsLast && !has_op(family->channels_last, name)) continue;
    const auto select = [family](const CpuTarget& to, const NodeDesc& wide) -> KernelResult {
      const auto kernels = family->candidates(to, wide);
      if (!kernels) return kernels.error();
      return std::static_pointer_cast<CpuKernel>(kernels->front());
    };
    KernelResult kernel = select_widened(target, node, select);
    if (kernel) return kernel.take();
  }
  return nullptr;
}

Result<std::shared_ptr<const Kernel>> CpuDevice::select(const NodeDesc& node) const {
  Refusals refusals("cpu", node);
  const auto finish = [&](Kernel& kernel) {
    fill_costs(node, target_.threads, kernel);
    return Status::success();
  };
  const Result<Layout> layout = spatial_layout(node);
  if (!layout) return layout.error();
  if (const auto small = small_dtype(node)) {
    refusals.add("no kernel takes " + std::string(dtype_name(*small)));
  } else {
    Result<KernelList> offered = gather_kernels(family_table(), target_, node, refusals, finish);
    if (!offered) return offered.error();
    if (!offered->empty()) return choose_kernel(*offered, node, tuning_.get().get());
    if (refusals.empty()) refusals.add("no kernel family serves it");
    if (auto widened = widened_kernel(target_, node, *layout)) {
      (void)finish(*widened);
      return std::shared_ptr<const Kernel>(std::move(widened));
    }
  }
  if (*layout != Layout::kRowMajor) return refusals.error();
  Result<KernelList> generic = family_generic.candidates(target_, node);
  if (!generic) return refusals.error();
  (void)finish(*generic->front());
  return std::shared_ptr<const Kernel>(generic->front());
}

Result<std::unique_ptr<Executable>> CpuDevice::compile(SegmentDesc segment) {
  auto out = std::make_unique<CpuExecutable>();
  out->run_regions = static_cast<std::size_t>(segment.run_regions);
  const auto regions = segment.fixed.size() + out->run_regions;
  for (const BufferView& view : segment.fixed) {
    if (!inside(view)) return outside("fixed region of " + segment.name);
  }
  for (LaunchDesc& desc : segment.launches) {
    BoundLaunch launch;
    launch.kernel = std::static_pointer_cast<const CpuKernel>(desc.kernel);
    launch.node_name = std::move(desc.node_name);
    // Room for trailing optional operands that the node leaves out: kernels find them null.
    launch.refs = std::move(desc.inputs);
    launch.refs.resize(launch.refs.size() + kTrailingOptionals);
    launch.inputs = launch.refs.size();
    launch.refs.insert(launch.refs.end(), desc.outputs.begin(), desc.outputs.end());
    launch.refs.resize(launch.refs.size() + kTrailingOptionals);
    launch.refs.push_back(desc.workspace);
    launch.addresses.resize(launch.refs.size());
    for (const OperandRef& ref : launch.refs) {
      if (ref.region >= 0 && static_cast<std::size_t>(ref.region) >= regions) {
        return Error::internal("[cpu] launch '" + launch.node_name + "': no such region");
      }
    }
    out->launches.push_back(std::move(launch));
  }
  out->fixed = std::move(segment.fixed);
  return std::unique_ptr<Executable>(std::move(out));
}

Status CpuDevice::run(BoundLaunch& launch, const CpuExecutable& executable,
                      const SubmitArgs& args) {
  for (std::size_t i = 0; i < launch.refs.size(); ++i) {
    const OperandRef& ref = launch.refs[i];
    launch.addresses[i] = nullptr;
    if (ref.region < 0) continue;
    const auto region = static_cast<std::size_t>(ref.region);
    const BufferView& view = region < executable.fixed.size()
                                 ? executable.fixed[region]
                                 : args.regions[region - executable.fixed.size()];
    if (ref.offset < 0 || ref.bytes < 0 || ref.offset > view.bytes ||
        ref.bytes > view.bytes - ref.offset) {
      return outside(launch.node_name);
    }
    launch.addresses[i] = view.buffer->host() + view.offset + ref.offset;
  }
  const Launch call{launch.addresses.data(), launch.addresses.data() + launch.inputs,
                    launch.addresses.back(), &pool_};
  Status status = launch.kernel->run(call);
  if (!status) return at_node(status.error(), launch.node_name);
  return status;
}

Result<Fence> CpuDevice::submit(Executable& executable, const SubmitArgs& args) {
  auto& segment = static_cast<CpuExecutable&>(executable);
  if (args.regions.size() != segment.run_regions) {
    return Error::internal("[cpu] submit, got " + std::to_string(args.regions.size()) +
                           " regions, wanted " + std::to_string(segment.run_regions));
  }
  for (const BufferView& view : args.regions) {
    if (!inside(view)) return outside("run region");
  }
  submits_.fetch_add(1);
  // First the executable, then the turn: who waits for its own earlier run holds up nobody else.
  const std::lock_guard lock(segment.mutex);
  const Turn turn(pool_.turnstile());
  const bool timed = args.profile != nullptr || segment.runs++ % kRunsATiming == 0;
  for (std::size_t i = 0; i < segment.launches.size(); ++i) {
    BoundLaunch& launch = segment.launches[i];
    if (i > 0) pool_.turnstile().offer(launch.last_ns);
    if (args.cancel != nullptr && args.cancel->cancelled()) {
      return Error::cancelled("[cpu] stopped on request");
    }
    const std::int64_t start = timed ? monotonic_ns() : 0;
    Status status = run(launch, segment, args);
    if (!status) return status.error();
    if (timed) launch.last_ns = monotonic_ns() - start;
    if (args.profile != nullptr) {
      args.profile->push_back(
          {static_cast<std::int32_t>(i), static_cast<double>(launch.last_ns) * 1e-3});
    }
  }
  launches_.fetch_add(static_cast<std::int64_t>(segment.launches.size()));
  return Fence{};
}

}  // namespace

}  // namespace polaris::cpu

namespace polaris {

Result<std::unique_ptr<Device>> make_cpu_device(const CpuOptions& options) {
  auto isa = cpu::choose_isa(options.isa_max);
  if (!isa) return isa.error();
  return std::unique_ptr<Device>(
      std::make_unique<cpu::CpuDevice>(options, *isa, cpu::processor_name()));
}

}  // namespace polaris
