#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ir/attrs.h"

namespace polaris {

/// Ops whose attributes say how many of the last inputs are captures: read by every round, not
/// carried from one to the next. ONNX has no such attribute: there captures are implicit.
struct ControlAttrs : Attrs {
  std::int64_t captures = 0;
};
template <class S>
struct ControlAttrsOf : ControlAttrs {
  std::unique_ptr<Attrs> clone() const override {
    return std::make_unique<S>(static_cast<const S&>(*this));
  }
};

/// Loop: the carried values are inputs [2, input_count - captures). polaris.While: [0, ...).
struct LoopAttrs final : ControlAttrsOf<LoopAttrs> {
  void visit(AttrVisitor& v) override { v.field("captures", captures); }
};

/// Scan: the last num_scan_inputs inputs before the captures are scanned, those before are carried.
/// Axes and directions (0 forward, 1 backward) are by scan input and by scan output; empty: axis 0,
/// forward.
struct ScanAttrs final : ControlAttrsOf<ScanAttrs> {
  std::int64_t num_scan_inputs = 0;
  std::vector<std::int64_t> scan_input_axes;
  std::vector<std::int64_t> scan_input_directions;
  std::vector<std::int64_t> scan_output_axes;
  std::vector<std::int64_t> scan_output_directions;

  void visit(AttrVisitor& v) override {
    v.field("num_scan_inputs", num_scan_inputs);
    v.field("scan_input_axes", scan_input_axes);
    v.field("scan_input_directions", scan_input_directions);
    v.field("scan_output_axes", scan_output_axes);
    v.field("scan_output_directions", scan_output_directions);
    v.field("captures", captures);
  }
};

}  // namespace polaris
