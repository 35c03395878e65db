#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "backend/backend.h"

namespace polaris {

/// A dim of a Resize, or several neighbours that it keeps. Output o of a kept loop is made of the
/// input's element o * step; of a resized one of `taps` elements: those at `from` (o * taps and
/// following; -1: o lies outside the input) with the weights beside them, 0: not looked at.
struct ResizeLoop {
  std::int64_t size = 1;  // of the output
  std::int64_t in = 1;    // of the input
  std::int64_t step = 0;  // from one to the next in the input
  std::int64_t taps = 0;  // 0: kept
  std::vector<std::int64_t> from;
  std::vector<float> weights;
};

/// The loops of a described Resize, outermost first, its scales, sizes and roi known. Nothing where
/// they are not, or the data is encoded.
std::optional<std::vector<ResizeLoop>> node_resize(const NodeDesc& node);

}  // namespace polaris
