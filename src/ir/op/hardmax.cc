#include <algorithm>

#include "ir/op_attrs/normalization.h"
#include "ir/op_util/elementwise.h"
#include "ir/op_util/extremum.h"
#include "ir/op_util/softmax.h"

namespace polaris {
namespace {

void row(std::span<double> x) {
  std::size_t peak = 0;
  for (std::size_t i = 1; i < x.size(); ++i) {
    if (beats(x[i], x[peak], true)) peak = i;
  }
  std::fill(x.begin(), x.end(), 0.0);
  x[peak] = 1.0;
}

Status reference(RefContext& c) { return map_axis(c, row); }

}  // namespace

extern constinit const OpDef op_hardmax{
    .name = "Hardmax",
    .doc = "1 at the first largest element along an axis (the first NaN, if any), 0 elsewhere.",
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
