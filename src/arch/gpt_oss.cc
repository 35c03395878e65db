#include "arch/decoder/decoder.h"
#include "arch/decoder/read_spec.h"

namespace polaris {
namespace {

Result<ArchModel> build(const ArchInput& input) {
  ArchBuilder b("gpt-oss", input);
  DecoderSpec spec;
  spec.feed_forward_norm = "post_attention_norm";
  spec.feed_forward_kind = FeedForwardKind::kGatedClamped;
  spec.experts.emplace();
  spec.sinks = true;
  spec = read_decoder(b, spec);
  spec.window = b.integer("attention.sliding_window", 1, INT32_MAX);
  spec.window_period = b.integer("attention.sliding_window_pattern", 1, 1024, 2);
  return build_decoder(b, spec);
}

}  // namespace

extern constinit const Architecture arch_gpt_oss{
    .name = "gpt-oss",
    .doc =
        "gpt-oss: experts with biases and clamped gates, a sink for each head, a window in "
        "every other layer.",
    .build = build,
};

}  // namespace polaris
