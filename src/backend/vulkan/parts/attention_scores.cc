#include "backend/vulkan/parts/attention_scores.h"

#include <algorithm>
#include <cmath>

#include "ir/op_attrs/attention.h"

namespace polaris::vulkan {

float score_scale(const NodeDesc& node, std::int64_t head) {
  const float scale = node.attributes<PagedAttentionAttrs>().scale;
  return scale != 0 ? scale : static_cast<float>(1.0 / std::sqrt(static_cast<double>(head)));
}

std::uint32_t score_window(const NodeDesc& node) {
  const std::int64_t window = node.attributes<PagedAttentionAttrs>().window;
  if (window <= 0) return UINT32_MAX;
  return static_cast<std::uint32_t>(std::min<std::int64_t>(window, INT32_MAX));
}

}  // namespace polaris::vulkan
