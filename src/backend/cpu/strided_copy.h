#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/thread_pool.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace polaris::cpu {

/// A dense output read from a strided input: element (i0, i1 ...) comes from element
/// start + sum(i * stride). Strides may be 0 or negative.
class StridedCopy {
 public:
  static constexpr int kDimsMax = 2 * kMaxRank;
  StridedCopy(ElementWidth width, std::int64_t start) : width_(width), start_(start) {}
  /// Appends an inner dim; dims of size 1 vanish, and dims that continue their outer one merge.
  void add_dim(std::int64_t size, std::int64_t stride);
  void run(ThreadPool& pool, const std::byte* from, std::byte* to) const;

 private:
  ElementWidth width_;
  std::int64_t start_;
  int rank_ = 0;
  bool empty_ = false;
  std::array<std::int64_t, kDimsMax> dims_{};
  std::array<std::int64_t, kDimsMax> strides_{};
};

}  // namespace polaris::cpu
