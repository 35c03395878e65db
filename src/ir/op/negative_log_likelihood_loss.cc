#include "ir/op_util/elements.h"
#include "ir/op_util/loss.h"

namespace polaris {
namespace {

Status reference(RefContext& c) {
  return put_loss(c, [&](std::int64_t i) { return get_f64(c.in(0), i); });
}

constexpr Port kInputs[] = {{"input"}, {"target"}, {"weight", kOptional}};
constexpr Port kOutputs[] = {{"loss"}};

}  // namespace

extern constinit const OpDef op_negative_log_likelihood_loss{
    .name = "NegativeLogLikelihoodLoss",
    .doc =
        "Minus the logarithm of the probability of each place's class, weighted; as they are, "
        "their "
        "sum, or that divided by the weights. Ignored places count nothing.",
    .since = 22,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<LossAttrs>,
    .infer = infer_loss,
    .reference = reference,
};

}  // namespace polaris
