#include "arch/decoder/feed_forward.h"

#include <string>
#include <utility>

#include "ir/op_attrs/elementwise.h"

namespace polaris {
namespace {

ValueId silu(ArchBuilder& b, const std::string& blk, ValueId x) {
  const ValueId sigmoid = b.apply("Sigmoid", blk + "ffn_sigmoid", {x});
  return b.apply("Mul", blk + "ffn_silu", {x, sigmoid});
}

ValueId gelu(ArchBuilder& b, const std::string& blk, ValueId x) {
  auto attrs = std::make_unique<GeluAttrs>();
  attrs->approximate = "tanh";
  return b.apply("Gelu", blk + "ffn_gelu", {x}, std::move(attrs));
}

}  // namespace

ValueId feed_forward(ArchBuilder& b, const DecoderSpec& spec, std::int64_t layer, ValueId x) {
  const std::string blk = "blk." + std::to_string(layer) + ".";
  const bool gated = spec.feed_forward_kind != FeedForwardKind::kGelu;
  const ValueId gate =
      gated ? b.linear(blk + "ffn_gate", x, spec.width, spec.feed_forward) : kNoValue;
  const ValueId up = b.linear(blk + "ffn_up", x, spec.width, spec.feed_forward);
  ValueId mid;
  switch (spec.feed_forward_kind) {
    case FeedForwardKind::kGatedSilu:
      mid = b.apply("Mul", blk + "ffn_gated", {silu(b, blk, gate), up});
      break;
    case FeedForwardKind::kGatedGelu:
      mid = b.apply("Mul", blk + "ffn_gated", {gelu(b, blk, gate), up});
      break;
    case FeedForwardKind::kGelu: mid = gelu(b, blk, up); break;
  }
  return b.linear(blk + "ffn_down", mid, spec.feed_forward, spec.width);
}

}  // namespace polaris
