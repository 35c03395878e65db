// Resize: the nearest elements of any type, or weighted sums of floats.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "backend/cpu/convert.h"
#include "backend/cpu/kernel.h"
#include "backend/cpu/rows.h"
#include "backend/node_resize.h"
#include "base/bytes.h"
#include "ir/op_attrs/resize.h"
#include "tensor/element.h"

namespace polaris::cpu {
namespace {

/// A row is what the last resized loop and the one inside of it make.
struct ResizePlan {
  std::vector<ResizeLoop> upper;  // outermost first
  ResizeLoop column;              // the last that is resized
  std::int64_t inner = 1;         // elements inside of it, side by side
  std::int64_t rows = 1;
  DType dtype = DType::kF32;
  float outside = 0;
  const Simd* simd = nullptr;

  std::int64_t row_in() const { return column.in * inner; }
  std::int64_t row_out() const { return column.size * inner; }
  /// Of a worker: a row of sums and, of narrower floats, one of them widened and one that is made.
  std::int64_t worker_floats() const {
    return row_in() + (dtype == DType::kF32 ? 0 : row_in() + row_out());
  }
  double rounded_outside() const {
    return is_float(dtype) ? static_cast<double>(outside)
                           : std::nearbyint(static_cast<double>(outside));
  }
};

/// The rows of the input that one of the output is the weighted sum of.
class Sources {
 public:
  Sources(const ResizePlan& p, std::int64_t row) {
    for (auto loop = p.upper.rbegin(); loop != p.upper.rend(); ++loop) {
      const std::int64_t at = row % loop->size;
      row /= loop->size;
      if (loop->taps == 0) {
        base_ += at * loop->step;
        continue;
      }
      const auto first = static_cast<std::size_t>(at * loop->taps);
      outside_ = outside_ || loop->from[first] < 0;
      loops_[resized_++] = {loop->from.data() + first, loop->weights.data() + first, loop->taps};
      count_ *= loop->taps;
    }
  }
  bool outside() const { return outside_; }

  /// body(place of the first element, weight), without those of weight 0.
  template <class Body>
  void each(Body body) const {
    for (std::int64_t s = 0; s < count_; ++s) {
      std::int64_t rest = s;
      std::int64_t from = base_;
      float weight = 1;
      for (std::size_t i = 0; i < resized_; ++i) {
        const std::int64_t tap = rest % loops_[i].taps;
        rest /= loops_[i].taps;
        from += loops_[i].from[tap];
        weight *= loops_[i].weights[tap];
      }
      if (weight != 0) body(from, weight);
    }
  }

