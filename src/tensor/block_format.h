#pragma once
#include "tensor/block_codec.h"
#include "tensor/encoding.h"

namespace polaris {

/// What a format's blocks are, the one place that says it; block_format_info() is this as a table.
constexpr BlockFormatInfo block_info(BlockFormat format) {
  switch (format) {
    case BlockFormat::kQ4_0: return {"q4_0", 32, 18};
    case BlockFormat::kQ8_0: return {"q8_0", 32, 34};
    case BlockFormat::kQ4_1: return {"q4_1", 32, 20};
    case BlockFormat::kQ5_0: return {"q5_0", 32, 22};
    case BlockFormat::kQ5_1: return {"q5_1", 32, 24};
    case BlockFormat::kQ2_K: return {"q2_k", 256, 84};
    case BlockFormat::kQ3_K: return {"q3_k", 256, 110};
    case BlockFormat::kQ4_K: return {"q4_k", 256, 144};
    case BlockFormat::kQ5_K: return {"q5_k", 256, 176};
    case BlockFormat::kQ6_K: return {"q6_k", 256, 210};
    case BlockFormat::kIQ4_NL: return {"iq4_nl", 32, 18};
    case BlockFormat::kIQ4_XS: return {"iq4_xs", 256, 136};
    case BlockFormat::kMXFP4: return {"mxfp4", 32, 17};
    case BlockFormat::kNVFP4: return {"nvfp4", 64, 36};
    case BlockFormat::kTQ1_0: return {"tq1_0", 256, 54};
    case BlockFormat::kTQ2_0: return {"tq2_0", 256, 66};
    case BlockFormat::kIQ1_S: return {"iq1_s", 256, 50};
    case BlockFormat::kIQ1_M: return {"iq1_m", 256, 56};
    case BlockFormat::kIQ2_XXS: return {"iq2_xxs", 256, 66};
    case BlockFormat::kIQ2_XS: return {"iq2_xs", 256, 74};
    case BlockFormat::kIQ2_S: return {"iq2_s", 256, 82};
    case BlockFormat::kIQ3_XXS: return {"iq3_xxs", 256, 98};
    case BlockFormat::kIQ3_S: return {"iq3_s", 256, 110};
  }
  return {};
}
static_assert(block_info(static_cast<BlockFormat>(kBlockFormatCount)).name.empty() &&
              !block_info(static_cast<BlockFormat>(kBlockFormatCount - 1)).name.empty());

}  // namespace polaris
