#pragma once
#include <memory>
#include <vector>

#include "backend/backend.h"

namespace polaris::test {

/// One of every device that this build and machine have, made once: reference, cpu for each of its
/// instruction sets, Vulkan (see test_vulkan_id()). POLARIS_DEVICES (comma-separated backends)
/// keeps only those named; one that is named and missing fails the test. "gcn", the executed
/// machine code of POLARIS10, is there only by name.
const std::vector<std::unique_ptr<Device>>& devices();

/// The executed machine code, where POLARIS_DEVICES names it; else null.
std::unique_ptr<Device> make_gcn_device();

}  // namespace polaris::test
