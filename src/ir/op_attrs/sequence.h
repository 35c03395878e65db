#pragma once
#include <cstdint>

#include "ir/attrs.h"
#include "ir/op_attrs/control.h"

namespace polaris {

/// SequenceEmpty: the element type of the tensors to come.
struct SequenceEmptyAttrs final : AttrsOf<SequenceEmptyAttrs> {
  DType dtype = DType::kF32;

  void visit(AttrVisitor& v) override { v.field("dtype", dtype); }
};

/// SplitToSequence: along axis; keepdims counts only where input `split` is absent.
struct SplitToSequenceAttrs final : AttrsOf<SplitToSequenceAttrs> {
  std::int64_t axis = 0;
  bool keepdims = true;

  void visit(AttrVisitor& v) override {
    v.field("axis", axis);
    v.field("keepdims", keepdims);
  }
};

/// ConcatFromSequence: along axis, or along a new dim there.
struct ConcatFromSequenceAttrs final : AttrsOf<ConcatFromSequenceAttrs> {
  std::int64_t axis = 0;
  bool new_axis = false;

  void visit(AttrVisitor& v) override {
    v.field("axis", axis);
    v.require("axis");
    v.field("new_axis", new_axis);
  }
};

/// SequenceMap: captures as of any control flow.
struct SequenceMapAttrs final : ControlAttrsOf<SequenceMapAttrs> {
  void visit(AttrVisitor& v) override { v.field("captures", captures); }
};

/// Optional: what may be in it, read where nothing is. ONNX gives a type for this.
struct OptionalAttrs final : AttrsOf<OptionalAttrs> {
  DType dtype = DType::kF32;
  bool sequence = false;

  void visit(AttrVisitor& v) override {
    v.field("dtype", dtype);
    v.field("sequence", sequence);
  }
};

}  // namespace polaris
