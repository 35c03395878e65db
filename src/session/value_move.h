#pragma once
#include "session/runtime.h"
#include "session/value_ref.h"

/// Values on their way between host and devices. All of these wait until the bytes are there.
namespace polaris {

/// The value's bytes on the host; `reuse`, if it is ours alone and of the right type, is filled.
Result<Tensor> to_host(Runtime& runtime, const ValueRef& value, Tensor reuse = {});
/// Writes the value to `to`, which must hold its bytes, on `device`.
Status copy_into(Runtime& runtime, const ValueRef& value, DeviceIndex device, const BufferView& to);
/// The value in memory of its own on `device`, leased from its pool.
Result<ValueRef> copy_to(Runtime& runtime, const ValueRef& value, DeviceIndex device);

}  // namespace polaris
