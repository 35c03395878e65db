#include <algorithm>
#include <cmath>
#include <limits>

#include "ir/op_util/elements.h"
#include "ir/op_util/ml.h"

namespace polaris {
namespace {

struct NormalizerAttrs final : AttrsOf<NormalizerAttrs> {
  std::string norm = "MAX";

  void visit(AttrVisitor& v) override { v.field("norm", norm); }
};

Status infer(InferContext& c) {
  const std::string& norm = c.as<NormalizerAttrs>().norm;
  if (norm != "MAX" && norm != "L1" && norm != "L2") {
    return c.fail("norm, got '" + norm + "', wanted MAX, L1 or L2");
  }
  if (auto s = all_of(check_dtype(c, 0, kMlTypes), check_rank(c, 0, 1, 2)); !s) return s;
  set_output(c, 0, DType::kF32, c.in(0).shape);
  return Status::success();
}

double norm_of(const std::string& norm, const RefTensor& x, std::int64_t from, std::int64_t count) {
  double most = -std::numeric_limits<double>::infinity();
  double sum = 0;
  for (std::int64_t i = from; i < from + count; ++i) {
    const double value = get_f64(x, i);
    most = std::max(most, value);
    sum += norm == "L2" ? value * value : std::fabs(value);
  }
  return norm == "MAX" ? most : norm == "L1" ? sum : std::sqrt(sum);
}

Status reference(RefContext& c) {
  const std::int64_t features = feature_dim(c.in(0).type.shape);
  for (std::int64_t row = 0, n = row_dim(c.in(0).type.shape); row < n; ++row) {
    const std::int64_t from = row * features;
    const double norm = norm_of(c.as<NormalizerAttrs>().norm, c.in(0), from, features);
    for (std::int64_t i = from; i < from + features; ++i) {
      // A row whose norm is 0 stays as it is.
      put_f64(c.out(0), i, norm == 0 ? get_f64(c.in(0), i) : get_f64(c.in(0), i) / norm);
    }
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"X"}};
constexpr Port kOutputs[] = {{"Y"}};

}  // namespace

extern constinit const OpDef op_normalizer{
    .name = "Normalizer",
    .domain = kMlDomain,
    .doc =
        "Each row over its largest element (with its sign), the sum of its magnitudes (L1) or its "
        "length (L2); a row where that is 0 stays as it is.",
    .since = 1,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<NormalizerAttrs>,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
