#include "arch/decoder/decoder.h"
#include "arch/decoder/read_spec.h"

namespace polaris {
namespace {

Result<ArchModel> build(const ArchInput& input) {
  ArchBuilder b("qwen3moe", input);
  DecoderSpec spec;
  spec.head_norms = true;
  spec.experts.emplace();
  return build_decoder(b, read_decoder(b, spec));
}

}  // namespace

extern constinit const Architecture arch_qwen3moe{
    .name = "qwen3moe",
    .doc = "Qwen 3, mixture of experts: every layer's router chooses some for each token.",
    .build = build,
};

}  // namespace polaris
