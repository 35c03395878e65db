#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ir/attrs.h"

namespace polaris {

inline constexpr std::int64_t kShapeEnd = INT64_MAX;

/// Reshape: with allowzero a 0 in the shape is a size, else "as the input".
struct ReshapeAttrs final : AttrsOf<ReshapeAttrs> {
  bool allowzero = false;

  void visit(AttrVisitor& v) override { v.field("allowzero", allowzero); }
};

/// Flatten to [product before axis, product from axis].
struct FlattenAttrs final : AttrsOf<FlattenAttrs> {
  std::int64_t axis = 1;

  void visit(AttrVisitor& v) override { v.field("axis", axis); }
};

/// Transpose: empty perm reverses the axes.
struct TransposeAttrs final : AttrsOf<TransposeAttrs> {
  std::vector<std::int64_t> perm;

  void visit(AttrVisitor& v) override { v.field("perm", perm); }
};

/// Concat along axis.
struct ConcatAttrs final : AttrsOf<ConcatAttrs> {
  std::int64_t axis = 0;

  void visit(AttrVisitor& v) override {
    v.field("axis", axis);
    v.require("axis");
  }
};

/// Split along axis; num_outputs (0: given by the sizes) where input `split` is absent.
struct SplitAttrs final : AttrsOf<SplitAttrs> {
  std::int64_t axis = 0;
  std::int64_t num_outputs = 0;

  void visit(AttrVisitor& v) override {
    v.field("axis", axis);
    v.field("num_outputs", num_outputs);
  }
};

/// Pad: constant, reflect, edge or wrap.
struct PadAttrs final : AttrsOf<PadAttrs> {
  std::string mode = "constant";

  void visit(AttrVisitor& v) override { v.field("mode", mode); }
};

/// Shape: dims [start, end) of the input; kShapeEnd is "to the last".
struct ShapeAttrs final : AttrsOf<ShapeAttrs> {
  std::int64_t start = 0;
  std::int64_t end = kShapeEnd;

  void visit(AttrVisitor& v) override {
    v.field("start", start);
    v.field("end", end);
  }
};

/// ConstantOfShape: a one-element tensor; absent: float32 0.
struct ConstantOfShapeAttrs final : AttrsOf<ConstantOfShapeAttrs> {
  Tensor value;

  void visit(AttrVisitor& v) override { v.field("value", value); }
};

}  // namespace polaris
