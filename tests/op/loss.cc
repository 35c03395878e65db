#include "ir/op_attrs/loss.h"

#include <doctest/doctest.h>

#include "conformance/suite.h"

namespace polaris::test {

TEST_CASE("NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss") {
  constexpr DType kF = DType::kF32;
  for (const char* name : {"NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"}) {
    const int outputs = std::string_view(name) == "SoftmaxCrossEntropyLoss" ? 2 : 1;
    Suite s(name);
    for (const char* reduction : {"none", "sum", "mean"}) {
      const auto a = attrs<LossAttrs>([&](auto& x) { x.reduction = reduction; });
      const auto ignoring = attrs<LossAttrs>([&](auto& x) {
        x.reduction = reduction;
        x.ignore_index = -7;
      });
      s.add(std::string("rows ") + reduction, {random(kF, {3, 5}), int64s({0, 4, 2})}, a,
            {outputs, 1, {}});
      s.add(
          std::string("places ") + reduction,
          {random(kF, {2, 5, 3}), random_ints(DType::kI32, {2, 3}, 0, 4), random(kF, {5}, 0.5, 1)},
          a, {outputs, 1, {}});
      s.add(std::string("ignored ") + reduction,
            {random(kF, {3, 5}), int64s({0, -7, 2}), random(kF, {5}, 0.5, 1)}, ignoring);
    }
    s.add("f64", {random(DType::kF64, {3, 5}), int64s({0, 4, 2})});
    s.fails("label", {random(kF, {3, 5}), int64s({0, 5, 2})}, nullptr,
            "label, got 5, wanted 0 to 4");
    s.fails("negative", {random(kF, {3, 5}), int64s({0, -1, 2})}, nullptr, "label, got -1");
    s.fails("reduction", {random(kF, {3, 5}), int64s({0, 0, 0})},
            attrs<LossAttrs>([](auto& x) { x.reduction = "max"; }), "reduction, got 'max'");
    s.fails("weights", {random(kF, {3, 5}), int64s({0, 0, 0}), random(kF, {4})}, nullptr,
            "number of weights, got 4");
    s.fails("labels", {random(kF, {3, 5}), int64s({0, 0})}, nullptr, "dim 0 of the labels");
    s.run();
  }
}

}  // namespace polaris::test
