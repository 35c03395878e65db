// Linear models and support vector machines of ai.onnx.ml: numbers written down here are
// onnxruntime's.
#include <doctest/doctest.h>

#include "conformance/ml_case.h"
#include "conformance/suite.h"
#include "support/value_case.h"

namespace polaris::test {
namespace {

using Floats = std::vector<float>;
using Ints = std::vector<std::int64_t>;
using Texts = std::vector<std::string>;

constexpr DType kF = DType::kF32;
constexpr DType kNumbers[] = {DType::kF32, DType::kF64, DType::kI64, DType::kI32};
constexpr const char* kTransforms[] = {"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"};

Tensor floats(const Shape& shape, std::initializer_list<double> elements) {
  return values(kF, shape, elements);
}
/// Three rows of two features.
Tensor rows() { return floats({3, 2}, {1, 2, -1, -2, 0.2, 0.1}); }

/// Samples of every transform and dtype, and of a line.
void add_all(Suite& s, std::string_view op, const MlAttrs& base, int outputs) {
  const Suite::Options options{outputs, 1, {}, 0, 0};
  for (const char* transform : kTransforms) {
    // PROBIT takes probabilities: near 0 and 1, and beyond, bits of the sum decide.
    if (std::string_view(transform) == "PROBIT") continue;
    s.add(transform, {random(kF, {3, 2})}, of(op, with(base, "post_transform", transform)),
          options);
  }
  for (const DType dtype : kNumbers) {
    s.add(dtype_name(dtype), {random(dtype, {4, 2})}, of(op, base), options);
  }
  s.add("line", {random(kF, {2})}, of(op, base), options);
  s.add("no rows", {random(kF, {0, 2})}, of(op, base), options);
  s.fails("rank", {random(kF, {2, 2, 2})}, of(op, base), "rank", outputs);
  s.fails("features", {random(kF, {2, 3})}, of(op, base), "features of input X, got 3, wanted 2",
          outputs);
  s.fails("type", {random(DType::kU8, {2, 2})}, of(op, base), "type", outputs);
  s.fails("transform", {random(kF, {2, 2})}, of(op, with(base, "post_transform", "EXP")),
          "post_transform, got 'EXP'", outputs);
}

/// Cases of a classifier or regressor that must be refused.
void refuse(std::string_view op, const MlAttrs& base, std::string_view name, const AttrValue& value,
            std::string_view words, int outputs) {
  check_ml_fails(op, with(base, name, value), {rows()}, words, outputs);
}

const MlAttrs kSvm = {{"kernel_type", "RBF"},
                      {"kernel_params", Floats{0.5f, 0.1f, 3}},
                      {"support_vectors", Floats{1, 1, 0, 1, -1, 0}},
                      {"coefficients", Floats{0.5f, -0.25f, 1}},
                      {"rho", Floats{0.1f}}};

}  // namespace

TEST_CASE("LinearRegressor") {
  Suite s("LinearRegressor", "ai.onnx.ml");
  const MlAttrs base = {{"coefficients", Floats{0.1f, 0.2f, 0, -1}},
                        {"intercepts", Floats{0.1f, 0.3f}},
                        {"targets", 2}};
  add_all(s, "LinearRegressor", base, 1);
  s.run();
  const MlAttrs one = {{"coefficients", Floats{0.1f, 0.2f}}, {"intercepts", Floats{0.1f}}};
  check_ml("LinearRegressor", with(one, "post_transform", "LOGISTIC"), {rows()},
           {floats({3, 1}, {0.6, -0.4, 0.14})});
  check_ml("LinearRegressor", with(one, "post_transform", "PROBIT"), {floats({1, 2}, {1, 2})},
           {floats({1, 1}, {0.2533535})});
  const MlAttrs two = {{"coefficients", Floats{0.1f, 0.2f, 0, 0}}, {"targets", 2}};
  check_ml(
      "LinearRegressor", with(two, "post_transform", "SOFTMAX"), {rows()},
      {floats({3, 2}, {0.62245935, 0.37754068, 0.37754068, 0.62245935, 0.5099987, 0.49000132})});
  check_ml("LinearRegressor", with(two, "post_transform", "SOFTMAX_ZERO"), {rows()},
           {floats({3, 2}, {1, 0, 1, 0, 1, 0})});
  refuse("LinearRegressor", base, "targets", 0, "coefficients, got 4 for 0 targets", 1);
  refuse("LinearRegressor", base, "targets", 3, "coefficients, got 4 for 3 targets", 1);
  refuse("LinearRegressor", base, "coefficients", Floats{}, "coefficients, got 0", 1);
  refuse("LinearRegressor", base, "intercepts", Floats{1}, "intercepts, got 1 values, wanted 2", 1);
}

TEST_CASE("LinearClassifier") {
  Suite s("LinearClassifier", "ai.onnx.ml");
  const MlAttrs base = {{"coefficients", Floats{0.1f, 0.2f, 0, -1, 1, 1}},
                        {"intercepts", Floats{0.1f, 0.3f, 0}},
                        {"classlabels_ints", Ints{5, 7, -9}}};
  add_all(s, "LinearClassifier", base, 2);
  s.run();
  const MlAttrs one = {{"coefficients", Floats{0.1f, 0.2f}},
                       {"intercepts", Floats{0.1f}},
                       {"classlabels_ints", Ints{5, 7}}};
  check_ml("LinearClassifier", one, {rows()},
           {int64s({7, 5, 7}), floats({3, 2}, {0.4, 0.6, 1.4, -0.4, 0.86, 0.14})});
  check_ml("LinearClassifier", with(one, "post_transform", "LOGISTIC"), {rows()},
           {int64s({7, 5, 7}),
            floats({3, 2}, {0.3543437, 0.6456563, 0.59868765, 0.40131235, 0.46505708, 0.5349429})});
  MlAttrs named = {{"coefficients", Floats{1, 0, 0, 1}}, {"classlabels_strings", Texts{"a", "b"}}};
  check_ml("LinearClassifier", named, {rows()},
           {strings(Shape{3}, {"b", "a", "a"}), floats({3, 2}, {1, 2, -1, -2, 0.2, 0.1})});
  refuse("LinearClassifier", base, "intercepts", Floats{1}, "intercepts, got 1 of 3 classes", 2);
  refuse("LinearClassifier", base, "coefficients", Floats{1, 2}, "coefficients, got 2 for 3", 2);
  refuse("LinearClassifier", base, "classlabels_strings", Texts{"a"}, "classlabels_*, got 2", 2);
  refuse("LinearClassifier", base, "classlabels_ints", Ints{}, "classlabels_*, got 0", 2);
  refuse("LinearClassifier", named, "coefficients", Floats{1, 2, 3}, "coefficients, got 3 for 2",
         2);
}

TEST_CASE("SVMRegressor") {
  Suite s("SVMRegressor", "ai.onnx.ml");
  const MlAttrs base = with(kSvm, "n_supports", 3);
  add_all(s, "SVMRegressor", base, 1);
  for (const char* kernel : {"LINEAR", "POLY", "SIGMOID"}) {
    s.add(kernel, {random(kF, {3, 2}, 0, 1)},
          of("SVMRegressor", with(base, "kernel_type", kernel)));
  }
  s.run();
  check_ml("SVMRegressor", base, {rows()}, {floats({3, 1}, {0.32961112, 0.23440251, 0.6630444})});
  check_ml("SVMRegressor", with(base, "one_class", 1), {rows()}, {floats({3, 1}, {1, 1, 1})});
  const MlAttrs line = {{"coefficients", Floats{1, 2}}, {"rho", Floats{0.1f}}};
  check_ml("SVMRegressor", line, {rows()}, {floats({3, 1}, {5.1, -4.9, 0.5})});
  refuse("SVMRegressor", base, "n_supports", -1, "n_supports, got -1", 1);
  refuse("SVMRegressor", base, "n_supports", 4, "support_vectors, got 6 values of 4 vectors", 1);
  refuse("SVMRegressor", base, "n_supports", 2, "coefficients, got 3 values, wanted 2", 1);
  refuse("SVMRegressor", base, "rho", Floats{}, "rho, got 0 values, wanted 1", 1);
  refuse("SVMRegressor", base, "kernel_type", "COSINE", "kernel_type, got 'COSINE'", 1);
  refuse("SVMRegressor", base, "kernel_params", Floats{1}, "kernel_params, got 1 values", 1);
}

TEST_CASE("SVMClassifier") {
  Suite s("SVMClassifier", "ai.onnx.ml");
  MlAttrs two = with(kSvm, "vectors_per_class", Ints{2, 1});
  two["classlabels_ints"] = Ints{5, 7};
  MlAttrs three = with(kSvm, "vectors_per_class", Ints{1, 1, 1});
  three["classlabels_ints"] = Ints{5, 7, 9};
  three["coefficients"] = Floats{0.5f, -0.25f, 1, 0.5f, -0.25f, 1};
  three["rho"] = Floats{0.1f, -0.2f, 0.3f};
  MlAttrs odds = with(three, "prob_a", Floats{0.3f, 0.2f, 0.1f});
  odds["prob_b"] = Floats{-0.2f, 0.1f, 0};
  add_all(s, "SVMClassifier", two, 2);
  add_all(s, "SVMClassifier", three, 2);
  s.run();
  check_ml("SVMClassifier", two, {rows()},
           {int64s({5, 5, 5}), floats({3, 2}, {-0.32961112, 0.32961112, -0.23440252, 0.23440252,
                                               -0.6630444, 0.6630444})});
  check_ml("SVMClassifier", with(two, "post_transform", "LOGISTIC"), {rows()},
           {int64s({5, 5, 5}), floats({3, 2}, {0.41833526, 0.58166474, 0.4416662, 0.5583338,
                                               0.34005606, 0.65994394})});
  check_ml("SVMClassifier", with(two, "post_transform", "SOFTMAX"), {rows()},
           {int64s({5, 5, 5}),
            floats({3, 2}, {0.6703889, 0.32961112, 0.76559746, 0.23440252, 0.3369556, 0.6630444})});
  check_ml(
      "SVMClassifier", three, {rows()},
      {int64s({5, 5, 5}), floats({3, 3}, {0.31129548, 0.12158097, 0.22634579, 0.09906723, -0.063913,
                                          0.43365082, 0.17871982, 0.5264868, 0.6208821})});
  check_ml(
      "SVMClassifier", odds, {rows()},
      {int64s({5, 5, 5}), floats({3, 3}, {0.32997602, 0.3199267, 0.35009724, 0.34073082, 0.31074637,
                                          0.34852278, 0.32372835, 0.31216076, 0.3641111})});
  MlAttrs named = {{"classlabels_strings", Texts{"a", "b", "c"}},
                   {"coefficients", Floats{1, 2, 3, -4, 0.5f, 0.5f}},
                   {"rho", Floats{0.1f}}};
  check_ml("SVMClassifier", named, {rows()},
           {strings(Shape{3}, {"a", "b", "a"}),
            floats({3, 3}, {5.1, -4.9, 1.6, -4.9, 5.1, -1.4, 0.5, 0.3, 0.25})});
  const auto fails = [&](std::string_view name, const AttrValue& value, std::string_view words) {
    refuse("SVMClassifier", odds, name, value, words, 2);
  };
  fails("vectors_per_class", Ints{1, -1, 1}, "vectors_per_class, got a negative number");
  fails("vectors_per_class", Ints{INT64_MAX, 1, 1}, "vectors_per_class, got a negative number");
  fails("vectors_per_class", Ints{1, 2}, "vectors_per_class, got 2 values, wanted 3");
  fails("vectors_per_class", Ints{1, 1, 2}, "support_vectors, got 6 values of 4 vectors");
  fails("coefficients", Floats{1, 2, 3}, "coefficients, got 3 values, wanted 6");
  fails("rho", Floats{1, 2}, "rho, got 2 values, wanted 3");
  fails("prob_a", Floats{1, 2}, "prob_b, got 3 values, wanted 2");
  fails("classlabels_ints", Ints{}, "classlabels_*, got 0");
  fails("classlabels_ints", Ints{1}, "classes, got 1, wanted 2 or more");
  fails("kernel_type", "COSINE", "kernel_type, got 'COSINE'");
  refuse("SVMClassifier", named, "rho", Floats{}, "rho, got 0 values, wanted 1", 2);
  refuse("SVMClassifier", named, "coefficients", Floats{1}, "coefficients, got 1 for 3 classes", 2);
  odds["prob_a"] = odds["prob_b"] = Floats{1, 2};
  fails("rho", Floats{1, 2, 3}, "prob_a, got 2 values, wanted 3");
}

}  // namespace polaris::test
