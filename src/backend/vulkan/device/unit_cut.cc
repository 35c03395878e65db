#include "backend/vulkan/device/unit_cut.h"

#include <algorithm>
#include <cmath>

namespace polaris::vulkan {

std::vector<DispatchPiece> cut_units(std::span<const DispatchCost> costs, double unit_us,
                                     bool split) {
  std::vector<DispatchPiece> pieces;
  pieces.reserve(costs.size());
  std::uint32_t unit = 0;
  double open_us = 0;
  for (std::size_t d = 0; d < costs.size(); ++d) {
    const DispatchCost& cost = costs[d];
    const double wanted = split ? std::ceil(cost.us / unit_us) : 1;
    const double most = std::max(cost.parts_max, 1u);
    const auto parts = static_cast<std::uint32_t>(std::clamp(wanted, 1.0, most));
    const double us = cost.us / parts;
    for (std::uint32_t part = 0; part < parts; ++part) {
      if (open_us > 0 && open_us + us > unit_us) {
        ++unit;
        open_us = 0;
      }
      pieces.push_back({static_cast<std::uint32_t>(d), part, parts, unit, us});
      open_us += us;
    }
  }
  return pieces;
}

}  // namespace polaris::vulkan
