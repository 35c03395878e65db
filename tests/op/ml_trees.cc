// Tree ensembles of ai.onnx.ml: numbers written down here are onnxruntime's.
#include <doctest/doctest.h>

#include <cmath>

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

Tensor floats(const Shape& shape, std::initializer_list<double> elements) {
  return values(kF, shape, elements);
}
Tensor rows() { return floats({4, 2}, {0, 0, 1, 0, 0, NAN, 1, 1}); }

/// Two trees that ask for one feature each whether it is at most 0.5.
MlAttrs two_trees() {
  return {{"nodes_treeids", Ints{0, 0, 0, 1, 1, 1}},
          {"nodes_nodeids", Ints{0, 1, 2, 0, 1, 2}},
          {"nodes_featureids", Ints{0, 0, 0, 1, 0, 0}},
          {"nodes_values", Floats{0.5f, 0, 0, 0.5f, 0, 0}},
          {"nodes_modes", Texts{"BRANCH_LEQ", "LEAF", "LEAF", "BRANCH_LEQ", "LEAF", "LEAF"}},
          {"nodes_truenodeids", Ints{1, 0, 0, 1, 0, 0}},
          {"nodes_falsenodeids", Ints{2, 0, 0, 2, 0, 0}}};
}

MlAttrs regressor(const Ints& ids, std::int64_t targets) {
  MlAttrs out = two_trees();
  out["target_treeids"] = Ints{0, 0, 1, 1};
  out["target_nodeids"] = Ints{1, 2, 1, 2};
  out["target_ids"] = ids;
  out["target_weights"] = Floats{-0.25f, 0.5f, 0.25f, -0.5f};
  out["n_targets"] = targets;
  return out;
}

MlAttrs classifier(const Ints& ids, const Floats& weights, const Ints& labels) {
  MlAttrs out = two_trees();
  out["class_treeids"] = Ints{0, 0, 1, 1};
  out["class_nodeids"] = Ints{1, 2, 1, 2};
  out["class_ids"] = ids;
  out["class_weights"] = weights;
  out["classlabels_int64s"] = labels;
  return out;
}

const Floats kMixed = {-0.25f, 0.5f, 0.25f, -0.5f};

Tensor bytes(std::initializer_list<double> elements) {
  return values(DType::kU8, {static_cast<std::int64_t>(elements.size())}, elements);
}

/// x0 in {1, 2}? else x1 > 0?, leaves 10, 20 and 30 of targets 0, 1 and 0.
MlAttrs members(DType dtype) {
  return {{"nodes_modes", bytes({6, 3})},    {"nodes_splits", values(dtype, {2}, {0, 0})},
          {"nodes_featureids", Ints{0, 1}},  {"nodes_truenodeids", Ints{0, 1}},
          {"nodes_trueleafs", Ints{1, 1}},   {"nodes_falsenodeids", Ints{1, 2}},
          {"nodes_falseleafs", Ints{0, 1}},  {"membership_values", values(dtype, {3}, {2, 1, NAN})},
          {"leaf_targetids", Ints{0, 1, 0}}, {"leaf_weights", values(dtype, {3}, {10, 20, 30})},
          {"tree_roots", Ints{0}},           {"n_targets", 2}};
}

}  // namespace

TEST_CASE("TreeEnsembleRegressor") {
  Suite s("TreeEnsembleRegressor", "ai.onnx.ml");
  const MlAttrs base = regressor({0, 1, 1, 0}, 2);
  for (const DType dtype : kNumbers) {
    s.add(dtype_name(dtype), {random(dtype, {5, 2})}, of("TreeEnsembleRegressor", base));
  }
  for (const char* name : {"AVERAGE", "SUM", "MIN", "MAX"}) {
    for (const char* transform : {"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"}) {
      MlAttrs a = with(base, "aggregate_function", name);
      a["post_transform"] = transform;
      s.add(std::string(name) + " " + transform, {random(kF, {4, 3})},
            of("TreeEnsembleRegressor", a));
    }
  }
  s.add("line", {random(kF, {2})}, of("TreeEnsembleRegressor", base));
  s.add("no rows", {random(kF, {0, 2})}, of("TreeEnsembleRegressor", base));
  s.fails("features", {random(kF, {2, 1})}, of("TreeEnsembleRegressor", base),
          "nodes_featureids, got 1, wanted 0 to 0");
  s.run();
  MlAttrs one = with(regressor({0, 0, 0, 0}, 1), "base_values", Floats{0.5f});
  one["nodes_missing_value_tracks_true"] = Ints{0, 0, 0, 1, 0, 0};
  const auto check = [&](const char* how, std::initializer_list<double> wanted) {
    check_ml("TreeEnsembleRegressor", with(one, "aggregate_function", how), {rows()},
             {floats({4, 1}, wanted)});
  };
  check("SUM", {0.5, 1.25, 0.5, 0.5});
  check("AVERAGE", {0.5, 0.875, 0.5, 0.5});
  check("MIN", {0.25, 0.75, 0.25, 0});
  check("MAX", {0.75, 1, 0.75, 1});
}

