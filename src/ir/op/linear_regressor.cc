#include "ir/op_util/ml_linear.h"
#include "ir/op_util/ml_scores.h"

namespace polaris {
namespace {

struct LinearRegressorAttrs final : AttrsOf<LinearRegressorAttrs> {
  std::vector<float> coefficients;
  std::vector<float> intercepts;
  std::string post_transform = "NONE";
  std::int64_t targets = 1;

  void visit(AttrVisitor& v) override {
    v.field("coefficients", coefficients);
    v.field("intercepts", intercepts);
    v.field("post_transform", post_transform);
    v.field("targets", targets);
  }
};

Status infer(InferContext& c) {
  const auto& attrs = c.as<LinearRegressorAttrs>();
  const auto count = static_cast<std::int64_t>(attrs.coefficients.size());
  if (attrs.targets < 1 || count == 0 || count % attrs.targets != 0) {
    return c.fail("coefficients, got " + std::to_string(count) + " for " +
                  std::to_string(attrs.targets) + " targets");
  }
  if (!attrs.intercepts.empty()) {
    if (auto s = check_count(c, "intercepts", attrs.intercepts.size(),
                             static_cast<std::size_t>(attrs.targets));
        !s) {
      return s;
    }
  }
  if (auto s = all_of(check_post_transform(c, attrs.post_transform),
                      check_rows(c, count / attrs.targets));
      !s) {
    return s;
  }
  set_regressed(c, attrs.targets);
  return Status::success();
}

struct Model {
  using AttrsType = LinearRegressorAttrs;
  Model(const LinearRegressorAttrs& a, std::int64_t /*features*/) : attrs(a) {}

  void predict(std::span<const double> x, std::span<double> out) const {
    multiply_row(x, attrs.coefficients, attrs.intercepts, out);
    transform_scores(post_transform_of(attrs.post_transform), out);
  }
  const LinearRegressorAttrs& attrs;
};

}  // namespace

extern constinit const OpDef op_linear_regressor{
    .name = "LinearRegressor",
    .domain = kMlDomain,
    .doc =
        "X times the coefficients of each target, plus its intercept, transformed; a target alone "
        "only by PROBIT.",
    .since = 1,
    .inputs = kRegressorInputs,
    .outputs = kRegressorOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<LinearRegressorAttrs>,
    .infer = infer,
    .reference = regress<Model>,
};

}  // namespace polaris
