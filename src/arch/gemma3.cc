#include <cmath>

#include "arch/decoder/decoder.h"
#include "arch/decoder/read_spec.h"

namespace polaris {
namespace {

// One layer in so many sees the whole context.
constexpr std::int64_t kWindowPeriod = 6;

Result<ArchModel> build(const ArchInput& input) {
  ArchBuilder b("gemma3", input);
  DecoderSpec spec;
  spec.head_norms = true;
  spec.norms_after = true;
  spec.feed_forward_kind = FeedForwardKind::kGatedGelu;
  spec.rope.theta = 1e6;
  spec = read_decoder(b, spec);
  spec.embedding_scale = std::sqrt(static_cast<float>(spec.width));
  spec.window = b.integer("attention.sliding_window", 1, INT32_MAX);
  spec.window_period = b.integer("attention.sliding_window_pattern", 1, 1025, kWindowPeriod);
  // Windows are as they were before the context was stretched.
  spec.window_rope =
      RopeSpec{.dims = spec.rope.dims, .theta = b.real("rope.freq_base_swa", 1.0, 1e12, 10000.0)};
  return build_decoder(b, spec);
}

}  // namespace

extern constinit const Architecture arch_gemma3{
    .name = "gemma3",
    .doc = "Gemma 3: norms before and after, gated GELU, five layers in six with a window.",
    .build = build,
};

}  // namespace polaris
