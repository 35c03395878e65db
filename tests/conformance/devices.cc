#include "conformance/devices.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "backend/reference/reference_device.h"
#include "sim/null_device.h"
#include "sim/sim_device.h"
#include "support/cpu_case.h"
#include "support/vulkan.h"

namespace polaris::test {
namespace {

bool wanted(const std::string& backend) {
  return std::getenv("POLARIS_DEVICES") == nullptr || backend_named(backend);
}

std::vector<std::unique_ptr<Device>> make_devices() {
  std::vector<std::unique_ptr<Device>> out;
  const auto add = [&](std::unique_ptr<Device> device) {
    if (device != nullptr) out.push_back(std::move(device));
  };
  if (wanted("reference")) add(make_reference_device());
  if (wanted("cpu")) {
    // Every instruction set of this machine: older ones must be as right as the best.
    for (const std::string& isa : isas_here()) add(cpu_device(isa));
  }
  if (wanted("vulkan")) add(make_test_vulkan());
  add(make_gcn_device());
  // A name that is misspelt, or nothing made, must not pass for a run.
  CHECK_MESSAGE(!out.empty(), "POLARIS_DEVICES names no backend: reference, cpu, vulkan or gcn");
  return out;
}

}  // namespace

std::unique_ptr<Device> make_gcn_device() {
  // Slow, so only where it is asked for.
  if (std::getenv("POLARIS_DEVICES") == nullptr || !wanted("gcn")) return nullptr;
  auto device = gcn::make_sim_device(radv::kDefaultIcd);
  if (device) return device.take();
  FAIL_CHECK(device.error().message());
  return nullptr;
}

const std::vector<std::unique_ptr<Device>>& devices() {
  static const std::vector<std::unique_ptr<Device>> all = make_devices();
  return all;
}

}  // namespace polaris::test
