#include "session/device_copy.h"

#include <utility>

namespace polaris {
namespace {

Result<DeviceCopy> started(Result<Fence> fence, Lease staging = {}) {
  if (!fence) return fence.error();
  return DeviceCopy{*fence, std::move(staging)};
}

}  // namespace

Result<DeviceCopy> start_device_copy(Runtime& runtime, const CopyEnd& from, const CopyEnd& to) {
  Device& source = runtime.device(from.device);
  Device& target = runtime.device(to.device);
  if (from.view.bytes == 0) return DeviceCopy{to.after, {}};
  if (from.device == to.device) {
    const Fence after[] = {from.after, to.after};
    return started(source.start_copy(from.view, to.view, after));
  }
  runtime.traffic(from.device).from_device += from.view.bytes;
  runtime.traffic(to.device).to_device += from.view.bytes;
  if (from.view.buffer->host() != nullptr) {
    if (auto ready = source.wait(from.after); !ready) return ready.error();
    const std::byte* bytes = from.view.buffer->host() + from.view.offset;
    return started(target.start_write(to.view, bytes, {&to.after, 1}));
  }
  if (to.view.buffer->host() != nullptr) {
    if (auto ready = target.wait(to.after); !ready) return ready.error();
    std::byte* bytes = to.view.buffer->host() + to.view.offset;
    if (auto status = source.read(from.view, bytes, {&from.after, 1}); !status) {
      return status.error();
    }
    return DeviceCopy{};
  }
  auto staging = runtime.memory(to.device).lease(from.view.bytes, MemoryKind::kUpload);
  if (!staging) return staging.error();
  std::byte* bytes = staging->buffer()->host();
  if (auto status = source.read(from.view, bytes, {&from.after, 1}); !status) {
    return status.error();
  }
  const BufferView hop{staging->buffer(), 0, from.view.bytes};
  return started(target.start_copy(hop, to.view, {&to.after, 1}), staging.take());
}

}  // namespace polaris
