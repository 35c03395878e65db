#pragma once
#include <cstdint>

#include "ir/attrs.h"

namespace polaris {

/// QuantizeLinear: output_dtype is used where the zero point is absent; `precision` kBool means
/// the scale's type.
struct QuantizeLinearAttrs final : AttrsOf<QuantizeLinearAttrs> {
  std::int64_t axis = 1;
  std::int64_t block_size = 0;
  DType output_dtype = DType::kU8;
  DType precision = DType::kBool;
  bool saturate = true;

  void visit(AttrVisitor& v) override {
    v.field("axis", axis);
    v.field("block_size", block_size);
    v.field("output_dtype", output_dtype);
    v.field("precision", precision);
    v.field("saturate", saturate);
  }
};

/// DequantizeLinear: output_dtype kBool means the scale's type.
struct DequantizeLinearAttrs final : AttrsOf<DequantizeLinearAttrs> {
  std::int64_t axis = 1;
  std::int64_t block_size = 0;
  DType output_dtype = DType::kBool;

  void visit(AttrVisitor& v) override {
    v.field("axis", axis);
    v.field("block_size", block_size);
    v.field("output_dtype", output_dtype);
  }
};

}  // namespace polaris
