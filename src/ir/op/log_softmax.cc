#include <algorithm>
#include <cmath>

#include "ir/op_attrs/normalization.h"
#include "ir/op_util/elementwise.h"
#include "ir/op_util/softmax.h"

namespace polaris {
namespace {

void row(std::span<double> x) {
  const double peak = *std::max_element(x.begin(), x.end());
  double sum = 0;
  for (double v : x) sum += std::exp(v - peak);
  const double shift = peak + std::log(sum);
  for (double& v : x) v -= shift;
}

Status reference(RefContext& c) { return map_axis(c, row); }

}  // namespace

extern constinit const OpDef op_log_softmax{
    .name = "LogSoftmax",
    .doc = "Logarithm of the softmax along an axis.",
    .since = 13,
    .inputs = kSoftmaxInputs,
    .outputs = kSoftmaxOutputs,
    .traits = kFoldable | kAxisFree,
    .make_attrs = make_attrs<SoftmaxAttrs>,
    .infer = infer_softmax,
    .reference = reference,
    .inplace = kInPlaceUnary,
    .flops = softmax_flops,
};

}  // namespace polaris
