#include <algorithm>
#include <cmath>

#include "ir/op_util/infer.h"
#include "ir/op_util/loss.h"
#include "ir/op_util/put_all.h"
#include "ir/op_util/work.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = infer_loss(c); !s) return s;
  set_output(c, 1, c.in(0).dtype, c.in(0).shape);
  return Status::success();
}

/// Logarithms of the softmax over the classes.
std::vector<double> log_softmax(const RefTensor& scores) {
  std::vector<double> out = read_f64(scores);
  const AxisSplit split = split_at(scores.type.shape, 1);
  for (std::int64_t line = 0; split.size > 0 && line < split.outer * split.inner; ++line) {
    const std::int64_t base = line / split.inner * split.size * split.inner + line % split.inner;
    const auto at = [&](std::int64_t k) -> double& {
      return out[static_cast<std::size_t>(base + k * split.inner)];
    };
    double largest = at(0);
    for (std::int64_t k = 1; k < split.size; ++k) largest = std::max(largest, at(k));
    double sum = 0;
    for (std::int64_t k = 0; k < split.size; ++k) sum += std::exp(at(k) - largest);
    const double shift = largest + std::log(sum);
    for (std::int64_t k = 0; k < split.size; ++k) at(k) -= shift;
  }
  return out;
}

Status reference(RefContext& c) {
  const std::vector<double> all = log_softmax(c.in(0));
  put_all(c, 1, 0, all);
  return put_loss(c, [&](std::int64_t i) { return all[static_cast<std::size_t>(i)]; });
}

std::int64_t flops(const NodeTypes& n) { return work_of({8, n.inputs[0].shape.elements()}); }

constexpr Port kInputs[] = {{"scores"}, {"labels"}, {"weights", kOptional}};
constexpr Port kOutputs[] = {{"output"}, {"log_prob", kOptional}};

}  // namespace

extern constinit const OpDef op_softmax_cross_entropy_loss{
    .name = "SoftmaxCrossEntropyLoss",
    .doc = "NegativeLogLikelihoodLoss of the scores' LogSoftmax over the classes, and that itself.",
    .since = 13,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<LossAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
