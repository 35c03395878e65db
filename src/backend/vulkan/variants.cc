#include "backend/vulkan/variants.h"

#include <utility>

namespace polaris::vulkan {

std::vector<ShaderVariant> list_shader_variants() {
  std::vector<ShaderVariant> all;
  for (std::size_t i = 0; i < kFamilyCount; ++i) {
    for (ShaderVariant& variant : kFamilies[i]->variants()) all.push_back(std::move(variant));
  }
  return all;
}

std::string shader_variants_json() {
  // Names are ours and hold nothing that JSON would have to escape.
  std::string json = "[\n";
  bool first = true;
  for (const ShaderVariant& variant : list_shader_variants()) {
    if (!first) json += ",\n";
    first = false;
    json += " {\"file\": \"" + std::string(variant.shader) + ".spv\", \"name\": \"" + variant.name +
            "\", \"specialization\": {";
    for (std::size_t i = 0; i < variant.constants.size(); ++i) {
      json += (i == 0 ? "\"" : ", \"") + std::to_string(i) + "\": ";
      json += std::to_string(variant.constants[i]);
    }
    json += "}, \"bindings\": " + std::to_string(variant.bindings) +
            ", \"push_constant_bytes\": " + std::to_string(variant.push_bytes) +
            ", \"work_per_trip\": " + std::to_string(variant.work_per_trip) + "}";
  }
  return json + "\n]\n";
}

}  // namespace polaris::vulkan
