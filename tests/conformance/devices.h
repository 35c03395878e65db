#pragma once
#include <memory>
#include <vector>

#include "backend/backend.h"

namespace polaris::test {

/// One of every device that this build and machine have, made once: reference, cpu, Vulkan on the
/// software rasterizer. POLARIS_DEVICES (comma-separated backends) keeps only those named.
const std::vector<std::unique_ptr<Device>>& devices();

}  // namespace polaris::test