TEST_CASE("trees go by every comparison, and NaN where the node says") {
  MlAttrs a = regressor({0, 0, 1, 1}, 2);
  a["nodes_values"] = Floats{1, 0, 0, 0, 0, 0};
  const auto check = [&](const char* mode, std::initializer_list<double> wanted) {
    a["nodes_modes"] = Texts{mode, "LEAF", "LEAF", mode, "LEAF", "LEAF"};
    check_ml("TreeEnsembleRegressor", a, {rows()}, {floats({4, 2}, wanted)});
  };
  check("BRANCH_LEQ", {-0.25, 0.25, -0.25, 0.25, -0.25, -0.5, -0.25, -0.5});
  check("BRANCH_LT", {-0.25, -0.5, 0.5, -0.5, -0.25, -0.5, 0.5, -0.5});
  check("BRANCH_GTE", {0.5, 0.25, -0.25, 0.25, 0.5, -0.5, -0.25, 0.25});
  check("BRANCH_GT", {0.5, -0.5, 0.5, -0.5, 0.5, -0.5, 0.5, 0.25});
  check("BRANCH_EQ", {0.5, 0.25, -0.25, 0.25, 0.5, -0.5, -0.25, -0.5});
  check("BRANCH_NEQ", {-0.25, -0.5, 0.5, -0.5, -0.25, 0.25, 0.5, 0.25});
  a["nodes_missing_value_tracks_true"] = Ints{0, 0, 0, 1, 0, 0};
  check("BRANCH_LEQ", {-0.25, 0.25, -0.25, 0.25, -0.25, 0.25, -0.25, -0.5});
}

TEST_CASE("TreeEnsembleRegressor refuses trees that are none") {
  const MlAttrs base = regressor({0, 1, 1, 0}, 2);
  const auto fails = [&](std::string_view name, const AttrValue& value, std::string_view words) {
    check_ml_fails("TreeEnsembleRegressor", with(base, name, value), {rows()}, words);
  };
  fails("nodes_truenodeids", Ints{0, 0, 0, 1, 0, 0}, "tree, got a node that is below itself");
  fails("nodes_truenodeids", Ints{3, 0, 0, 1, 0, 0}, "nodes_truenodeids, got 3, which is no node");
  fails("nodes_falsenodeids", Ints{-1, 0, 0, 1, 0, 0}, "nodes_falsenodeids, got -1");
  fails("nodes_nodeids", Ints{0, 1, 1, 0, 1, 2}, "node 1 of tree 0 appears twice");
  fails("nodes_nodeids", Ints{}, "nodes_nodeids, got no nodes");
  fails("nodes_treeids", Ints{0}, "nodes_treeids, got 1 values, wanted 6");
  fails("nodes_modes", Texts{"LEAF"}, "nodes_modes, got 1 values, wanted 6");
  fails("nodes_modes", Texts{"MEMBER", "LEAF", "LEAF", "LEAF", "LEAF", "LEAF"},
        "nodes_modes, got 'MEMBER'");
  fails("nodes_featureids", Ints{-1, 0, 0, 1, 0, 0}, "nodes_featureids, got -1");
  fails("nodes_featureids", Ints{INT64_MAX, 0, 0, 1, 0, 0}, "nodes_featureids, got 9223372");
  fails("nodes_missing_value_tracks_true", Ints{0}, "got 1 values, wanted 6");
  fails("nodes_values_as_tensor", values(kF, {6}, {0, 0, 0, 0, 0, 0}),
        "nodes_values, got a list and a tensor");
  fails("base_values_as_tensor", int64s({1, 2}), "base_values, got int64[2], wanted floats");
  fails("base_values", Floats{1}, "base_values, got 1 values, wanted 2");
  fails("n_targets", 0, "n_targets, got 0, wanted 1 to 4");
  fails("n_targets", std::int64_t{1} << 40, "n_targets, got 1099511627776, wanted 1 to 4");
  fails("target_ids", Ints{0, 1, 2, 0}, "target_ids, got 2, wanted 0 to 1");
  fails("target_ids", Ints{0, -1, 1, 0}, "target_ids, got -1");
  fails("target_nodeids", Ints{1, 2, 1, 7}, "target_nodeids, got 7, which is no node of tree 1");
  fails("target_nodeids", Ints{1}, "target_nodeids, got 1 values, wanted 4");
  fails("target_treeids", Ints{1}, "target_treeids, got 1 values, wanted 4");
  fails("target_weights", Floats{1}, "target_weights, got 1 values, wanted 4");
  fails("aggregate_function", "MEAN", "aggregate_function, got 'MEAN'");
  fails("post_transform", "EXP", "post_transform, got 'EXP'");
}

