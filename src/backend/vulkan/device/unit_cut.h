#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace polaris::vulkan {

struct DispatchCost {
  double us = 0;
  std::uint32_t parts_max = 1;  // into how many it can be split
};

/// A dispatch, or one part of a split one, in the unit that it belongs to.
struct DispatchPiece {
  std::uint32_t dispatch = 0;
  std::uint32_t part = 0;
  std::uint32_t parts = 1;
  std::uint32_t unit = 0;
  double us = 0;
};

/// Puts dispatches into units of at most `unit_us`, in order; one that is longer is split into
/// equal parts as far as it can be. `split` false: none is.
std::vector<DispatchPiece> cut_units(std::span<const DispatchCost> costs, double unit_us,
                                     bool split);

}  // namespace polaris::vulkan
