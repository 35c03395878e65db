#include "arch/encoder/encoder.h"

#include <string>

#include "arch/decoder/attention.h"
#include "arch/decoder/decoder.h"
#include "arch/decoder/embedding.h"
#include "arch/decoder/feed_forward.h"
#include "arch/decoder/inputs.h"
#include "arch/decoder/norm.h"

namespace polaris {
namespace {

constexpr const char* kTypes = "token_types";

ValueId add_types(ArchBuilder& b, const DecoderSpec& spec, const DecoderInputs& in, ValueId x) {
  if (!in.embedder->types) return x;
  const std::int64_t types = b.weight_dim(std::string(kTypes) + ".weight", 2, 0);
  const ValueId rows = embedded(b, kTypes, Shape{types, spec.width}, in.types);
  return b.apply("Add", "token_types.added", {x, rows});
}

ValueId add_layer(ArchBuilder& b, const DecoderSpec& spec, DecoderInputs& in,
                  const DecoderRopes& ropes, std::int64_t layer, ValueId x) {
  const std::string blk = "blk." + std::to_string(layer) + ".";
  const auto normed_sum = [&](const std::string& sum, const std::string& name, ValueId branch) {
    x = norm(b, spec, blk + name, b.apply("Add", blk + sum, {x, branch}), spec.width);
  };
  normed_sum("attn_residual", "attn_output_norm", attention(b, spec, in, ropes, layer, x));
  normed_sum("ffn_residual", "layer_output_norm", feed_forward(b, spec, layer, x));
  return x;
}

}  // namespace

Result<ArchModel> build_encoder(ArchBuilder& b, const DecoderSpec& spec) {
  if (!b.ok()) return b.finish().error();
  const bool typed = b.has_weight(std::string(kTypes) + ".weight");
  DecoderInputs in = add_embedder_inputs(b, spec, false, Pooling::kMean, typed);
  const DecoderRopes ropes = decoder_ropes(b, spec);
  ValueId x = add_types(b, spec, in, embed(b, spec, in));
  x = norm(b, spec, "token_embd_norm", x, spec.width);
  for (std::int64_t layer = 0; layer < spec.layers && b.ok(); ++layer) {
    x = add_layer(b, spec, in, ropes, layer, x);
  }
  if (b.ok()) b.graph().mark_output(x, "hidden");
  return finish_model(b, spec, in);
}

}  // namespace polaris
