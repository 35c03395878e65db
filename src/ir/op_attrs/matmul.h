#pragma once
#include <cstdint>

#include "ir/attrs.h"

namespace polaris {

/// Gemm: alpha * A' @ B' + beta * C, A' and B' transposed where asked.
struct GemmAttrs final : AttrsOf<GemmAttrs> {
  float alpha = 1.0f;
  float beta = 1.0f;
  bool transA = false;
  bool transB = false;

  void visit(AttrVisitor& v) override {
    v.field("alpha", alpha);
    v.field("beta", beta);
    v.field("transA", transA);
    v.field("transB", transB);
  }
};

}  // namespace polaris
