#include "session/stage_runner.h"

#include <cstring>
#include <string>
#include <utility>

#include "base/os/clock.h"

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
    if (devices_[d].busy) (void)wait_device(static_cast<DeviceIndex>(d));
  }
}

Result<std::vector<ValueRef>> StageRunner::run(std::span<const ValueRef* const> live,
                                               const BoundStates& states) {
  if (auto status = bind(live, states); !status) return status.error();
  const Stage& stage = loaded_.stage;
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
    if (auto status = wait_device(static_cast<DeviceIndex>(d)); !status) return status.error();
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
    DevicePool& pool = runtime_.pool(static_cast<DeviceIndex>(d));
    for (std::int64_t bytes : stage.slab_bytes[d]) {
      auto lease = pool.lease(bytes, MemoryKind::kDevice);
      if (!lease) return lease.error();
      devices_[d].slabs.push_back(lease.take());
    }
    if (stage.upload_bytes[d] > 0) {
      auto lease = pool.lease(stage.upload_bytes[d], MemoryKind::kUpload);
      if (!lease) return lease.error();
      devices_[d].upload = std::make_shared<Lease>(lease.take());
    }
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
          std::memcpy(upload->buffer()->host() + storage.offset, bytes.data(), bytes.size());
        }
        storage_views_[s] = {upload->buffer(), storage.offset, storage.bytes};
        storage_leases_[s] = upload;
        break;
      }
      case Storage::Kind::kLiveOut: {
        const bool local = runtime_.device(storage.device).info().host_memory;
        const MemoryKind kind =
            storage.readback && !local ? MemoryKind::kReadback : MemoryKind::kDevice;
        auto lease = runtime_.pool(storage.device).lease(storage.bytes, kind);
        if (!lease) return lease.error();
        storage_leases_[s] = std::make_shared<Lease>(lease.take());
        storage_views_[s] = {storage_leases_[s]->buffer(), 0, storage.bytes};
        break;
      }
    }
  }
  return Status::success();
}

Status StageRunner::run_segment(const SegmentStep& step, Executable& executable,
                                std::size_t number) {
  Device& device = runtime_.device(step.device);
  PerDevice& mine = on(step.device);
  std::vector<LaunchTime> times;
  const double begin = options_.trace != nullptr ? now_us() : 0;
  SubmitArgs args{mine.regions, options_.cancel, options_.profile != nullptr ? &times : nullptr};
  auto fence = device.submit(executable, args);
  if (!fence) return fence.error();
  mine.last = *fence;
  mine.busy = true;
  if (options_.trace == nullptr && options_.profile == nullptr) return Status::success();
  if (auto status = wait_device(step.device); !status) return status;
  if (options_.trace != nullptr) {
    options_.trace->add({ticket_, step.device, device.info().id,
                         "segment " + std::to_string(number), begin, now_us()});
  }
  for (const LaunchTime& time : times) {
    const Launch& launch = step.launches[static_cast<std::size_t>(time.launch)];
    const Node& node = info_.graph->node(launch.node);
    options_.profile->push_back({node.name,
                                 launch.relayout ? "Transpose (relayout)" : op_full_name(*node.op),
                                 std::string(launch.kernel->name()), device.info().id,
                                 launch.kernel->flops, launch.kernel->bytes, time.us});
  }
  return Status::success();
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
  // The source must be complete; the target's earlier work is ordered by write().
  if (auto status = wait_device(step.from_device); !status) return status;
  const BufferView from = view_of(step.from);
  const BufferView to = view_of(step.to);
  if (from.bytes > 0 && step.from_device == step.to_device) {
    auto status = runtime_.device(step.from_device).copy(from, to);
    if (!status) return status;
  } else if (from.bytes > 0) {
    runtime_.traffic(step.from_device).from_device += from.bytes;
    runtime_.traffic(step.to_device).to_device += from.bytes;
    const std::byte* bytes =
        from.buffer->host() != nullptr ? from.buffer->host() + from.offset : nullptr;
    if (bytes == nullptr) {
      if (staging_.size() < static_cast<std::size_t>(from.bytes)) {
        staging_.resize(static_cast<std::size_t>(from.bytes));
      }
      auto status = runtime_.device(step.from_device).read(from, staging_.data());
      if (!status) return status;
      bytes = staging_.data();
    }
    if (auto status = runtime_.device(step.to_device).write(to, bytes); !status) return status;
  }
  if (options_.trace != nullptr) {
    options_.trace->add({ticket_, step.to_device, runtime_.device(step.to_device).info().id,
                         "transfer", begin, now_us()});
  }
  return Status::success();
}

Status StageRunner::wait_device(DeviceIndex d) {
  PerDevice& device = on(d);
  if (!device.busy) return Status::success();
  device.busy = false;
  return runtime_.device(d).wait(device.last);
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
