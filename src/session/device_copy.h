#pragma once
#include "session/runtime.h"

namespace polaris {

/// One end of a copy: bytes on a device, and what must be done before they are touched.
struct CopyEnd {
  DeviceIndex device = 0;
  BufferView view;
  Fence after;
};

struct DeviceCopy {
  Fence done;     // on the device that the bytes come to
  Lease staging;  // to be kept until then
};

/// Starts copying bytes to a buffer of the same or another device, by the shortest way: inside the
/// device; from or into memory that the host sees, with one copy; else by one hop through such
/// memory of the receiving device, leased from its pool.
Result<DeviceCopy> start_device_copy(Runtime& runtime, const CopyEnd& from, const CopyEnd& to);

}  // namespace polaris
