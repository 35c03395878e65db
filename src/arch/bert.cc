#include "arch/decoder/read_spec.h"
#include "arch/encoder/encoder.h"

namespace polaris {
namespace {

Result<ArchModel> build(const ArchInput& input) {
  ArchBuilder b("bert", input);
  DecoderSpec spec;
  spec.norm = NormKind::kLayer;
  spec.fused_qkv = b.has_weight("blk.0.attn_qkv.weight");
  spec.turned = false;
  spec.feed_forward_kind = FeedForwardKind::kGeluErf;
  return build_encoder(b, read_decoder(b, spec));
}

}  // namespace

extern constinit const Architecture arch_bert{
    .name = "bert",
    .doc = "BERT: learned positions, token types, norms behind each sum, exact GELU.",
    .build = build,
};

}  // namespace polaris
