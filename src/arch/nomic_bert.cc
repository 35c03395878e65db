#include "arch/decoder/read_spec.h"
#include "arch/encoder/encoder.h"

namespace polaris {
namespace {

Result<ArchModel> build(const ArchInput& input) {
  ArchBuilder b("nomic-bert", input);
  DecoderSpec spec;
  spec.norm = NormKind::kLayer;
  spec.fused_qkv = b.has_weight("blk.0.attn_qkv.weight");
  spec.feed_forward_kind = FeedForwardKind::kGatedSilu;
  spec.rope.theta = 1000.0;
  return build_encoder(b, read_decoder(b, spec));
}

}  // namespace

extern constinit const Architecture arch_nomic_bert{
    .name = "nomic-bert",
    .doc = "Nomic Embed: as BERT, with rotary positions and gated SiLU.",
    .build = build,
};

}  // namespace polaris
