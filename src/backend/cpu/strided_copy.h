#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/thread_pool.h"
#include "ir/strided_move.h"
#include "tensor/dtype.h"

namespace polaris::cpu {

/// A dense output read from a strided input, as strided_move() gives it.
class StridedCopy {
 public:
  StridedCopy(ElementWidth width, StridedMove move) : width_(width), move_(std::move(move)) {}
  void run(ThreadPool& pool, const std::byte* from, std::byte* to) const;

 private:
  ElementWidth width_;
  StridedMove move_;
};

}  // namespace polaris::cpu
