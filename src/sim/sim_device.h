#pragma once
#include <memory>
#include <string>

#include "backend/backend.h"
#include "backend/vulkan/kernel.h"

namespace polaris::gcn {

/// What RADV says of an RX 470..590, as the Vulkan backend asks for it.
vulkan::VulkanTarget polaris_target();

class ProgramCache;

/// A device that runs the Vulkan backend's kernels by executing their POLARIS10 machine code. A
/// fault of the program (Faults) is an error of the submission. Errors: not_found without Mesa's
/// driver.
Result<std::unique_ptr<Device>> make_sim_device(const std::string& icd);
std::unique_ptr<Device> make_sim_device(std::shared_ptr<ProgramCache> programs);

/// The same to plan for alone: it chooses kernels and compiles nothing, so no driver is needed.
std::unique_ptr<Device> make_planning_device();

}  // namespace polaris::gcn
