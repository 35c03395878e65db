#include "arch/decoder/decoder.h"
#include "arch/decoder/read_spec.h"

namespace polaris {
namespace {

Result<ArchModel> build(const ArchInput& input) {
  ArchBuilder b("starcoder2", input);
  DecoderSpec spec;
  spec.norm = NormKind::kLayer;
  spec.feed_forward_kind = FeedForwardKind::kGelu;
  return build_decoder(b, read_decoder(b, spec));
}

}  // namespace

extern constinit const Architecture arch_starcoder2{
    .name = "starcoder2",
    .doc = "StarCoder 2: layer norms, rotated halves, GELU, biases.",
    .build = build,
};

}  // namespace polaris
