#include "arch/decoder/experts.h"

#include <string>
#include <utility>
#include <vector>

#include "arch/decoder/embedding.h"
#include "base/strings.h"
#include "ir/op_attrs/reduce.h"

namespace polaris {
namespace {

constexpr std::int64_t kExpertsMax = 1 << 12;
// Of expert_gating_func. The softmax of the chosen alone is theirs of all, divided by its sum.
constexpr std::int64_t kSoftmax = 1;
constexpr std::int64_t kSoftmaxOfChosen = 3;

ValueId int64s(ArchBuilder& b, const std::string& name, const std::vector<std::int64_t>& values) {
  const Shape shape{static_cast<std::int64_t>(values.size())};
  auto tensor = Tensor::from<std::int64_t>(DType::kI64, shape, values);
  if (!tensor) return b.fail(tensor.error()), kNoValue;
  return b.constant(name, tensor.take());
}

ValueId sum_over(ArchBuilder& b, const std::string& name, ValueId x, std::int64_t axis, bool keep) {
  auto attrs = std::make_unique<ReduceAttrs>();
  attrs->keepdims = keep;
  return b.apply("ReduceSum", name, {x, int64s(b, name + ".axes", {axis})}, std::move(attrs));
}

/// Rows x[T, 1 or used, inputs] times the matrices of the chosen, and their biases where the file
/// has some.
ValueId routed(ArchBuilder& b, const ExpertsSpec& experts, const std::string& name, ValueId x,
               ValueId ids, std::int64_t inputs, std::int64_t outputs) {
  const ValueId w = b.weight(name + ".weight", Shape{experts.count, outputs, inputs});
  const ValueId y = b.apply("polaris.RoutedMatMul", name, {x, w, ids});
  const ValueId bias = b.optional_f32(name + ".bias", Shape{experts.count, outputs});
  if (!bias.valid()) return y;
  return b.apply("Add", name + ".biased", {y, b.apply("Gather", name + ".biases", {bias, ids})});
}

ValueId number(ArchBuilder& b, const std::string& name, float value) {
  auto tensor = Tensor::from<float>(DType::kF32, Shape{}, std::vector<float>{value});
  if (!tensor) return b.fail(tensor.error()), kNoValue;
  return b.constant(name, tensor.take());
}

/// The gate times its own sigmoid times `up`; both clamped where the kind has it so.
ValueId gated(ArchBuilder& b, const DecoderSpec& spec, const std::string& blk, ValueId gate,
              ValueId up) {
  const bool clamps = spec.feed_forward_kind == FeedForwardKind::kGatedClamped;
  ValueId inner = gate;
  if (clamps) {
    const ValueId low = number(b, blk + "ffn_clamp.low", -7.0f);
    const ValueId high = number(b, blk + "ffn_clamp.high", 7.0f);
    gate = b.apply("Clip", blk + "ffn_gate_clamped", {gate, kNoValue, high});
    up = b.apply("Clip", blk + "ffn_up_clamped", {up, low, high});
    up = b.apply("Add", blk + "ffn_up_shifted", {up, number(b, blk + "ffn_up.one", 1.0f)});
    inner = multiplied(b, blk + "ffn_gate_steep", gate, 1.702f);
  }
  const ValueId sigmoid = b.apply("Sigmoid", blk + "ffn_sigmoid", {inner});
  const ValueId silu = b.apply("Mul", blk + "ffn_silu", {gate, sigmoid});
  return b.apply("Mul", blk + "ffn_gated", {silu, up});
}

void refuse_missing_parts(ArchBuilder& b) {
  for (const char* name :
       {"expert_shared_count", "expert_group_count", "leading_dense_block_count"}) {
    const std::int64_t most = std::string_view(name) == "expert_group_count" ? 1 : 0;
    if (const std::int64_t got = b.integer(name, 0, INT32_MAX, 0); got > most) {
      b.fail_unsupported("hyperparameter '" + std::string(name) + "', got " + std::to_string(got) +
                         ", wanted " + std::to_string(most));
    }
  }
  const std::int64_t gate = b.integer("expert_gating_func", 0, INT32_MAX, kSoftmax);
  if (gate != 0 && gate != kSoftmax && gate != kSoftmaxOfChosen) {
    b.fail_unsupported("hyperparameter 'expert_gating_func', got " + std::to_string(gate) +
                       ", wanted 1 or 3, a softmax");
  }
  if (!b.flag("expert_weights_norm", true)) {
    b.fail_unsupported("hyperparameter 'expert_weights_norm', got false, wanted true");
  }
  const double scale = b.real("expert_weights_scale", 0.0, 1e6, 1.0);
  if (scale != 0.0 && scale != 1.0) {
    b.fail_unsupported("hyperparameter 'expert_weights_scale', got " + format_f64(scale) +
                       ", wanted 1");
  }
}

}  // namespace

ExpertsSpec read_experts(ArchBuilder& b, std::int64_t feed_forward) {
  ExpertsSpec out;
  out.count = b.integer("expert_count", 1, kExpertsMax);
  out.used = b.integer("expert_used_count", 1, out.count);
  const std::int64_t each = feed_forward / out.used;
  out.feed_forward = b.integer("expert_feed_forward_length", 1, 1 << 24, each > 0 ? each : -1);
  refuse_missing_parts(b);
  return out;
}

ValueId expert_feed_forward(ArchBuilder& b, const DecoderSpec& spec, std::int64_t layer,
                            ValueId x) {
  const ExpertsSpec& experts = *spec.experts;
  const std::string blk = "blk." + std::to_string(layer) + ".";
  const std::string router = blk + "ffn_gate_inp";
  const ValueId scores = b.linear(router, x, spec.width, experts.count);
  const ValueId all = b.apply("Softmax", router + ".softmax", {scores});
  const ValueId count = int64s(b, router + ".count", {experts.used});
  const auto chosen = b.node("TopK", router + ".chosen", {all, count}, nullptr, 2);
  const ValueId ids = chosen[1];
  const ValueId total = sum_over(b, router + ".total", chosen[0], -1, true);
  const ValueId weights = b.apply("Div", router + ".weights", {chosen[0], total});

  const std::int64_t size = experts.feed_forward;
  const ValueId rows = b.reshape(blk + "ffn_rows", x, {-1, 1, spec.width});
  const ValueId gate = routed(b, experts, blk + "ffn_gate_exps", rows, ids, spec.width, size);
  const ValueId up = routed(b, experts, blk + "ffn_up_exps", rows, ids, spec.width, size);
  const ValueId mid = gated(b, spec, blk, gate, up);
  const ValueId down = routed(b, experts, blk + "ffn_down_exps", mid, ids, size, spec.width);

  const ValueId column = b.reshape(router + ".column", weights, {-1, experts.used, 1});
  const ValueId weighed = b.apply("Mul", blk + "ffn_weighed", {down, column});
  return sum_over(b, blk + "ffn_sum", weighed, 1, false);
}

}  // namespace polaris
