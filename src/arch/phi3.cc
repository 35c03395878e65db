#include "arch/decoder/decoder.h"
#include "arch/decoder/read_spec.h"
#include "arch/decoder/rope.h"

namespace polaris {
namespace {

/// LongRoPE: one set of divisors for contexts as long as those of training, one for longer ones.
/// Which it is depends on the context planned for, not on where a sequence stands, so that cached
/// keys stay as they were turned.
void choose_divisors(ArchBuilder& b, DecoderSpec& spec, std::int64_t trained) {
  const char* names[] = {"rope_factors_short.weight", "rope_factors_long.weight"};
  for (const char* name : names) {
    if (b.has_weight(name)) rope_divisors(b, name, spec.rope.dims / 2);
  }
  const char* chosen = names[spec.context > trained ? 1 : 0];
  if (b.has_weight(chosen) && !b.has_weight(spec.rope.divisors)) spec.rope.divisors = chosen;
}

Result<ArchModel> build(const ArchInput& input) {
  ArchBuilder b("phi3", input);
  DecoderSpec spec;
  spec.fused_qkv = true;
  spec.fused_gate = true;
  spec.rope.long_rope = true;
  spec = read_decoder(b, spec);
  const std::int64_t context = b.integer("context_length", 1, INT32_MAX);
  choose_divisors(b, spec,
                  b.integer("rope.scaling.original_context_length", 1, INT32_MAX, context));
  // A file does not say which layers its window is meant for, nor always a window the model was
  // trained with, so llama.cpp lets every layer see the whole context (its pull request 13676).
  b.integer("attention.sliding_window", 0, INT32_MAX, 0);
  return build_decoder(b, spec);
}

}  // namespace

extern constinit const Architecture arch_phi3{
    .name = "phi3",
    .doc = "Phi 3 and 4: as Llama, with q, k, v in one matrix, gate and up in one, and LongRoPE.",
    .build = build,
};

}  // namespace polaris
