#pragma once
#include "session/runtime.h"
#include "session/value_ref.h"

/// Values on their way between host and devices. All of these wait until the bytes are there.
namespace polaris {

/// The value's bytes on the host; `reuse`, if it is ours alone and of the right type, is filled.
Result<Tensor> to_host(Runtime& runtime, const ValueRef& value, Tensor reuse = {});
/// The bytes of its row `row`, an index of axis 0, into `out`. Errors: invalid where there is no
/// such row or it is not as long.
Status read_row(Runtime& runtime, const ValueRef& value, std::int64_t row,
                std::span<std::byte> out);
/// Writes the value to `to`, which must hold its bytes, on `device`.
Status copy_into(Runtime& runtime, const ValueRef& value, DeviceIndex device, const BufferView& to);
/// The value in memory of its own on `device`, leased from its pool.
Result<ValueRef> copy_to(Runtime& runtime, const ValueRef& value, DeviceIndex device);

}  // namespace polaris
