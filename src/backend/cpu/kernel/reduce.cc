// ReduceSum and its kin, ArgMax, ArgMin, CumSum, TopK.
#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <vector>

#include "backend/cpu/convert.h"
#include "backend/cpu/kernel.h"
#include "backend/cpu/rows.h"
#include "ir/op_attrs/reduce.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/extremum.h"
#include "ir/op_util/reduce.h"
#include "tensor/element.h"

namespace polaris::cpu {
namespace {

enum class Reduce : std::uint8_t {
  kSum,
  kMean,
  kMax,
  kMin,
  kProd,
  kL1,
  kL2,
  kSumSquare,
  kLogSum,
  kLogSumExp,
};
struct ReduceName {
  std::string_view op;
  Reduce kind;
};
constexpr ReduceName kNames[] = {
    {"ReduceSum", Reduce::kSum},       {"ReduceMean", Reduce::kMean},
    {"ReduceMax", Reduce::kMax},       {"ReduceMin", Reduce::kMin},
    {"ReduceProd", Reduce::kProd},     {"ReduceL1", Reduce::kL1},
    {"ReduceL2", Reduce::kL2},         {"ReduceSumSquare", Reduce::kSumSquare},
    {"ReduceLogSum", Reduce::kLogSum}, {"ReduceLogSumExp", Reduce::kLogSumExp},
};

constexpr std::int64_t kTile = 256;

/// Sums of a function of the elements, tile by tile.
template <class F>
double tiled_sum(const Simd& simd, const float* x, std::int64_t n, F tile) {
  float buffer[kTile];
  double sum = 0;
  for (std::int64_t i = 0; i < n; i += kTile) {
    const std::int64_t m = std::min(kTile, n - i);
    tile(x + i, buffer, m);
    sum += static_cast<double>(simd.sum(buffer, m));
  }
  return sum;
}

double log_sum_exp(const Simd& simd, const float* x, std::int64_t n) {
  if (n == 0) return -INFINITY;
  const float top = simd.max(x, n);
  if (std::isinf(top)) return static_cast<double>(top);
  float buffer[kTile];
  double sum = 0;
  for (std::int64_t i = 0; i < n; i += kTile) {
    sum += static_cast<double>(simd.exp_sum(x + i, top, buffer, std::min(kTile, n - i)));
  }
  return static_cast<double>(top) + std::log(sum);
}

/// The reduction of one contiguous row.
float reduce_row(const Simd& simd, Reduce kind, const float* x, std::int64_t n) {
  const auto negate = [&](const float* from, float* to, std::int64_t m) {
    simd.unary[kOpNeg](from, to, m, 0, 0);
  };
  switch (kind) {
    case Reduce::kSum: return simd.sum(x, n);
    case Reduce::kMean: return simd.sum(x, n) / static_cast<float>(n);
    case Reduce::kMax: return n == 0 ? -INFINITY : simd.max(x, n);
    case Reduce::kMin: {
      float low = INFINITY;
      float buffer[kTile];
      for (std::int64_t i = 0; i < n; i += kTile) {
        const std::int64_t m = std::min(kTile, n - i);
        negate(x + i, buffer, m);
        const float here = -simd.max(buffer, m);
        if (here < low || std::isnan(here)) low = here;
        if (std::isnan(low)) break;
      }
      return low;
    }
    case Reduce::kProd: {
      double product = 1;
      for (std::int64_t i = 0; i < n; ++i) product *= static_cast<double>(x[i]);
      return static_cast<float>(product);
    }
    case Reduce::kL1:
      return static_cast<float>(
          tiled_sum(simd, x, n, [&](const float* from, float* to, std::int64_t m) {
            simd.unary[kOpAbs](from, to, m, 0, 0);
          }));
    case Reduce::kL2: return std::sqrt(simd.sum_squares(x, 0.0f, n));
    case Reduce::kSumSquare: return simd.sum_squares(x, 0.0f, n);
    case Reduce::kLogSum: return std::log(simd.sum(x, n));
    case Reduce::kLogSumExp: return static_cast<float>(log_sum_exp(simd, x, n));
  }
  return 0;
}

struct ReduceNode {
  const Simd* simd = nullptr;
  Reduce kind = Reduce::kSum;
  ReduceGeometry geometry;
  DType dtype = DType::kF32;
  bool whole = false;  // the elements of a row lie side by side in the input
  std::int64_t rows = 0;
};

/// Offset of row `r` in the input.
std::int64_t row_start(const ReduceGeometry& g, std::int64_t r) {
  std::int64_t at = 0;
  for (int d = g.kept.rank() - 1; d >= 0; --d) {
    at += r % g.kept[d] * g.kept_strides[d];
    r /= g.kept[d];
  }
  return at;
}

/// The row's elements in the order of the axes.
void gather_row(const ReduceNode& node, const std::byte* data, std::int64_t start, float* to) {
  const ReduceGeometry& g = node.geometry;
  if (node.whole) {
    widen(*node.simd, node.dtype, data, start, g.count, to);
    return;
  }
  Walk walk(g.reduced);
  const int at = walk.add(g.reduced_strides, start);
  if (node.dtype == DType::kF32) {
    const auto* x = reinterpret_cast<const float*>(data);
    for (std::int64_t i = 0; i < g.count; ++i, walk.next()) to[i] = x[walk[at]];
    return;
  }
  for (std::int64_t i = 0; i < g.count; ++i, walk.next()) {
    widen(*node.simd, node.dtype, data, walk[at], 1, to + i);
  }
}

bool trailing(const ReduceGeometry& g) {
  std::int64_t stride = 1;
  for (int d = g.reduced.rank() - 1; d >= 0; --d) {
    if (g.reduced[d] != 1 && g.reduced_strides[d] != stride) return false;
    stride *= g.reduced[d];
  }
  return true;
}

KernelResult float_reduce(const CpuTarget& target, const ReduceGeometry& g, Reduce kind,
                          DType dtype) {
  auto node = std::make_shared<ReduceNode>();
  node->simd = target.simd;
  node->kind = kind;
  node->geometry = g;
  node->dtype = dtype;
  node->whole = trailing(g);
  node->rows = g.kept.elements();
  const bool direct = node->whole && dtype == DType::kF32;
  auto kernel = make_kernel(direct ? "reduce_rows_f32" : "reduce_f32", [node,
                                                                        direct](const Launch& l) {
    const std::int64_t count = node->geometry.count;
    parallel_rows(*l.pool, node->rows, count, [&](std::int64_t from, std::int64_t to, int worker) {
      auto* lines = reinterpret_cast<float*>(l.workspace);
      float* line = direct ? nullptr : lines + worker * count;
      for (std::int64_t r = from; r < to; ++r) {
        const std::int64_t start = row_start(node->geometry, r);
        const float* x = l.in<float>(0) + start;
        if (!direct) {
          gather_row(*node, l.inputs[0], start, line);
          x = line;
        }
        const float y = reduce_row(*node->simd, node->kind, x, count);
        narrow(*node->simd, node->dtype, &y, 1, l.outputs[0], r);
      }
    });
  });
  if (!direct) kernel->set_workspace(target.threads * g.count * 4);
  return KernelResult(std::move(kernel));
}

template <class T>
T fold(Reduce kind, T sum, T x) {
  using U = std::uint64_t;
  const auto a = static_cast<U>(sum);
  const auto b = static_cast<U>(x);
  switch (kind) {
    case Reduce::kSum: return static_cast<T>(a + b);
    case Reduce::kProd: return static_cast<T>(a * b);
    case Reduce::kMax: return sum < x ? x : sum;
    case Reduce::kMin: return x < sum ? x : sum;
    case Reduce::kL1: return static_cast<T>(x < T{0} ? a - b : a + b);
    default: return static_cast<T>(a + b * b);
  }
}

template <class T>
KernelResult int_reduce(const ReduceGeometry& g, Reduce kind) {
  T init{0};
  if (kind == Reduce::kProd) init = 1;
  if (kind == Reduce::kMax) init = std::numeric_limits<T>::min();
  if (kind == Reduce::kMin) init = std::numeric_limits<T>::max();
  return KernelResult(make_kernel("reduce_integer", [g, kind, init](const Launch& l) {
    parallel_rows(*l.pool, g.kept.elements(), g.count,
                  [&](std::int64_t from, std::int64_t to, int) {
                    for (std::int64_t r = from; r < to; ++r) {
                      Walk walk(g.reduced);
                      const int at = walk.add(g.reduced_strides, row_start(g, r));
                      T sum = init;
                      for (std::int64_t i = 0; i < g.count; ++i, walk.next()) {
                        sum = fold(kind, sum, l.in<T>(0)[walk[at]]);
                      }
                      l.out<T>(0)[r] = sum;
                    }
                  });
  }));
}

KernelResult reduce_of_type(const CpuTarget& target, const NodeDesc& node, const ReduceGeometry& g,
                            Reduce kind) {
  const DType dtype = node.inputs[0].type.dtype;
  if (is_short_float(dtype)) return float_reduce(target, g, kind, dtype);
  const bool folds = kind == Reduce::kSum || kind == Reduce::kProd || kind == Reduce::kMax ||
                     kind == Reduce::kMin || kind == Reduce::kL1 || kind == Reduce::kSumSquare;
  if (!folds) return unsupported(node, "integers or float64 in this reduction");
  switch (dtype) {
    case DType::kI8: return int_reduce<std::int8_t>(g, kind);
    case DType::kU8: return int_reduce<std::uint8_t>(g, kind);
    case DType::kI32: return int_reduce<std::int32_t>(g, kind);
    case DType::kU32: return int_reduce<std::uint32_t>(g, kind);
    case DType::kI64: return int_reduce<std::int64_t>(g, kind);
    case DType::kU64: return int_reduce<std::uint64_t>(g, kind);
    default: return unsupported(node, "this type");
  }
}

KernelResult select_reduce(const CpuTarget& target, const NodeDesc& node, Reduce kind) {
  const auto axes = known_ints(node, 1);
  if (!axes) return unsupported(node, "the axes are not known");
  const auto& attrs = node.attributes<ReduceAttrs>();
  const auto g = reduce_geometry(node.inputs[0].type.shape, *axes, attrs.noop_with_empty_axes);
  if (!g) return unsupported(node, "axes out of range");
  auto kernel = reduce_of_type(target, node, *g, kind);
  if (kernel && has_input(node, 1) && node.inputs[1].constant != nullptr) (*kernel)->absorb(1);
  return kernel;
}

/// A stored element as a number that can be compared.
template <class T>
auto number(T v) {
  if constexpr (std::is_arithmetic_v<T>) {
    return v;
  } else {
    return to_f64(v);
  }
}

template <class T>
KernelResult arg_kernel(const AxisSplit& s, bool largest, bool last) {
  return KernelResult(make_kernel("arg_reduce", [s, largest, last](const Launch& l) {
    parallel_rows(*l.pool, s.outer * s.inner, s.size, [&](std::int64_t from, std::int64_t to, int) {
      for (std::int64_t r = from; r < to; ++r) {
        const T* x = l.in<T>(0) + r / s.inner * s.size * s.inner + r % s.inner;
        std::int64_t best = 0;
        for (std::int64_t k = 1; k < s.size; ++k) {
          const auto here = number(x[k * s.inner]);
          const auto there = number(x[best * s.inner]);
          if (last ? !beats(there, here, largest) : beats(here, there, largest)) best = k;
        }
        l.out<std::int64_t>(0)[r] = best;
      }
    });
  }));
}

template <class T>
KernelResult cum_kernel(const AxisSplit& s, bool exclusive, bool reverse) {
  return KernelResult(make_kernel("cum_sum", [s, exclusive, reverse](const Launch& l) {
    parallel_rows(*l.pool, s.outer * s.inner, s.size, [&](std::int64_t from, std::int64_t to, int) {
      using Sum = std::conditional_t<std::is_integral_v<T>, std::uint64_t, double>;
      for (std::int64_t r = from; r < to; ++r) {
        const std::int64_t base = r / s.inner * s.size * s.inner + r % s.inner;
        Sum sum{0};
        for (std::int64_t k = 0; k < s.size; ++k) {
          const std::int64_t at = base + (reverse ? s.size - 1 - k : k) * s.inner;
          const auto x = static_cast<Sum>(l.in<T>(0)[at]);
          l.out<T>(0)[at] = static_cast<T>(exclusive ? sum : sum + x);
          sum += x;
        }
      }
    });
  }));
}

/// One line at a time: indices in the worker's workspace, the k best sorted to its front.
template <class T>
void top_k_line(const AxisSplit& s, std::int64_t k, bool largest, const Launch& l, std::int64_t r,
                std::int64_t* index) {
  const T* x = l.in<T>(0) + r / s.inner * s.size * s.inner + r % s.inner;
  std::iota(index, index + s.size, std::int64_t{0});
  std::partial_sort(index, index + k, index + s.size, [&](std::int64_t a, std::int64_t b) {
    const int o = sort_order(number(x[a * s.inner]), number(x[b * s.inner]));
    if (o == 0) return a < b;  // of equals the lower index comes first
    return largest ? o > 0 : o < 0;
  });
  const std::int64_t to = r / s.inner * k * s.inner + r % s.inner;
  for (std::int64_t i = 0; i < k; ++i) {
    l.out<T>(0)[to + i * s.inner] = x[index[i] * s.inner];
    if (l.outputs[1] != nullptr) l.out<std::int64_t>(1)[to + i * s.inner] = index[i];
  }
}

template <class T>
KernelResult top_k_kernel(const CpuTarget& target, const AxisSplit& s, std::int64_t k,
                          bool largest) {
  auto kernel = make_kernel("top_k", [s, k, largest](const Launch& l) {
    parallel_rows(*l.pool, s.outer * s.inner, s.size,
                  [&](std::int64_t from, std::int64_t to, int worker) {
                    auto* index = reinterpret_cast<std::int64_t*>(l.workspace) + worker * s.size;
                    for (std::int64_t r = from; r < to; ++r) {
                      top_k_line<T>(s, k, largest, l, r, index);
                    }
                  });
  });
  kernel->set_workspace(target.threads * s.size * 8);
  return KernelResult(std::move(kernel));
}

KernelResult select_line_op(const CpuTarget& target, const NodeDesc& node) {
  const TensorType& type = node.inputs[0].type;
  std::int64_t axis = -1;
  if (node.op->name == "CumSum") {
    const auto known = known_ints(node, 1);
    if (!known || known->size() != 1) return unsupported(node, "the axis is not known");
    axis = (*known)[0];
  } else if (node.op->name == "TopK") {
    axis = node.attributes<TopKAttrs>().axis;
  } else {
    axis = node.attributes<ArgReduceAttrs>().axis;
  }
  const auto at = normalize_axis(axis, type.shape.rank());
  if (!at) return unsupported(node, "axis out of range");
  const AxisSplit s = split_at(type.shape, *at);
  return with_dtype(type.dtype, [&](auto tag) -> KernelResult {
    using T = decltype(tag);
    if (node.op->name == "TopK") {
      if (type.dtype == DType::kBool) return unsupported(node, "bool");
      return top_k_kernel<T>(target, s, node.outputs[0].type.shape[*at],
                             node.attributes<TopKAttrs>().largest);
    }
    if (node.op->name == "CumSum") {
      const auto& attrs = node.attributes<CumSumAttrs>();
      if constexpr (std::is_arithmetic_v<T>) {
        return cum_kernel<T>(s, attrs.exclusive, attrs.reverse);
      } else {
        return unsupported(node, "half-precision sums");
      }
    }
    return arg_kernel<T>(s, node.op->name == "ArgMax",
                         node.attributes<ArgReduceAttrs>().select_last_index);
  });
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  for (const ReduceName& name : kNames) {
    if (name.op == node.op->name) return select_reduce(target, node, name.kind);
  }
  return select_line_op(target, node);
}

constexpr std::string_view kOps[] = {
    "ReduceSum", "ReduceMean", "ReduceMax",       "ReduceMin",    "ReduceProd",
    "ReduceL1",  "ReduceL2",   "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp",
    "ArgMax",    "ArgMin",     "CumSum",          "TopK"};

}  // namespace

extern const KernelFamily family_reduce;
constinit const KernelFamily family_reduce{"reduce", kOps, one_kernel<select>};

}  // namespace polaris::cpu
