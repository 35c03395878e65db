#include "backend/cpu/strided_copy.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"

namespace polaris::cpu {
namespace {

constexpr std::int64_t kTaskElements = 16384;
constexpr std::int64_t kRun = 4096;

template <class T>
void copy_run(const std::byte* from, std::int64_t stride, std::byte* to, std::int64_t n) {
  const auto* x = reinterpret_cast<const T*>(from);
  auto* y = reinterpret_cast<T*>(to);
  for (std::int64_t i = 0; i < n; ++i) y[i] = x[i * stride];
}

void copy_any(ElementWidth width, const std::byte* from, std::int64_t stride, std::byte* to,
              std::int64_t n) {
  if (stride == 1) {
    std::memcpy(to, from, static_cast<std::size_t>(width.of(n)));
    return;
  }
  switch (width.raw()) {
    case 1: return copy_run<std::uint8_t>(from, stride, to, n);
    case 2: return copy_run<std::uint16_t>(from, stride, to, n);
    case 4: return copy_run<std::uint32_t>(from, stride, to, n);
    default: return copy_run<std::uint64_t>(from, stride, to, n);
  }
}

}  // namespace

void StridedCopy::add_dim(std::int64_t size, std::int64_t stride) {
  if (size == 0) empty_ = true;
  if (size == 1) return;
  const auto last = static_cast<std::size_t>(rank_ - 1);
  if (rank_ > 0 && strides_[last] == stride * size) {
    dims_[last] *= size;
    strides_[last] = stride;
    return;
  }
  dims_[static_cast<std::size_t>(rank_)] = size;
  strides_[static_cast<std::size_t>(rank_++)] = stride;
}

void StridedCopy::run(ThreadPool& pool, const std::byte* from, std::byte* to) const {
  if (empty_) return;
  const auto last = static_cast<std::size_t>(rank_ - 1);
  const std::int64_t inner = rank_ > 0 ? dims_[last] : 1;
  const std::int64_t step = rank_ > 0 ? strides_[last] : 1;
  std::int64_t outer = 1;
  for (int d = 0; d + 1 < rank_; ++d) outer *= dims_[static_cast<std::size_t>(d)];
  const std::int64_t run = std::min(inner, kRun);
  const std::int64_t runs = ceil_div(inner, run);
  const std::int64_t grain = std::max<std::int64_t>(1, kTaskElements / run);
  pool.parallel_for(outer * runs, grain, [&](std::int64_t first, std::int64_t end, int) {
    for (std::int64_t t = first; t < end; ++t) {
      const std::int64_t begin = t % runs * run;
      std::int64_t at = start_ + begin * step;
      std::int64_t rest = t / runs;
      for (int d = rank_ - 2; d >= 0; --d) {
        const auto i = static_cast<std::size_t>(d);
        at += rest % dims_[i] * strides_[i];
        rest /= dims_[i];
      }
      copy_any(width_, from + width_.of(at), step, to + width_.of(t / runs * inner + begin),
               std::min(run, inner - begin));
    }
  });
}

}  // namespace polaris::cpu
