#include "arch/decoder/decoder.h"
#include "arch/decoder/read_spec.h"

namespace polaris {
namespace {

Result<ArchModel> build(const ArchInput& input) {
  ArchBuilder b("qwen3", input);
  DecoderSpec spec;
  spec.head_norms = true;
  return build_decoder(b, read_decoder(b, spec));
}

}  // namespace

extern constinit const Architecture arch_qwen3{
    .name = "qwen3",
    .doc = "Qwen 3, dense: as Llama, with a norm of every head of q and k.",
    .build = build,
};

}  // namespace polaris
