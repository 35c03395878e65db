#include "arch/decoder/experts.h"

#include <string>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "ir/op_attrs/reduce.h"

namespace polaris {
namespace {

constexpr std::int64_t kExpertsMax = 1 << 12;
constexpr std::int64_t kSoftmaxGate = 1;  // of expert_gating_func

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

/// Rows x[T, 1 or used, inputs] times the matrices of the chosen.
ValueId routed(ArchBuilder& b, const ExpertsSpec& experts, const std::string& name, ValueId x,
               ValueId ids, std::int64_t inputs, std::int64_t outputs) {
  const ValueId w = b.weight(name + ".weight", Shape{experts.count, outputs, inputs});
  return b.apply("polaris.RoutedMatMul", name, {x, w, ids});
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
  const std::int64_t gate = b.integer("expert_gating_func", 0, INT32_MAX, kSoftmaxGate);
  if (gate > kSoftmaxGate) {
    b.fail_unsupported("hyperparameter 'expert_gating_func', got " + std::to_string(gate) +
                       ", wanted 1, softmax");
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
  const ValueId sigmoid = b.apply("Sigmoid", blk + "ffn_sigmoid", {gate});
  const ValueId silu = b.apply("Mul", blk + "ffn_silu", {gate, sigmoid});
  const ValueId mid = b.apply("Mul", blk + "ffn_gated", {silu, up});
  const ValueId down = routed(b, experts, blk + "ffn_down_exps", mid, ids, size, spec.width);

  const ValueId column = b.reshape(router + ".column", weights, {-1, experts.used, 1});
  const ValueId weighed = b.apply("Mul", blk + "ffn_weighed", {down, column});
  return sum_over(b, blk + "ffn_sum", weighed, 1, false);
}

}  // namespace polaris
