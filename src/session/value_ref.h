#pragma once
#include <memory>

#include "backend/backend.h"
#include "plan/plan.h"
#include "session/memory_manager.h"
#include "tensor/tensor.h"

namespace polaris {

/// A value while a graph runs: a host tensor, or bytes on a device kept alive by their lease (none
/// for states, which the session keeps).
struct ValueRef {
  TensorType type;
  Tensor host;  // device == kHost
  DeviceIndex device = kHost;
  std::shared_ptr<Lease> lease;
  BufferView view;

  static ValueRef of(Tensor tensor) {
    ValueRef out;
    out.type = tensor.type();
    out.host = std::move(tensor);
    return out;
  }
};

/// The graph's states as bound for a run: static types and where their bytes are.
struct BoundStates {
  std::vector<TensorType> types;
  std::vector<BufferView> views;
};

}  // namespace polaris
