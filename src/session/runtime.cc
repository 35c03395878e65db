#include "session/runtime.h"

#include <utility>

namespace polaris {
namespace {

// Tickets in flight run one to a thread; each mostly waits for a device.
constexpr int kTicketThreads = 4;

}  // namespace

Runtime::Runtime(std::vector<std::unique_ptr<Device>> devices, DeviceIndex spread, OpSet ops)
    : ops_(std::move(ops)), devices_(std::move(devices)), spread_(spread), tasks_(kTicketThreads) {
  for (auto& device : devices_) {
    pointers_.push_back(device.get());
    memories_.push_back(std::make_unique<MemoryManager>(*device, reclaimers_));
    weights_.push_back(std::make_unique<WeightStore>(*memories_.back(), reclaimers_));
    memories_.back()->set_weights(*weights_.back());
    traffic_.push_back(std::make_unique<Traffic>());
  }
}

Runtime::~Runtime() = default;

}  // namespace polaris