TEST_CASE("TreeEnsembleClassifier") {
  Suite s("TreeEnsembleClassifier", "ai.onnx.ml");
  const Suite::Options two{2, 1, {}, 0, 0};
  for (const Ints& ids : {Ints{0, 0, 0, 0}, Ints{1, 1, 1, 1}, Ints{0, 1, 0, 1}, Ints{0, 1, 2, 0}}) {
    const Ints labels = ids[2] == 2 ? Ints{5, 7, 9} : Ints{5, 7};
    const MlAttrs base = classifier(ids, kMixed, labels);
    const std::string name = std::to_string(ids[1]) + std::to_string(ids[2]);
    for (const char* transform : {"NONE", "SOFTMAX", "LOGISTIC"}) {
      s.add(name + transform, {random(kF, {4, 3})},
            of("TreeEnsembleClassifier", with(base, "post_transform", transform)), two);
    }
    for (const DType dtype : kNumbers) {
      s.add(name + std::string(dtype_name(dtype)), {random(dtype, {5, 2})},
            of("TreeEnsembleClassifier", base), two);
    }
  }
  s.run();
  const auto check = [&](const MlAttrs& a, const char* transform,
                         std::initializer_list<std::int64_t> labels,
                         std::initializer_list<double> scores) {
    check_ml("TreeEnsembleClassifier", with(a, "post_transform", transform), {rows()},
             {int64s(labels), floats({4, static_cast<std::int64_t>(scores.size()) / 4}, scores)});
  };
  const MlAttrs margin = classifier({0, 0, 0, 0}, kMixed, {5, 7});
  check(margin, "NONE", {5, 7, 5, 5}, {0, 0, -0.75, 0.75, 0.75, -0.75, 0, 0});
  check(margin, "LOGISTIC", {5, 7, 5, 5},
        {0.5, 0.5, 0.3208213, 0.6791787, 0.6791787, 0.3208213, 0.5, 0.5});
  check(
      with(margin, "base_values", Floats{0.1f}), "LOGISTIC", {7, 7, 5, 7},
      {0.47502083, 0.5249792, 0.2994328, 0.7005672, 0.65701044, 0.34298956, 0.47502083, 0.5249792});
  const MlAttrs odds = classifier({0, 0, 0, 0}, {0.25f, 0.5f, 0.25f, 0.5f}, {5, 7});
  check(odds, "NONE", {5, 7, 7, 7}, {0.5, 0.5, 0.25, 0.75, 0.25, 0.75, 0, 1});
  const MlAttrs second = classifier({1, 1, 1, 1}, kMixed, {5, 7});
  check(second, "NONE", {5, 7, 5, 5}, {0, 0, 0, 0.75, 0, -0.75, 0, 0});
  const MlAttrs three = classifier({0, 1, 2, 0}, kMixed, {5, 7, 9});
  check(three, "NONE", {9, 7, 5, 7}, {-0.25, 0, 0.25, 0, 0.5, 0.25, -0.75, 0, 0, -0.5, 0.5, 0});
  check(three, "SOFTMAX", {9, 7, 5, 7},
        {0.25427523, 0.32649586, 0.41922897, 0.25427523, 0.41922897, 0.32649586, 0.19105846,
         0.40447077, 0.40447077, 0.18632373, 0.5064804, 0.3071959});
  MlAttrs named = with(three, "classlabels_strings", Texts{"a", "b", "c"});
  named.erase("classlabels_int64s");
  named["base_values"] = Floats{0.1f, 0.2f, -0.3f};
  check_ml(
      "TreeEnsembleClassifier", named, {rows()},
      {strings(Shape{4}, {"b", "b", "b", "b"}),
       floats({4, 3}, {-0.15, 0.2, -0.05, 0.1, 0.7, -0.05, -0.65, 0.2, -0.3, -0.4, 0.7, -0.3})});
}

