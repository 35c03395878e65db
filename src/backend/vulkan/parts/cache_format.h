#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "backend/vulkan/parts/kernel_util.h"

/// How keys and values stand in paged caches, and which modules read and write them.
namespace polaris::vulkan {

struct CacheFormat {
  std::string_view name;
  std::string_view write;
  std::string_view turned_write;  // "": there is none
  std::string_view read;
  std::string_view prompt_read;  // tiles of tokens
  std::int64_t unit;             // elements of a block, which are written together
  std::int64_t each;             // of those a thread writes: a word
};

/// The two caches' common format. Errors: unsupported.
Result<CacheFormat> cache_format(const NodeDesc& node, const TensorType& k, const TensorType& v);
/// All that there are modules for.
std::vector<CacheFormat> cache_formats();

/// How these shaders name the type of rows of activations; -1 where they do not take it.
std::int64_t row_type(DType dtype);

/// Shaders count elements in 32 bits, and a binding has its limit. Errors: unsupported.
Status check_bindings(const VulkanTarget& target, const NodeDesc& node);

}  // namespace polaris::vulkan
