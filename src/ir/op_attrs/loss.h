#pragma once
#include <cstdint>
#include <string>

#include "ir/attrs.h"

namespace polaris {

/// An ignore_index that is not said.
inline constexpr std::int64_t kNoneIgnored = INT64_MAX;

/// NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss; reduction is none, sum or mean.
struct LossAttrs final : AttrsOf<LossAttrs> {
  std::int64_t ignore_index = kNoneIgnored;
  std::string reduction = "mean";

  void visit(AttrVisitor& v) override {
    v.field("ignore_index", ignore_index);
    v.field("reduction", reduction);
  }
};

}  // namespace polaris
