#include "arch/decoder/decoder.h"
#include "arch/decoder/read_spec.h"

namespace polaris {
namespace {

Result<ArchModel> build(const ArchInput& input) {
  ArchBuilder b("gpt2", input);
  DecoderSpec spec;
  spec.norm = NormKind::kLayer;
  spec.fused_qkv = true;
  spec.turned = false;
  spec.feed_forward_kind = FeedForwardKind::kGelu;
  return build_decoder(b, read_decoder(b, spec));
}

}  // namespace

extern constinit const Architecture arch_gpt2{
    .name = "gpt2",
    .doc = "GPT-2: a row for each position, layer norms, q, k and v in one matrix, GELU, biases.",
    .build = build,
};

}  // namespace polaris
