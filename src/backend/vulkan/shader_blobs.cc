#include "backend/vulkan/shader_blobs.h"

#include <xxhash.h>

namespace polaris::vulkan {

std::span<const std::uint32_t> find_shader(std::string_view name) {
  for (std::size_t i = 0; i < kShaderBlobCount; ++i) {
    if (kShaderBlobs[i].name == name) return {kShaderBlobs[i].words, kShaderBlobs[i].word_count};
  }
  return {};
}

std::uint64_t shader_set_hash() {
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < kShaderBlobCount; ++i) {
    hash = XXH3_64bits_withSeed(kShaderBlobs[i].words, kShaderBlobs[i].word_count * 4, hash);
  }
  return hash;
}

}  // namespace polaris::vulkan
