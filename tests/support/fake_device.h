#pragma once
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "backend/reference/reference_device.h"
#include "support/device_wrapper.h"

namespace polaris::test {

/// The reference device under another description: with less memory, slower, refusing some ops.
class FakeDevice final : public DeviceWrapper {
 public:
  explicit FakeDevice(std::string id, std::unique_ptr<Device> inner = make_reference_device())
      : DeviceWrapper(std::move(inner)), info_(DeviceWrapper::info()) {
    info_.id = std::move(id);
  }
  const DeviceInfo& info() const override { return info_; }
  Result<std::shared_ptr<const Kernel>> select(const NodeDesc& node) const override {
    if (refuses.contains(op_full_name(*node.op)) || (refuse && refuse(node))) {
      return Error::unsupported("[" + op_full_name(*node.op) + "] refused");
    }
    auto kernel = DeviceWrapper::select(node);
    if (kernel) std::const_pointer_cast<Kernel>(*kernel)->estimate_us = us;
    return kernel;
  }
  Result<std::unique_ptr<Executable>> compile(SegmentDesc segment) override {
    if (on_compile) on_compile();
    return DeviceWrapper::compile(std::move(segment));
  }

  DeviceInfo info_;
  std::set<std::string> refuses;  // full names of ops
  std::function<bool(const NodeDesc&)> refuse;
  std::function<void()> on_compile;
  double us = 1;  // each kernel's estimate
};

}  // namespace polaris::test
