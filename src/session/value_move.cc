#include "session/value_move.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "session/device_copy.h"

namespace polaris {
namespace {

// Empty tensors still get an address.
constexpr std::int64_t kLeaseBytesMin = 16;

}  // namespace

Result<Tensor> to_host(Runtime& runtime, const ValueRef& value, Tensor reuse) {
  if (value.device == kHost) return value.host;
  const bool ours = reuse && reuse.type() == value.type && reuse.owner().use_count() == 1;
  if (!ours) {
    auto fresh = Tensor::allocate(value.type);
    if (!fresh) return fresh.error();
    reuse = fresh.take();
  }
  if (reuse.bytes().empty()) return reuse;
  BufferView view = value.view;
  view.bytes = static_cast<std::int64_t>(reuse.bytes().size());
  runtime.traffic(value.device).from_device += view.bytes;
  if (auto status = runtime.device(value.device).read(view, reuse.mutable_bytes().data());
      !status) {
    return status.error();
  }
  return reuse;
}

Status read_row(Runtime& runtime, const ValueRef& value, std::int64_t row,
                std::span<std::byte> out) {
  const Shape& shape = value.type.shape;
  const std::int64_t rows = shape.rank() > 0 ? shape[0] : 0;
  const std::int64_t bytes = rows > 0 ? value.type.bytes().value_or(0) / rows : 0;
  if (row < 0 || row >= rows || std::cmp_not_equal(out.size(), bytes)) {
    return Error::invalid("[session] row " + std::to_string(row) + " in " +
                          std::to_string(out.size()) + " bytes, wanted one of " +
                          std::to_string(rows) + " in " + std::to_string(bytes));
  }
  if (value.device == kHost) {
    copy_bytes(out.data(), value.host.bytes().data() + row * bytes, out.size());
    return Status::success();
  }
  runtime.traffic(value.device).from_device += bytes;
  const BufferView view{value.view.buffer, value.view.offset + row * bytes, bytes};
  return runtime.device(value.device).read(view, out.data());
}

Status copy_into(Runtime& runtime, const ValueRef& value, DeviceIndex device,
                 const BufferView& to) {
  const std::int64_t bytes = value.type.bytes().value_or(0);
  if (bytes == 0) return Status::success();
  if (value.device == kHost) {
    runtime.traffic(device).to_device += bytes;
    return runtime.device(device).write({to.buffer, to.offset, bytes}, value.host.bytes().data());
  }
  const auto copy =
      start_device_copy(runtime, {value.device, {value.view.buffer, value.view.offset, bytes}, {}},
                        {device, {to.buffer, to.offset, bytes}, {}});
  return copy ? runtime.device(device).wait(copy->done) : Status(copy.error());
}

Result<ValueRef> copy_to(Runtime& runtime, const ValueRef& value, DeviceIndex device) {
  const std::int64_t bytes = value.type.bytes().value_or(0);
  auto lease = runtime.memory(device).lease(std::max(bytes, kLeaseBytesMin), MemoryKind::kDevice);
  if (!lease) return lease.error();
  ValueRef out;
  out.type = value.type;
  out.device = device;
  out.lease = std::make_shared<Lease>(lease.take());
  out.view = {out.lease->buffer(), 0, bytes};
  if (auto status = copy_into(runtime, value, device, out.view); !status) return status.error();
  return out;
}

}  // namespace polaris
