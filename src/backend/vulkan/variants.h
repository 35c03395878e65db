#pragma once
#include <string>
#include <vector>

#include "backend/vulkan/kernel.h"

namespace polaris::vulkan {

/// Every pipeline variant that is shipped, from the families' own tables.
std::vector<ShaderVariant> list_shader_variants();
/// The same as shaders.json: an array of {"file","name","specialization","bindings",
/// "push_constant_bytes","work_per_trip"}.
std::string shader_variants_json();

}  // namespace polaris::vulkan
