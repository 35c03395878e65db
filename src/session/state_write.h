#pragma once
#include <vector>

#include "session/runtime.h"
#include "session/value_ref.h"

namespace polaris {

/// A state's next value on its way to the state's bytes.
struct StateWrite {
  ValueRef from;
  DeviceIndex device = 0;
  BufferView to;
};

/// Writes all as if at once: a source that stands in another state's bytes is read as it was
/// before. Copies go in an order in which no source is overwritten too early; only where states
/// trade places is one of them kept aside.
Status write_states(Runtime& runtime, std::vector<StateWrite> writes);

}  // namespace polaris