TEST_CASE("TreeEnsembleClassifier says what does not fit") {
  const MlAttrs base = classifier({0, 1, 2, 0}, kMixed, {5, 7, 9});
  const auto fails = [&](std::string_view name, const AttrValue& value, std::string_view words) {
    check_ml_fails("TreeEnsembleClassifier", with(base, name, value), {rows()}, words, 2);
  };
  fails("classlabels_int64s", Ints{5, 7}, "class_ids, got 2, wanted 0 to 1");
  fails("classlabels_int64s", Ints{}, "classlabels_*, got 0");
  fails("classlabels_strings", Texts{"a"}, "classlabels_*, got 2");
  fails("base_values", Floats{1}, "base_values, got 1 values, wanted 3");
  fails("class_weights", Floats{1}, "class_weights, got 1 values, wanted 4");
  fails("class_treeids", Ints{0, 0, 1, 2}, "class_nodeids, got 2, which is no node of tree 2");
  fails("nodes_featureids", Ints{2, 0, 0, 1, 0, 0}, "nodes_featureids, got 2, wanted 0 to 1");
  fails("nodes_falsenodeids", Ints{0, 0, 0, 2, 0, 0}, "tree, got a node that is below itself");
}

TEST_CASE("TreeEnsemble") {
  Suite s("TreeEnsemble", "ai.onnx.ml");
  for (const DType dtype : {DType::kF32, DType::kF64, DType::kF16}) {
    for (std::int64_t how = 0; how < 4; ++how) {
      s.add(std::string(dtype_name(dtype)) + std::to_string(how),
            {random_ints(dtype, {6, 2}, 0, 3)},
            of("TreeEnsemble", with(members(dtype), "aggregate_function", how)));
    }
  }
  s.run();
  const MlAttrs base = members(kF);
  const Tensor x = floats({4, 2}, {1, 0, 3, 1, 3, 0, NAN, -1});
  check_ml("TreeEnsemble", base, {x}, {floats({4, 2}, {10, 0, 0, 20, 30, 0, 30, 0})});
  check_ml("TreeEnsemble", with(base, "nodes_missing_value_tracks_true", Ints{1, 0}), {x},
           {floats({4, 2}, {10, 0, 0, 20, 30, 0, 10, 0})});
  // What ONNX numbers 1 is the softmax.
  check_ml("TreeEnsemble", with(base, "post_transform", 1), {floats({1, 2}, {1, 0})},
           {floats({1, 2}, {0.9999546, 4.539787e-05})});
  const auto fails = [&](std::string_view name, const AttrValue& value, std::string_view words) {
    check_ml_fails("TreeEnsemble", with(base, name, value), {x}, words);
  };
  fails("nodes_falsenodeids", Ints{0, 2}, "tree, got a node that is below itself");
  fails("nodes_falsenodeids", Ints{2, 2}, "nodes_falsenodeids, got 2, wanted 0 to 1");
  fails("nodes_truenodeids", Ints{0, 3}, "nodes_truenodeids, got 3, wanted 0 to 2");
  fails("nodes_truenodeids", Ints{-1, 0}, "nodes_truenodeids, got -1");
  fails("nodes_trueleafs", Ints{1}, "nodes_trueleafs, got 1, wanted 2");
  fails("nodes_missing_value_tracks_true", Ints{1}, "got 1, wanted 2");
  fails("nodes_featureids", Ints{0, 2}, "nodes_featureids, got 2, wanted 0 to 1");
  fails("nodes_featureids", Ints{}, "nodes_featureids, got no nodes");
  fails("nodes_modes", bytes({6, 7}), "nodes_modes, got 7, wanted 0 to 6");
  fails("nodes_modes", int64s({6, 3}), "nodes_modes, got int64[2], wanted uint8");
  fails("nodes_modes", bytes({6, 6}), "membership_values, got fewer sets");
  fails("nodes_modes", bytes({3, 3}), "membership_values, got more sets");
  fails("membership_values", floats({2}, {1, 2}), "membership_values, got fewer sets");
  fails("leaf_weights", floats({2}, {1, 2}), "leaf_weights, got 2, wanted 3");
  fails("leaf_targetids", Ints{0, 1, 2}, "leaf_targetids, got 2, wanted 0 to 1");
  fails("tree_roots", Ints{2}, "tree_roots, got 2, wanted 0 to 1");
  fails("tree_roots", Ints{}, "tree_roots, got no trees");
  fails("n_targets", 0, "n_targets, got 0, wanted 1 to 3");
  fails("n_targets", std::int64_t{1} << 40, "n_targets, got 1099511627776");
  fails("aggregate_function", 4, "aggregate_function, got 4");
  fails("post_transform", 5, "post_transform, got 5");
}

}  // namespace polaris::test
