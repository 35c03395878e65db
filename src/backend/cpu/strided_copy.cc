#include "backend/cpu/strided_copy.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/checked.h"

namespace polaris::cpu {
namespace {

constexpr std::int64_t kTaskElements = 16384;
constexpr std::int64_t kRun = 4096;

// Shorter runs are copied side by side: the first elements of many, then the second ...
constexpr std::int64_t kShort = 8;

/// n elements, `stride` and `to_stride` apart.
template <class T>
void copy_run(const std::byte* from, std::int64_t stride, std::byte* to, std::int64_t to_stride,
              std::int64_t n) {
  const auto* x = reinterpret_cast<const T*>(from);
  auto* y = reinterpret_cast<T*>(to);
  if (to_stride == 1) {
    for (std::int64_t i = 0; i < n; ++i) y[i] = x[i * stride];
  } else {
    for (std::int64_t i = 0; i < n; ++i) y[i * to_stride] = x[i * stride];
  }
}

void copy_any(ElementWidth width, const std::byte* from, std::int64_t stride, std::byte* to,
              std::int64_t to_stride, std::int64_t n) {
  if (stride == 1 && to_stride == 1) {
    copy_bytes(to, from, static_cast<std::size_t>(width.of(n)));
    return;
  }
  switch (width.raw()) {
    case 1: return copy_run<std::uint8_t>(from, stride, to, to_stride, n);
    case 2: return copy_run<std::uint16_t>(from, stride, to, to_stride, n);
    case 4: return copy_run<std::uint32_t>(from, stride, to, to_stride, n);
    default: return copy_run<std::uint64_t>(from, stride, to, to_stride, n);
  }
}

}  // namespace

void StridedCopy::run(ThreadPool& pool, const std::byte* from, std::byte* to) const {
  const auto& loops = move_.loops;
  // `across` elements side by side, which are one but where runs are short.
  const bool is_short = loops.size() > 1 && loops.back().size < kShort && loops.back().stride != 1;
  const auto [across, across_step] = is_short ? loops.back() : StridedMove::Loop{1, 1};
  const std::size_t inner_loops = loops.size() - (is_short ? 1 : 0);
  const auto [inner, step] = inner_loops == 0 ? StridedMove::Loop{1, 1} : loops[inner_loops - 1];
  if (inner == 0 || across == 0) return;
  const std::size_t outer_loops = inner_loops == 0 ? 0 : inner_loops - 1;
  std::int64_t outer = 1;
  for (std::size_t d = 0; d < outer_loops; ++d) outer *= loops[d].size;
  const std::int64_t run = std::min(inner, kRun / across);
  const std::int64_t runs = ceil_div(inner, run);
  const std::int64_t grain = std::max<std::int64_t>(1, kTaskElements / (run * across));
  pool.parallel_for(outer * runs, grain, [&](std::int64_t first, std::int64_t end, int) {
    for (std::int64_t t = first; t < end; ++t) {
      const std::int64_t begin = t % runs * run;
      std::int64_t at = move_.start + begin * step;
      std::int64_t rest = t / runs;
      for (std::size_t d = outer_loops; d-- > 0;) {
        at += rest % loops[d].size * loops[d].stride;
        rest /= loops[d].size;
      }
      const std::int64_t first_out = (t / runs * inner + begin) * across;
      for (std::int64_t j = 0; j < across; ++j) {
        copy_any(width_, from + width_.of(at + j * across_step), step,
                 to + width_.of(first_out + j), across, std::min(run, inner - begin));
      }
    }
  });
}

}  // namespace polaris::cpu
