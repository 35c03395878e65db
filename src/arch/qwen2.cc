#include "arch/decoder/decoder.h"
#include "arch/decoder/read_spec.h"

namespace polaris {
namespace {

Result<ArchModel> build(const ArchInput& input) {
  ArchBuilder b("qwen2", input);
  return build_decoder(b, read_decoder(b, {}));
}

}  // namespace

extern constinit const Architecture arch_qwen2{
    .name = "qwen2",
    .doc = "Qwen 2 and 2.5: as Llama, with biases on q, k and v.",
    .build = build,
};

}  // namespace polaris
