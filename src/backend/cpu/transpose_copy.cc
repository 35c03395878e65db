#include "backend/cpu/transpose_copy.h"

#include <algorithm>

#include "base/checked.h"

namespace polaris::cpu {
namespace {

constexpr std::int64_t kThin = 3;
// A block reads whole lines of its columns and writes them while they are in the cache: at least so
// many rows, and more where columns are few.
constexpr std::int64_t kBlockRows = 16;
constexpr std::int64_t kBlockColumns = 64;
constexpr std::int64_t kTaskElements = 16384;

}  // namespace

std::optional<TransposeCopy> TransposeCopy::of(const Simd& simd, const StridedMove& move) {
  const std::size_t n = move.loops.size();
  if (n < 2 || n > 3) return std::nullopt;
  const StridedMove::Loop& rows = move.loops[n - 2];
  const StridedMove::Loop& columns = move.loops[n - 1];
  if (rows.stride != 1 || columns.stride < rows.size) return std::nullopt;
  if (rows.size < kThin || columns.size < kThin) return std::nullopt;
  TransposeCopy out;
  out.simd_ = &simd;
  out.start_ = move.start;
  if (n == 3) {
    out.planes_ = move.loops[0].size;
    out.plane_stride_ = move.loops[0].stride;
  }
  out.rows_ = rows.size;
  out.columns_ = columns.size;
  out.column_stride_ = columns.stride;
  return out;
}

void TransposeCopy::run(ThreadPool& pool, const std::byte* from, std::byte* to) const {
  const std::int64_t across = ceil_div(columns_, kBlockColumns);
  const std::int64_t height = kBlockRows * std::max<std::int64_t>(1, kBlockColumns / columns_);
  const std::int64_t down = ceil_div(rows_, height);
  const std::int64_t grain =
      std::max<std::int64_t>(1, kTaskElements / (height * std::min(columns_, kBlockColumns)));
  pool.parallel_for(planes_ * down * across, grain, [&](std::int64_t first, std::int64_t end, int) {
    for (std::int64_t t = first; t < end; ++t) {
      const std::int64_t column = t % across * kBlockColumns;
      const std::int64_t row = t / across % down * height;
      const std::int64_t plane = t / across / down;
      const std::int64_t count = std::min(kBlockColumns, columns_ - column);
      const float* x = reinterpret_cast<const float*>(from) + start_ + plane * plane_stride_ +
                       column * column_stride_ + row;
      const float* lines[kBlockColumns];
      for (std::int64_t j = 0; j < count; ++j) lines[j] = x + j * column_stride_;
      simd_->transpose(lines, count, std::min(height, rows_ - row),
                       reinterpret_cast<float*>(to) + (plane * rows_ + row) * columns_ + column,
                       columns_);
    }
  });
}

}  // namespace polaris::cpu
