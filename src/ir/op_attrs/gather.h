#pragma once
#include <cstdint>
#include <string>

#include "ir/attrs.h"

namespace polaris {

/// Gather and GatherElements.
struct GatherAttrs final : AttrsOf<GatherAttrs> {
  std::int64_t axis = 0;

  void visit(AttrVisitor& v) override { v.field("axis", axis); }
};

/// GatherND.
struct GatherNdAttrs final : AttrsOf<GatherNdAttrs> {
  std::int64_t batch_dims = 0;

  void visit(AttrVisitor& v) override { v.field("batch_dims", batch_dims); }
};

/// ScatterElements; reduction is none, add, mul, max or min.
struct ScatterElementsAttrs final : AttrsOf<ScatterElementsAttrs> {
  std::int64_t axis = 0;
  std::string reduction = "none";

  void visit(AttrVisitor& v) override {
    v.field("axis", axis);
    v.field("reduction", reduction);
  }
};

/// ScatterND; reduction is none, add, mul, max or min.
struct ScatterNdAttrs final : AttrsOf<ScatterNdAttrs> {
  std::string reduction = "none";

  void visit(AttrVisitor& v) override { v.field("reduction", reduction); }
};

}  // namespace polaris
