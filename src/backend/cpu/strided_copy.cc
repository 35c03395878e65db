#include "backend/cpu/strided_copy.h"

#include <algorithm>

#include "base/bytes.h"
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
    copy_bytes(to, from, static_cast<std::size_t>(width.of(n)));
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

void StridedCopy::run(ThreadPool& pool, const std::byte* from, std::byte* to) const {
  const auto& loops = move_.loops;
  const auto [inner, step] = loops.empty() ? StridedMove::Loop{1, 1} : loops.back();
  if (inner == 0) return;
  const std::size_t outer_loops = loops.empty() ? 0 : loops.size() - 1;
  std::int64_t outer = 1;
  for (std::size_t d = 0; d < outer_loops; ++d) outer *= loops[d].size;
  const std::int64_t run = std::min(inner, kRun);
  const std::int64_t runs = ceil_div(inner, run);
  const std::int64_t grain = std::max<std::int64_t>(1, kTaskElements / run);
  pool.parallel_for(outer * runs, grain, [&](std::int64_t first, std::int64_t end, int) {
    for (std::int64_t t = first; t < end; ++t) {
      const std::int64_t begin = t % runs * run;
      std::int64_t at = move_.start + begin * step;
      std::int64_t rest = t / runs;
      for (std::size_t d = outer_loops; d-- > 0;) {
        at += rest % loops[d].size * loops[d].stride;
        rest /= loops[d].size;
      }
      copy_any(width_, from + width_.of(at), step, to + width_.of(t / runs * inner + begin),
               std::min(run, inner - begin));
    }
  });
}

}  // namespace polaris::cpu
