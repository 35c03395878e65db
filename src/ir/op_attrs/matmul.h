#pragma once
#include <cstdint>
#include <string>

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

/// Einsum.
struct EinsumAttrs final : AttrsOf<EinsumAttrs> {
  std::string equation;

  void visit(AttrVisitor& v) override {
    v.field("equation", equation);
    v.require("equation");
  }
};

/// polaris.ResidualLinear gives, of so many elements of a row, the sum of squares.
inline constexpr std::int64_t kSquaresOf = 32;

/// polaris.NormLinear: as RMSNormalization has it.
struct NormLinearAttrs final : AttrsOf<NormLinearAttrs> {
  float epsilon = 1e-5f;

  void visit(AttrVisitor& v) override { v.field("epsilon", epsilon); }
};

/// polaris.GatedLinear: "silu" or "gelu_tanh".
struct GatedLinearAttrs final : AttrsOf<GatedLinearAttrs> {
  std::string activation = "silu";
  float epsilon = 1e-5f;

  void visit(AttrVisitor& v) override {
    v.field("activation", activation);
    v.field("epsilon", epsilon);
  }
};

}  // namespace polaris
