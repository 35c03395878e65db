#include "session/stage_runner.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "backend/tuning.h"
#include "base/bytes.h"
#include "base/os/clock.h"
#include "session/device_copy.h"
#include "session/run_order.h"

namespace polaris {
namespace {

double now_us() { return static_cast<double>(monotonic_ns()) * 1e-3; }

}  // namespace

StageRunner::StageRunner(Runtime& runtime, const GraphInfo& info, const LoadedStage& loaded,
                         const RunOptions& options, std::int64_t ticket)
    : runtime_(runtime),
      info_(info),
      loaded_(loaded),
      options_(options),
      ticket_(ticket),
      devices_(static_cast<std::size_t>(runtime.device_count())),
      storage_leases_(loaded.stage.storages.size()),
      storage_views_(loaded.stage.storages.size()) {}

StageRunner::~StageRunner() {
  for (std::size_t d = 0; d < devices_.size(); ++d) {
    (void)wait_device(static_cast<DeviceIndex>(d)).ok();  // the run failed already
  }
}

Result<std::vector<ValueRef>> StageRunner::run(std::span<const ValueRef* const> live,
                                               const BoundStates& states) {
  if (auto status = bind(live, states); !status) return status.error();
  const Stage& stage = loaded_.stage;
  find_ordered();
  for (std::size_t s = 0; s < stage.steps.size(); ++s) {
    if (options_.cancel != nullptr && options_.cancel->cancelled()) {
      return Error::cancelled("[run] stopped on request");
    }
    const auto* segment = std::get_if<SegmentStep>(&stage.steps[s]);
    const Status status = segment != nullptr ? run_segment(*segment, *loaded_.executables[s], s)
                                             : run_transfer(std::get<TransferStep>(stage.steps[s]));
    if (!status) return status.error();
  }
  for (std::size_t d = 0; d < devices_.size(); ++d) {
    const auto device = static_cast<DeviceIndex>(d);
    if (auto status = wait_device(device); !status) return status.error();
    if (auto status = read_reports(device); !status) return status.error();
    devices_[d].watch.reset();
  }
  std::vector<ValueRef> out;
  out.reserve(stage.live_out.size());
  for (const LiveOut& value : stage.live_out) {
    auto ref = take_live_out(value);
    if (!ref) return ref.error();
    out.push_back(ref.take());
  }
  return out;
}

Status StageRunner::bind(std::span<const ValueRef* const> live, const BoundStates& states) {
  const Stage& stage = loaded_.stage;
  for (std::size_t d = 0; d < devices_.size(); ++d) {
    MemoryManager& memory = runtime_.memory(static_cast<DeviceIndex>(d));
    for (std::int64_t bytes : stage.slab_bytes[d]) {
      auto lease = memory.lease(bytes, MemoryKind::kDevice);
      if (!lease) return lease.error();
      devices_[d].slabs.push_back(lease.take());
    }
    if (stage.upload_bytes[d] > 0) {
      auto lease = memory.lease(stage.upload_bytes[d], MemoryKind::kUpload);
      if (!lease) return lease.error();
      devices_[d].upload = std::make_shared<Lease>(lease.take());
    }
    if (auto status = bind_reports(static_cast<DeviceIndex>(d)); !status) return status;
  }
  if (auto status = bind_storages(live, states); !status) return status;
  using Kind = LoadedStage::Region::Kind;
  for (std::size_t d = 0; d < devices_.size(); ++d) {
    PerDevice& device = devices_[d];
    device.regions.reserve(loaded_.regions[d].size());
    for (const LoadedStage::Region& region : loaded_.regions[d]) {
      const auto index = static_cast<std::size_t>(region.index);
      if (region.kind == Kind::kStorage) {
        device.regions.push_back(storage_views_[index]);
      } else if (region.kind == Kind::kReports) {
        device.regions.push_back({device.reports.buffer(), 0, loaded_.report_bytes(d)});
      } else {
        const bool slab = region.kind == Kind::kSlab;
        Buffer* buffer = slab ? device.slabs[index].buffer() : device.upload->buffer();
        const std::int64_t bytes = slab ? stage.slab_bytes[d][index] : stage.upload_bytes[d];
        device.regions.push_back({buffer, 0, bytes});
      }
    }
  }
  return Status::success();
}

Status StageRunner::bind_storages(std::span<const ValueRef* const> live,
                                  const BoundStates& states) {
  const Stage& stage = loaded_.stage;
  for (std::size_t s = 0; s < stage.storages.size(); ++s) {
    const Storage& storage = stage.storages[s];
    const auto index = static_cast<std::size_t>(storage.index);
    if (storage.parent >= 0) continue;
    switch (storage.kind) {
      case Storage::Kind::kArena: break;
      case Storage::Kind::kLiveIn:
        storage_views_[s] = live[index]->view;
        storage_leases_[s] = live[index]->lease;
        break;
      case Storage::Kind::kState: storage_views_[s] = states.views[index]; break;
      case Storage::Kind::kUpload: {
        const auto& upload = on(storage.device).upload;
        const auto bytes = live[index]->host.bytes();
        if (!bytes.empty()) {
          runtime_.traffic(storage.device).to_device += static_cast<std::int64_t>(bytes.size());
          copy_bytes(upload->buffer()->host() + storage.offset, bytes.data(), bytes.size());
        }
        storage_views_[s] = {upload->buffer(), storage.offset, storage.bytes};
        storage_leases_[s] = upload;
        break;
      }
      case Storage::Kind::kLiveOut: {
        const bool local = runtime_.device(storage.device).info().host_memory;
        const MemoryKind kind =
            storage.readback && !local ? MemoryKind::kReadback : MemoryKind::kDevice;
        auto lease = runtime_.memory(storage.device).lease(storage.bytes, kind);
        if (!lease) return lease.error();
        storage_leases_[s] = std::make_shared<Lease>(lease.take());
        storage_views_[s] = {storage_leases_[s]->buffer(), 0, storage.bytes};
        break;
      }
    }
  }
  return Status::success();
}

Status StageRunner::bind_reports(DeviceIndex d) {
  const std::int64_t bytes = loaded_.report_bytes(static_cast<std::size_t>(d));
  if (bytes == 0) return Status::success();
  auto lease = runtime_.memory(d).lease(bytes, MemoryKind::kReadback);
  if (!lease) return lease.error();
  clear_bytes(lease->buffer()->host(), static_cast<std::size_t>(bytes));
  on(d).reports = lease.take();
  return Status::success();
}

Status StageRunner::read_reports(DeviceIndex d) const {
  const PerDevice& device = devices_[static_cast<std::size_t>(d)];
  if (!device.reports) return Status::success();
  for (const LoadedStage::Report& report : loaded_.reports[static_cast<std::size_t>(d)]) {
    std::uint32_t code = 0;
    std::memcpy(&code, device.reports.buffer()->host() + report.offset, sizeof code);
    if (code == 0) continue;
    const Node& node = info_.graph->node(report.node);
    return Error::invalid("[" + op_full_name(*node.op) + "] node '" + node.name +
                          "': " + report.kernel->report(code));
  }
  return Status::success();
}

Status StageRunner::run_segment(const SegmentStep& step, Executable& executable,
                                std::size_t number) {
  Device& device = runtime_.device(step.device);
  PerDevice& mine = on(step.device);
  std::vector<LaunchTime> times;
  auto before = follow(step.device, number);
  if (!before) return before.error();
  const Fence after[] = {mine.last, *before};
  const double begin = options_.trace != nullptr ? now_us() : 0;
  const SubmitArgs args{mine.regions, options_.cancel,
                        options_.profile != nullptr ? &times : nullptr, after};
  auto fence = device.submit(executable, args);
  if (!fence) return fence.error();
  mine.last = *fence;
  if (options_.order != nullptr && number == mine.last_ordered) {
    options_.order->leave(options_.place, static_cast<std::size_t>(step.device), mine.last);
  }
  if (options_.trace != nullptr) trace(step.device, "segment " + std::to_string(number), begin);
  if (options_.profile == nullptr) return Status::success();
  if (auto status = wait_device(step.device); !status) return status;
  for (const LaunchTime& time : times) {
    const Launch& launch = step.launches[static_cast<std::size_t>(time.launch)];
    const Node& node = info_.graph->node(launch.node);
    options_.profile->push_back(
        {node.name, launch.relayout ? "Transpose (relayout)" : op_full_name(*node.op),
         std::string(launch.kernel->name()), device.info().id, launch.kernel->flops,
         launch.kernel->bytes, time.us, launch.kernel->choice,
         launch.kernel->choice != nullptr ? kernel_id(*launch.kernel) : std::string()});
  }
  return Status::success();
}

/// Whether the segment reads or writes states, which runs share.
bool StageRunner::uses_states(const SegmentStep& step) const {
  const auto is_state = [&](const Operand& operand) {
    if (operand.storage < 0) return false;
    const auto root = static_cast<std::size_t>(loaded_.stage.resolve(operand).storage);
    return loaded_.stage.storages[root].kind == Storage::Kind::kState;
  };
  return std::ranges::any_of(step.launches, [&](const Launch& launch) {
    return std::ranges::any_of(launch.inputs, is_state) ||
           std::ranges::any_of(launch.outputs, is_state);
  });
}

/// Which segments runs that follow each other have to run one after the other. Only of a stage that
/// is the whole run it can be told what the last on a device is.
void StageRunner::find_ordered() {
  if (options_.order == nullptr) return;
  const Stage& stage = loaded_.stage;
  const bool whole = stage.begin == 0 && stage.end == info_.graph->order().size();
  for (std::size_t s = 0; s < stage.steps.size(); ++s) {
    const auto* segment = std::get_if<SegmentStep>(&stage.steps[s]);
    if (segment == nullptr || !uses_states(*segment)) continue;
    PerDevice& device = on(segment->device);
    device.first_ordered = std::min(device.first_ordered, s);
    if (whole && !stage.control.valid()) device.last_ordered = s;
  }
}

/// What the segment has to come after of the run before this one.
Result<Fence> StageRunner::follow(DeviceIndex d, std::size_t number) {
  if (options_.order == nullptr || on(d).first_ordered != number) return Fence{};
  return options_.order->enter(options_.place, static_cast<std::size_t>(d), options_.cancel);
}

/// Tells the trace of the device's latest step.
void StageRunner::trace(DeviceIndex d, std::string what, double begin_us) {
  PerDevice& mine = on(d);
  Device& device = runtime_.device(d);
  if (!mine.watch) mine.watch = std::make_unique<TraceWatch>(device, *options_.trace);
  mine.watch->add(mine.last, {ticket_, d, device.info().id, std::move(what), begin_us, begin_us});
}

BufferView StageRunner::view_of(const Operand& operand) const {
  const Operand root = loaded_.stage.resolve(operand);
  const Storage& storage = loaded_.stage.storages[static_cast<std::size_t>(root.storage)];
  if (storage.kind == Storage::Kind::kArena) {
    const auto& slabs = devices_[static_cast<std::size_t>(storage.device)].slabs;
    Buffer* buffer = slabs[static_cast<std::size_t>(storage.slab)].buffer();
    return {buffer, storage.offset + root.offset, operand.bytes};
  }
  const BufferView& view = storage_views_[static_cast<std::size_t>(root.storage)];
  return {view.buffer, view.offset + root.offset, operand.bytes};
}

Status StageRunner::run_transfer(const TransferStep& step) {
  const double begin = options_.trace != nullptr ? now_us() : 0;
  auto copy =
      start_device_copy(runtime_, {step.from_device, view_of(step.from), on(step.from_device).last},
                        {step.to_device, view_of(step.to), on(step.to_device).last});
  if (!copy) return copy.error();
  PerDevice& target = on(step.to_device);
  target.last = copy->done;
  if (copy->staging) target.hops.push_back(std::move(copy->staging));
  if (options_.trace != nullptr) trace(step.to_device, "transfer", begin);
  return Status::success();
}

Status StageRunner::wait_device(DeviceIndex d) {
  return runtime_.device(d).wait(std::exchange(on(d).last, Fence{}));
}

Result<ValueRef> StageRunner::take_live_out(const LiveOut& out) {
  ValueRef ref;
  ref.type = out.type;
  if (out.host) {
    ref.host = out.host;
    return ref;
  }
  const Operand root = loaded_.stage.resolve(out.at);
  ref.device = out.device;
  ref.view = view_of(out.at);
  ref.lease = storage_leases_[static_cast<std::size_t>(root.storage)];
  if (out.dims.storage < 0) return ref;
  std::int64_t dims[kMaxRank] = {};
  const BufferView view = view_of(out.dims);
  runtime_.traffic(out.device).from_device += view.bytes;
  auto status = runtime_.device(out.device).read(view, reinterpret_cast<std::byte*>(dims));
  if (!status) return status.error();
  for (int i = 0; i < out.type.shape.rank(); ++i) {
    if (dims[i] < 0 || dims[i] > out.type.shape[i]) {
      return Error::internal("[run] a kernel gave dim " + std::to_string(dims[i]) +
                             ", wanted at most " + std::to_string(out.type.shape[i]));
    }
    ref.type.shape[i] = dims[i];
  }
  ref.view.bytes = ref.type.bytes().value_or(0);
  return ref;
}

}  // namespace polaris
