#include "arch/decoder/feed_forward.h"

#include <string>
#include <utility>

#include "arch/decoder/experts.h"
#include "ir/op_attrs/elementwise.h"

namespace polaris {
namespace {

ValueId silu(ArchBuilder& b, const std::string& blk, ValueId x) {
  const ValueId sigmoid = b.apply("Sigmoid", blk + "ffn_sigmoid", {x});
  return b.apply("Mul", blk + "ffn_silu", {x, sigmoid});
}

ValueId gelu(ArchBuilder& b, const std::string& blk, ValueId x, const char* approximate = "tanh") {
  auto attrs = std::make_unique<GeluAttrs>();
  attrs->approximate = approximate;
  return b.apply("Gelu", blk + "ffn_gelu", {x}, std::move(attrs));
}

struct GateAndUp {
  ValueId gate;
  ValueId up;
};

GateAndUp gate_and_up(ArchBuilder& b, const DecoderSpec& spec, const std::string& blk, ValueId x) {
  const std::int64_t size = spec.feed_forward;
  const std::string up = blk + "ffn_up";
  if (spec.feed_forward_kind == FeedForwardKind::kGelu ||
      spec.feed_forward_kind == FeedForwardKind::kGeluErf) {
    return {kNoValue, b.linear(up, x, spec.width, size)};
  }
  if (!spec.fused_gate) {
    const ValueId gate = b.linear(blk + "ffn_gate", x, spec.width, size);
    return {gate, b.linear(up, x, spec.width, size)};
  }
  const ValueId gate = b.linear_of_rows(blk + "ffn_gate", up, x, spec.width, {2 * size, 0, size});
  return {gate, b.linear_of_rows(up, up, x, spec.width, {2 * size, size, size})};
}

}  // namespace

ValueId feed_forward(ArchBuilder& b, const DecoderSpec& spec, std::int64_t layer, ValueId x) {
  if (spec.experts) return expert_feed_forward(b, spec, layer, x);
  const std::string blk = "blk." + std::to_string(layer) + ".";
  const auto [gate, up] = gate_and_up(b, spec, blk, x);
  ValueId mid;
  switch (spec.feed_forward_kind) {
    case FeedForwardKind::kGatedSilu:
      mid = b.apply("Mul", blk + "ffn_gated", {silu(b, blk, gate), up});
      break;
    case FeedForwardKind::kGatedGelu:
      mid = b.apply("Mul", blk + "ffn_gated", {gelu(b, blk, gate), up});
      break;
    case FeedForwardKind::kGatedClamped:
      b.fail_unsupported("a clamped gate without experts cannot be built");
      return kNoValue;
    case FeedForwardKind::kGelu: mid = gelu(b, blk, up); break;
    case FeedForwardKind::kGeluErf: mid = gelu(b, blk, up, "none"); break;
  }
  return b.linear(blk + "ffn_down", mid, spec.feed_forward, spec.width);
}

}  // namespace polaris
