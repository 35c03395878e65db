#pragma once
#include <cstdint>
#include <optional>

#include "base/thread_pool.h"
#include "ir/op_util/conv_geometry.h"

namespace polaris::cpu {

/// The input of an ungrouped convolution, channels-last, with its padding as zeros, so that the
/// taps of a window along the last dim are one run of memory.
class PaddedImage {
 public:
  /// Nothing where such taps are no run, or the padding is much larger than the input.
  static std::optional<PaddedImage> of(const ConvGeometry& g);

  /// Elements of all images; 0 where there is no padding and the input serves as it stands.
  std::int64_t elements() const { return elements_; }
  /// Writes them.
  void fill(ThreadPool& pool, const float* x, float* out) const;

  std::int64_t taps() const { return g_.dims[0].kernel * g_.dims[1].kernel; }
  std::int64_t depth() const { return g_.dims[2].kernel * g_.group_in; }
  /// Addresses of the runs of all taps at positions [first, first + rows), [tap][rows].
  void find(const float* images, std::int64_t first, std::int64_t rows, const float** out) const;

 private:
  explicit PaddedImage(const ConvGeometry& g) : g_(g) {}

  ConvGeometry g_;
  std::int64_t extent_[kSpatialMax] = {};  // of an image with what windows see of its padding
  std::int64_t elements_ = 0;
};

}  // namespace polaris::cpu
