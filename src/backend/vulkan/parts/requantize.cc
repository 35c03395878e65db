#include "backend/vulkan/parts/requantize.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace polaris::vulkan {
namespace {

constexpr std::int64_t kChannelsMax = 16384;  // a kernel's params hold 64 KiB

/// The float scales of an input that the host knows, or nothing.
std::vector<double> known_scales(const NodeDesc& node, std::size_t i) {
  const Tensor* value = i < node.values.size() ? node.values[i] : nullptr;
  if (value == nullptr && node.inputs[i].constant != nullptr) {
    value = &node.inputs[i].constant->data;
  }
  std::vector<double> scales;
  if (value == nullptr || !*value || value->dtype() != DType::kF32) return scales;
  for (std::int64_t k = 0; k < value->elements(); ++k) {
    scales.push_back(element_as_f64(*value, k));
  }
  return scales;
}

/// A quotient of NaN counts as 0, and so does 0 times an infinity: shaders never see one, because
/// what a driver converts a NaN to is its own.
float finite_factor(double factor) {
  constexpr double kMost = std::numeric_limits<float>::max();
  return std::isnan(factor) ? 0.0f : static_cast<float>(std::clamp(factor, -kMost, kMost));
}

}  // namespace

Result<Requantization> read_requantization(const NodeDesc& node, std::int64_t channels) {
  const std::vector<double> x = known_scales(node, 1);
  const std::vector<double> w = known_scales(node, 4);
  const std::vector<double> y = known_scales(node, 6);
  const auto zero = known_ints(node, 7);
  const auto count = static_cast<std::int64_t>(w.size());
  if (x.size() != 1 || y.size() != 1 || (count != 1 && count != channels) || !zero ||
      zero->size() != 1) {
    return refuse(node, "scales that are no constants, one or one a channel");
  }
  if (count > kChannelsMax) return refuse(node, "more than 16384 channels");
  Requantization r;
  for (const double scale : w) {
    r.factors.push_back(float_bits(finite_factor(x[0] * scale / y[0])));
  }
  r.y_zero = zero->front();
  return r;
}

}  // namespace polaris::vulkan
