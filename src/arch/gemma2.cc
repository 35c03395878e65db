#include <cmath>

#include "arch/decoder/decoder.h"
#include "arch/decoder/read_spec.h"

namespace polaris {
namespace {

/// Queries are scaled by the size of a head, but for the largest of the family, which was trained
/// with the width over the heads. Its files say so by nothing but their layers.
constexpr std::int64_t kLayersOf27b = 46;

Result<ArchModel> build(const ArchInput& input) {
  ArchBuilder b("gemma2", input);
  DecoderSpec spec;
  spec.norms_after = true;
  spec.feed_forward_kind = FeedForwardKind::kGatedGelu;
  spec.attention_cap = 50.0f;
  spec.logit_cap = 30.0f;
  spec = read_decoder(b, spec);
  spec.embedding_scale = std::sqrt(static_cast<float>(spec.width));
  if (spec.attention_scale == 0.0f && spec.layers == kLayersOf27b) {
    spec.attention_scale =
        1.0f / std::sqrt(static_cast<float>(spec.width) / static_cast<float>(spec.heads));
  }
  spec.window = b.integer("attention.sliding_window", 1, INT32_MAX, 4096);
  spec.window_period = b.integer("attention.sliding_window_pattern", 1, 1025, 2);
  return build_decoder(b, spec);
}

}  // namespace

extern constinit const Architecture arch_gemma2{
    .name = "gemma2",
    .doc = "Gemma 2: norms before and after, gated GELU, soft caps, a window in every other layer.",
    .build = build,
};

}  // namespace polaris
