#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ir/attrs.h"

namespace polaris {

/// An axis that is not said: the input counts as one line.
inline constexpr std::int64_t kNoAxis = INT64_MAX;
/// A type that is not said: that of the input.
inline constexpr DType kTypeOfInput = DType::kString;

/// OneHot: where the new axis stands in the output.
struct OneHotAttrs final : AttrsOf<OneHotAttrs> {
  std::int64_t axis = -1;

  void visit(AttrVisitor& v) override { v.field("axis", axis); }
};

/// Compress.
struct CompressAttrs final : AttrsOf<CompressAttrs> {
  std::int64_t axis = kNoAxis;

  void visit(AttrVisitor& v) override { v.field("axis", axis); }
};

/// Unique; not sorted: in the order of their first places.
struct UniqueAttrs final : AttrsOf<UniqueAttrs> {
  std::int64_t axis = kNoAxis;
  bool sorted = true;

  void visit(AttrVisitor& v) override {
    v.field("axis", axis);
    v.field("sorted", sorted);
  }
};

/// ReverseSequence; the two axes are 0 and 1.
struct ReverseSequenceAttrs final : AttrsOf<ReverseSequenceAttrs> {
  std::int64_t batch_axis = 1;
  std::int64_t time_axis = 0;

  void visit(AttrVisitor& v) override {
    v.field("batch_axis", batch_axis);
    v.field("time_axis", time_axis);
  }
};

/// Trilu.
struct TriluAttrs final : AttrsOf<TriluAttrs> {
  bool upper = true;

  void visit(AttrVisitor& v) override { v.field("upper", upper); }
};

/// EyeLike.
struct EyeLikeAttrs final : AttrsOf<EyeLikeAttrs> {
  DType dtype = kTypeOfInput;
  std::int64_t k = 0;

  void visit(AttrVisitor& v) override {
    v.field("dtype", dtype);
    v.field("k", k);
  }
};

/// CenterCropPad; empty axes: all.
struct CenterCropPadAttrs final : AttrsOf<CenterCropPadAttrs> {
  std::vector<std::int64_t> axes;

  void visit(AttrVisitor& v) override { v.field("axes", axes); }
};

/// TensorScatter; mode is linear or circular.
struct TensorScatterAttrs final : AttrsOf<TensorScatterAttrs> {
  std::int64_t axis = -2;
  std::string mode = "linear";

  void visit(AttrVisitor& v) override {
    v.field("axis", axis);
    v.field("mode", mode);
  }
};

}  // namespace polaris
