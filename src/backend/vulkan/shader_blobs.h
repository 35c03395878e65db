#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace polaris::vulkan {

/// One embedded SPIR-V module; `name` is the .spv file's name without its ending.
struct ShaderBlob {
  std::string_view name;
  const std::uint32_t* words = nullptr;
  std::size_t word_count = 0;
};

extern const ShaderBlob kShaderBlobs[];
extern const std::size_t kShaderBlobCount;

/// The words of a shader, empty where there is none of that name.
std::span<const std::uint32_t> find_shader(std::string_view name);
/// Hash of all embedded shaders: the key of the pipeline cache on disk.
std::uint64_t shader_set_hash();

}  // namespace polaris::vulkan
