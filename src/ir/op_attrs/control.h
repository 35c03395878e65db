#pragma once
#include <cstdint>

#include "ir/attrs.h"

namespace polaris {

/// Loop: how many of the last inputs are captures (read by every iteration, not carried). The
/// carried values are inputs [2, input_count - captures). ONNX has no such attribute: there
/// captures are implicit.
struct LoopAttrs final : AttrsOf<LoopAttrs> {
  std::int64_t captures = 0;

  void visit(AttrVisitor& v) override { v.field("captures", captures); }
};

}  // namespace polaris
