#pragma once
#include <cstdint>
#include <vector>

namespace polaris {

/// A thing that a detector found: corners in pixels, left and top before right and bottom.
struct Detection {
  double x0 = 0;
  double y0 = 0;
  double x1 = 0;
  double y1 = 0;
  double score = 0;
  std::int64_t index = 0;  // of the class
};

/// Candidates beyond this, the least likely, are not looked at.
inline constexpr std::size_t kBoxCandidatesMax = 10000;

/// The part of the area of both that both have; 0 where neither has any.
double overlap_of(const Detection& a, const Detection& b);

/// The likeliest `most`, the likeliest first; of two of one class whose overlap is above `iou_max`
/// only the likelier. Equal scores keep their order.
std::vector<Detection> likeliest(std::vector<Detection> found, double iou_max, std::size_t most);

}  // namespace polaris