 private:
  struct Loop {
    const std::int64_t* from = nullptr;
    const float* weights = nullptr;
    std::int64_t taps = 1;
  };
  std::array<Loop, kMaxRank> loops_;
  std::size_t resized_ = 0;
  std::int64_t count_ = 1;
  std::int64_t base_ = 0;
  bool outside_ = false;
};

/// body(row, worker, sources) for each row of the output.
template <class Body>
void each_row(const ResizePlan& p, ThreadPool& pool, Body body) {
  parallel_rows(pool, p.rows, p.row_out(), [&](std::int64_t begin, std::int64_t end, int worker) {
    for (std::int64_t row = begin; row < end; ++row) body(row, worker, Sources(p, row));
  });
}

void fill_row(std::int64_t count, ElementWidth width, const std::byte* element, std::byte* to) {
  const auto step = static_cast<std::size_t>(width.raw());
  for (std::int64_t i = 0; i < count; ++i, to += step) copy_bytes(to, element, step);
}

/// Elements of `width` bytes at the places of the column, of a row that is inside.
void copy_row(const ResizePlan& p, ElementWidth width, const std::byte* row,
              const std::byte* outside, std::byte* to) {
  const std::int64_t run = width.of(p.inner);
  for (std::int64_t o = 0; o < p.column.size; ++o) {
    const std::int64_t from = p.column.from[static_cast<std::size_t>(o)];
    if (from >= 0) {
      copy_bytes(to, row + width.of(from), static_cast<std::size_t>(run));
    } else {
      fill_row(p.inner, width, outside, to);
    }
    to += run;
  }
}

/// As copy_row, for elements that stand alone and are as wide as T.
template <class T>
void copy_singly(const ResizePlan& p, const T* row, T outside, T* to) {
  for (std::int64_t o = 0; o < p.column.size; ++o) {
    const std::int64_t from = p.column.from[static_cast<std::size_t>(o)];
    to[o] = from < 0 ? outside : row[from];
  }
}

template <class T>
void run_nearest_singly(const ResizePlan& p, const Launch& l) {
  T outside = {};
  store_f64(p.dtype, reinterpret_cast<std::byte*>(&outside), 0, p.rounded_outside());
  each_row(p, *l.pool, [&](std::int64_t row, int, const Sources& sources) {
    T* to = l.out<T>(0) + row * p.row_out();
    if (sources.outside()) {
      std::fill_n(to, p.row_out(), outside);
    } else {
      sources.each(
          [&](std::int64_t from, float) { copy_singly(p, l.in<T>(0) + from, outside, to); });
    }
  });
}

void run_nearest(const ResizePlan& p, const Launch& l) {
  const ElementWidth width = width_of(p.dtype);
  std::array<std::byte, 16> outside = {};
  store_f64(p.dtype, outside.data(), 0, p.rounded_outside());
  each_row(p, *l.pool, [&](std::int64_t row, int, const Sources& sources) {
    std::byte* to = l.outputs[0] + width.of(row * p.row_out());
    if (sources.outside()) {
      fill_row(p.row_out(), width, outside.data(), to);
    } else {
      sources.each([&](std::int64_t from, float) {
        copy_row(p, width, l.inputs[0] + width.of(from), outside.data(), to);
      });
    }
  });
}

/// The sum of the sources' rows.
void add_sources(const ResizePlan& p, const Launch& l, const Sources& sources, float* widened,
                 float* sum) {
  std::fill_n(sum, p.row_in(), 0.0f);
  sources.each([&](std::int64_t from, float weight) {
    const float* row = l.in<float>(0) + from;
    if (p.dtype != DType::kF32) {
      widen(*p.simd, p.dtype, l.inputs[0], from, p.row_in(), widened);
      row = widened;
    }
    p.simd->axpy(weight, row, sum, p.row_in());
  });
}

/// A row's own sums along the column, of elements that stand alone. kTaps: as many as the column
/// has, or 0 for any number.
template <std::int64_t kTaps>
void sum_singly(const ResizePlan& p, const float* row, float* to) {
  const ResizeLoop& c = p.column;
  const std::int64_t taps = kTaps > 0 ? kTaps : c.taps;
  const std::int64_t* from = c.from.data();
  const float* weights = c.weights.data();
  for (std::int64_t o = 0; o < c.size; ++o, from += taps, weights += taps) {
    float sum = from[0] < 0 ? p.outside : 0.0f;
    for (std::int64_t k = 0; k < taps && from[0] >= 0; ++k) {
      const float part = weights[k] * row[from[k]];
      sum += weights[k] != 0 ? part : 0.0f;
    }
    to[o] = sum;
  }
}

/// The same where `inner` elements lie side by side.
void sum_together(const ResizePlan& p, const float* row, float* to) {
  const ResizeLoop& c = p.column;
  const std::int64_t* from = c.from.data();
  const float* weights = c.weights.data();
  for (std::int64_t o = 0; o < c.size; ++o, from += c.taps, weights += c.taps, to += p.inner) {
    std::fill_n(to, p.inner, from[0] < 0 ? p.outside : 0.0f);
    for (std::int64_t k = 0; k < c.taps && from[0] >= 0; ++k) {
      if (weights[k] != 0) p.simd->axpy(weights[k], row + from[k], to, p.inner);
    }
  }
}

void sum_column(const ResizePlan& p, const float* row, float* to) {
  if (p.inner > 1) return sum_together(p, row, to);
  if (p.column.taps == 2) return sum_singly<2>(p, row, to);
  if (p.column.taps == 4) return sum_singly<4>(p, row, to);
  sum_singly<0>(p, row, to);
}

void run_weighted(const ResizePlan& p, const Launch& l) {
  const bool plain = p.dtype == DType::kF32;
  auto* workspace = reinterpret_cast<float*>(l.workspace);
  each_row(p, *l.pool, [&](std::int64_t row, int worker, const Sources& sources) {
    float* sum = workspace + worker * p.worker_floats();
    float* widened = sum + p.row_in();
    float* to = plain ? l.out<float>(0) + row * p.row_out() : widened + p.row_in();
    if (sources.outside()) {
      std::fill_n(to, p.row_out(), p.outside);
    } else {
      add_sources(p, l, sources, widened, sum);
      sum_column(p, sum, to);
    }
    if (!plain) narrow(*p.simd, p.dtype, to, p.row_out(), l.outputs[0], row * p.row_out());
  });
}

void (*nearest_by_width(const ResizePlan& p))(const ResizePlan&, const Launch&) {
  if (p.inner > 1) return run_nearest;
  switch (width_of(p.dtype).raw()) {
    case 1: return run_nearest_singly<std::uint8_t>;
    case 2: return run_nearest_singly<std::uint16_t>;
    case 4: return run_nearest_singly<std::uint32_t>;
    case 8: return run_nearest_singly<std::uint64_t>;
    default: return run_nearest;
  }
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  auto loops = node_resize(node);
  if (!loops) return unsupported(node, "scales, sizes or roi are not known, or too large");
  const auto& attrs = node.attributes<ResizeAttrs>();
  const bool nearest = attrs.mode == "nearest";
  auto p = std::make_shared<ResizePlan>();
  p->dtype = node.inputs[0].type.dtype;
  p->outside = attrs.extrapolation_value;
  p->simd = target.simd;
  if (is_small(p->dtype) || is_host_only(node.inputs[0].type))
    return unsupported(node, "elements of its type");
  if (!nearest && !is_short_float(p->dtype)) return unsupported(node, "sums of no float32");
  if (!loops->empty() && loops->back().taps == 0) {
    p->inner = loops->back().size;
    loops->pop_back();
  }
  if (loops->empty()) return unsupported(node, "nothing is resized");
  p->column = std::move(loops->back());
  loops->pop_back();
  for (const ResizeLoop& loop : *loops) p->rows *= loop.size;
  p->upper = std::move(*loops);
  std::shared_ptr<CpuKernel> kernel;
  if (nearest) {
    const auto run = nearest_by_width(*p);
    kernel = make_kernel("resize_nearest", [p, run](const Launch& l) { run(*p, l); });
  } else {
    kernel = make_kernel("resize_" + attrs.mode, [p](const Launch& l) { run_weighted(*p, l); });
    kernel->set_workspace(target.threads * p->worker_floats() * 4);
  }
  for (int i = 1; i < static_cast<int>(node.inputs.size()); ++i) kernel->absorb(i);
  return KernelResult(std::move(kernel));
}

constexpr std::string_view kOps[] = {"Resize"};

}  // namespace

extern const KernelFamily family_resize;
constinit const KernelFamily family_resize{"resize", kOps, one_kernel<select>};

}  // namespace polaris::cpu
