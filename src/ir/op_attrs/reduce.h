#pragma once
#include <cstdint>

#include "ir/attrs.h"

namespace polaris {

/// ReduceSum, ReduceMean ...: axes are input 1.
struct ReduceAttrs final : AttrsOf<ReduceAttrs> {
  bool keepdims = true;
  bool noop_with_empty_axes = false;

  void visit(AttrVisitor& v) override {
    v.field("keepdims", keepdims);
    v.field("noop_with_empty_axes", noop_with_empty_axes);
  }
};

/// ArgMax, ArgMin.
struct ArgReduceAttrs final : AttrsOf<ArgReduceAttrs> {
  std::int64_t axis = 0;
  bool keepdims = true;
  bool select_last_index = false;

  void visit(AttrVisitor& v) override {
    v.field("axis", axis);
    v.field("keepdims", keepdims);
    v.field("select_last_index", select_last_index);
  }
};

/// CumSum, CumProd: axis is input 1.
struct CumSumAttrs final : AttrsOf<CumSumAttrs> {
  bool exclusive = false;
  bool reverse = false;

  void visit(AttrVisitor& v) override {
    v.field("exclusive", exclusive);
    v.field("reverse", reverse);
  }
};

/// TopK: k is input 1.
struct TopKAttrs final : AttrsOf<TopKAttrs> {
  std::int64_t axis = -1;
  bool largest = true;
  bool sorted = true;

  void visit(AttrVisitor& v) override {
    v.field("axis", axis);
    v.field("largest", largest);
    v.field("sorted", sorted);
  }
};

}  // namespace polaris
