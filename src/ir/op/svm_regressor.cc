#include "ir/op_util/ml_scores.h"
#include "ir/op_util/svm.h"

namespace polaris {
namespace {

struct SvmRegressorAttrs final : AttrsOf<SvmRegressorAttrs> {
  std::vector<float> coefficients;
  std::vector<float> kernel_params;
  std::string kernel_type = "LINEAR";
  std::int64_t n_supports = 0;
  bool one_class = false;
  std::string post_transform = "NONE";
  std::vector<float> rho;
  std::vector<float> support_vectors;

  void visit(AttrVisitor& v) override {
    v.field("coefficients", coefficients);
    v.field("kernel_params", kernel_params);
    v.field("kernel_type", kernel_type);
    v.field("n_supports", n_supports);
    v.field("one_class", one_class);
    v.field("post_transform", post_transform);
    v.field("rho", rho);
    v.field("support_vectors", support_vectors);
  }
};

Status infer(InferContext& c) {
  const auto& attrs = c.as<SvmRegressorAttrs>();
  if (attrs.n_supports < 0) {
    return c.fail("n_supports, got " + std::to_string(attrs.n_supports) + ", wanted 0 or more");
  }
  if (auto s = all_of(check_svm_kernel(c, attrs.kernel_type, attrs.kernel_params),
                      check_post_transform(c, attrs.post_transform),
                      check_count(c, "rho", attrs.rho.size(), 1));
      !s) {
    return s;
  }
  auto features = static_cast<std::int64_t>(attrs.coefficients.size());
  if (attrs.n_supports > 0) {
    const auto each = svm_features(c, attrs.support_vectors.size(), attrs.n_supports);
    if (!each) return each.error();
    features = *each;
    if (auto s = check_count(c, "coefficients", attrs.coefficients.size(),
                             static_cast<std::size_t>(attrs.n_supports));
        !s) {
      return s;
    }
  }
  if (auto s = check_rows(c, features); !s) return s;
  set_regressed(c, 1);
  return Status::success();
}

struct Model {
  using AttrsType = SvmRegressorAttrs;
  Model(const SvmRegressorAttrs& a, std::int64_t /*features*/)
      : attrs(a), kernel(a.kernel_type, a.kernel_params) {}

  void predict(std::span<const double> x, std::span<double> out) const {
    double sum = static_cast<double>(attrs.rho[0]);
    if (attrs.n_supports == 0) sum += dot(x, attrs.coefficients);
    const std::span<const float> vectors(attrs.support_vectors);
    for (std::size_t k = 0; k < static_cast<std::size_t>(attrs.n_supports); ++k) {
      sum += static_cast<double>(attrs.coefficients[k]) *
             kernel(x, vectors.subspan(k * x.size(), x.size()));
    }
    out[0] = !attrs.one_class ? sum : sum > 0 ? 1 : -1;
    transform_scores(post_transform_of(attrs.post_transform), out);
  }

  const SvmRegressorAttrs& attrs;
  SvmKernel kernel;
};

}  // namespace

extern constinit const OpDef op_svm_regressor{
    .name = "SVMRegressor",
    .domain = kMlDomain,
    .doc =
        "The sum of the coefficients times the kernel of X and each support vector, plus rho; "
        "without support vectors X times the coefficients. one_class: 1 where that is above 0, "
        "else -1. Only PROBIT transforms it.",
    .since = 1,
    .inputs = kRegressorInputs,
    .outputs = kRegressorOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<SvmRegressorAttrs>,
    .infer = infer,
    .reference = regress<Model>,
};

}  // namespace polaris
