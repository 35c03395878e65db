#include "arch/decoder/decoder.h"
#include "arch/decoder/read_spec.h"

namespace polaris {
namespace {

Result<ArchModel> build(const ArchInput& input) {
  ArchBuilder b("llama", input);
  DecoderSpec spec;
  // The rows of q and k stand so that turned pairs are neighbours, in these files only.
  spec.rope.pairs = RopePairs::kNeighbours;
  return build_decoder(b, read_decoder(b, spec));
}

}  // namespace

extern constinit const Architecture arch_llama{
    .name = "llama",
    .doc = "Llama, Mistral and their kin: RMS norms, rotary positions, grouped heads, gated SiLU.",
    .build = build,
};

}  // namespace polaris
