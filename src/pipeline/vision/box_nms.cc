#include "pipeline/vision/box_nms.h"

#include <algorithm>

namespace polaris {

double overlap_of(const Detection& a, const Detection& b) {
  const auto area = [](double width, double height) {
    return width > 0 && height > 0 ? width * height : 0;
  };
  const double both = area(std::min(a.x1, b.x1) - std::max(a.x0, b.x0),
                           std::min(a.y1, b.y1) - std::max(a.y0, b.y0));
  const double all = area(a.x1 - a.x0, a.y1 - a.y0) + area(b.x1 - b.x0, b.y1 - b.y0) - both;
  return all > 0 ? both / all : 0;
}

std::vector<Detection> likeliest(std::vector<Detection> found, double iou_max, std::size_t most) {
  std::stable_sort(found.begin(), found.end(),
                   [](const Detection& a, const Detection& b) { return a.score > b.score; });
  if (found.size() > kBoxCandidatesMax) found.resize(kBoxCandidatesMax);
  std::vector<Detection> out;
  for (const Detection& next : found) {
    if (out.size() == most) break;
    const bool hidden = std::any_of(out.begin(), out.end(), [&](const Detection& kept) {
      return kept.index == next.index && overlap_of(kept, next) > iou_max;
    });
    if (!hidden) out.push_back(next);
  }
  return out;
}

}  // namespace polaris
