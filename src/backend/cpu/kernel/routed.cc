// polaris.RoutedMatMul: each row of x times the matrix of the expert that was chosen for it. The
// rows of one expert are multiplied together.
#include <algorithm>
#include <cstring>
#include <string>

#include "backend/cpu/gemm.h"
#include "backend/cpu/kernel.h"
#include "backend/cpu/quant_gemm.h"
#include "backend/cpu/quant_pack.h"
#include "backend/cpu/rows.h"
#include "backend/cpu/weight_panels.h"
#include "base/checked.h"

namespace polaris::cpu {
namespace {

constexpr std::int64_t kAlign = 64;

struct RoutedShape {
  std::int64_t tokens = 0;
  std::int64_t used = 0;  // experts a token
  std::int64_t experts = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  bool shared = false;  // one row of x a token
  bool wide = false;    // ids of 64 bits
  bool skips = false;   // matrix 0 is zeros: rows without an adapter have it

  std::int64_t rows() const { return tokens * used; }
  /// A token's rows are multiplied one by one, where they stand.
  bool grouped() const { return tokens > 1; }
  std::int64_t rows_max() const { return grouped() ? rows() : 1; }
  /// Rows that an expert has in the mean: by the plan alone, so that a row comes out the same
  /// whatever its neighbours chose.
  std::int64_t usual_rows() const { return ceil_div(rows(), experts); }
  std::int64_t x_row(std::int64_t row) const { return shared ? row / used : row; }
};

/// Where things stand in the workspace.
struct RoutedSpace {
  std::int64_t starts = 0;  // of each expert in `order`, and the end
  std::int64_t order = 0;   // rows, those of an expert side by side
  std::int64_t x = 0;       // in that order
  std::int64_t y = 0;
  std::int64_t product = 0;
  std::int64_t size = 0;

  RoutedSpace(const RoutedShape& s, std::int64_t product_bytes) {
    const auto take = [&](std::int64_t bytes) {
      const std::int64_t at = size;
      size = round_up(size + bytes, kAlign);
      return at;
    };
    starts = take((s.experts + 1) * 8);
    order = take(s.rows() * 8);
    if (s.grouped()) {
      x = take(s.rows() * s.k * 4);
      y = take(s.rows() * s.n * 4);
    }
    product = take(product_bytes);
  }
};

std::int64_t load_id(const Launch& l, const RoutedShape& s, std::int64_t row) {
  return s.wide ? l.in<std::int64_t>(2)[row] : l.in<std::int32_t>(2)[row];
}
std::int64_t expert_of(const Launch& l, const RoutedShape& s, std::int64_t row) {
  const std::int64_t given = load_id(l, s, row);
  return given < 0 ? given + s.experts : given;
}

Status check_ids(const Launch& l, const RoutedShape& s) {
  for (std::int64_t row = 0; row < s.rows(); ++row) {
    const std::int64_t given = load_id(l, s, row);
    if (given < s.experts && given >= -s.experts) continue;
    return Error::invalid("[RoutedMatMul] index, got " + std::to_string(given) +
                          ", wanted one below " + std::to_string(s.experts));
  }
  return Status::success();
}

/// The rows of each expert, in the order of rows.
void sort_rows(const Launch& l, const RoutedShape& s, std::int64_t* starts, std::int64_t* order) {
  std::fill_n(starts, s.experts + 1, 0);
  for (std::int64_t row = 0; row < s.rows(); ++row) ++starts[expert_of(l, s, row) + 1];
  for (std::int64_t e = 0; e < s.experts; ++e) starts[e + 1] += starts[e];
  for (std::int64_t row = 0; row < s.rows(); ++row) order[starts[expert_of(l, s, row)]++] = row;
  // Each start has become the next one's.
  for (std::int64_t e = s.experts; e > 0; --e) starts[e] = starts[e - 1];
  starts[0] = 0;
}

/// Whether one expert has all rows, and they stand side by side.
bool one_for_all(const Launch& l, const RoutedShape& s) {
  if (s.shared && s.used > 1) return false;
  for (std::int64_t row = 1; row < s.rows(); ++row) {
    if (expert_of(l, s, row) != expert_of(l, s, 0)) return false;
  }
  return true;
}

/// `multiply(l, expert, x, m, y, scratch)` multiplies m rows.
template <class Multiply>
Status run_routed(const Launch& l, const RoutedShape& s, const RoutedSpace& at,
                  const Multiply& multiply) {
  if (Status status = check_ids(l, s); !status) return status;
  std::byte* scratch = l.workspace + at.product;
  const auto* x = l.in<float>(0);
  auto* y = l.out<float>(0);
  const auto product = [&](std::int64_t expert, const float* from, std::int64_t m, float* to) {
    if (s.skips && expert == 0) {
      std::fill_n(to, m * s.n, 0.0f);
    } else {
      multiply(l, expert, from, m, to, scratch);
    }
  };
  if (!s.grouped()) {
    for (std::int64_t row = 0; row < s.rows(); ++row) {
      product(expert_of(l, s, row), x + s.x_row(row) * s.k, 1, y + row * s.n);
    }
    return Status::success();
  }
  if (one_for_all(l, s)) {
    product(expert_of(l, s, 0), x, s.rows(), y);
    return Status::success();
  }
  auto* starts = reinterpret_cast<std::int64_t*>(l.workspace + at.starts);
  auto* order = reinterpret_cast<std::int64_t*>(l.workspace + at.order);
  auto* own_x = reinterpret_cast<float*>(l.workspace + at.x);
  auto* own_y = reinterpret_cast<float*>(l.workspace + at.y);
  sort_rows(l, s, starts, order);
  parallel_rows(*l.pool, s.rows(), s.k, [&](std::int64_t from, std::int64_t to, int) {
    for (std::int64_t i = from; i < to; ++i) {
      std::copy_n(x + s.x_row(order[i]) * s.k, s.k, own_x + i * s.k);
    }
  });
  for (std::int64_t e = 0; e < s.experts; ++e) {
    const std::int64_t first = starts[e];
    const std::int64_t m = starts[e + 1] - first;
    if (m > 0) product(e, own_x + first * s.k, m, own_y + first * s.n);
  }
  parallel_rows(*l.pool, s.rows(), s.n, [&](std::int64_t from, std::int64_t to, int) {
    for (std::int64_t i = from; i < to; ++i) {
      std::copy_n(own_y + i * s.n, s.n, y + order[i] * s.n);
    }
  });
  return Status::success();
}

template <class Multiply>
std::shared_ptr<CpuKernel> make_routed(const std::string& weights, const RoutedShape& s,
                                       std::int64_t product_bytes, Multiply multiply) {
  const RoutedSpace at(s, product_bytes);
  auto kernel = make_kernel("routed_" + weights, [s, at, multiply](const Launch& l) {
    return run_routed(l, s, at, multiply);
  });
  kernel->set_workspace(at.size);
  return kernel;
}

std::shared_ptr<CpuKernel> float_kernel(const CpuTarget& target, const RoutedShape& s,
                                        const Constant& weight) {
  const WeightPanels panels(weight, s.k, s.n, true, s.experts);
  auto kernel = make_routed(
      panels.half ? "f16" : "f32", s, s.rows_max() * s.k * 4,
      [s, panels, simd = target.simd](const Launch& l, std::int64_t expert, const float* x,
                                      std::int64_t m, float* y, std::byte* scratch) {
        GemmCall call;
        call.a = x;
        call.lda = s.k;
        call.b = l.inputs[1] + expert * panels.matrix_bytes();
        call.b_is_f16 = panels.half;
        call.c = y;
        call.ldc = s.n;
        call.m = m;
        call.k = s.k;
        call.n = s.n;
        call.scratch = reinterpret_cast<float*>(scratch);
        gemm(*simd, *l.pool, call);
      });
  panels.pack_when_loaded(*kernel, 1);
  return kernel;
}

std::shared_ptr<CpuKernel> block_kernel(const CpuTarget& target, const RoutedShape& s,
                                        BlockFormat format) {
  const BlockFormatInfo& info = block_format_info(format);
  const std::string name(info.name);
  const bool packs = quant_packs(format);
  const std::int64_t file_bytes = s.n * (s.k / info.block_elements) * info.block_bytes;
  const std::int64_t matrix_bytes = packs ? quant_packed_bytes(format, s.n, s.k) : file_bytes;
  const std::int64_t scratch_bytes =
      quant_scratch_bytes(*target.quant, format, s.rows_max(), s.k, s.usual_rows());
  auto kernel = make_routed(name, s, scratch_bytes,
                            [s, format, matrix_bytes, simd = target.simd, quant = target.quant](
                                const Launch& l, std::int64_t expert, const float* x,
                                std::int64_t m, float* y, std::byte* scratch) {
                              quant_gemm(*simd, *quant, *l.pool,
                                         {x, l.inputs[1] + expert * matrix_bytes, format, y, m, s.k,
                                          s.n, nullptr, scratch, s.usual_rows()});
                            });
  if (!packs) return kernel;
  kernel->set_packing(
      1, name + "_p16_x" + std::to_string(s.experts), s.experts * matrix_bytes,
      [s, format, file_bytes, matrix_bytes](const Constant& weight, std::span<std::byte> out) {
        for (std::int64_t e = 0; e < s.experts; ++e) {
          quant_pack(format, s.n, s.k, weight.data.bytes().data() + e * file_bytes,
                     out.subspan(static_cast<std::size_t>(e * matrix_bytes),
                                 static_cast<std::size_t>(matrix_bytes)));
        }
        return Status::success();
      });
  return kernel;
}

bool first_is_zero(const Constant& weight, std::int64_t experts) {
  const TensorType& type = weight.data.type();
  if (!type.encoding.is_plain()) return false;
  const auto bytes = weight.data.bytes();
  const auto first = bytes.first(bytes.size() / static_cast<std::size_t>(experts));
  return std::ranges::all_of(first, [](std::byte b) { return b == std::byte{}; });
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  const TensorType& x = node.inputs[0].type;
  const OperandDesc& w = node.inputs[1];
  const TensorType& ids = node.inputs[2].type;
  if (x.dtype != DType::kF32) return unsupported(node, "x is not float32");
  if (w.constant == nullptr) return unsupported(node, "the experts' weights are no constant");
  RoutedShape s{ids.shape[0],    ids.shape[1],    w.type.shape[0],         w.type.shape[1],
                w.type.shape[2], x.shape[1] == 1, ids.dtype == DType::kI64};
  if (s.rows() == 0 || s.experts == 0) return unsupported(node, "no rows or no experts");
  s.skips = first_is_zero(*w.constant, s.experts);
  if (w.type.encoding.is_block()) return block_kernel(target, s, w.type.encoding.format);
  return float_kernel(target, s, *w.constant);
}

constexpr std::string_view kOps[] = {"polaris.RoutedMatMul"};

}  // namespace

extern const KernelFamily family_routed;
constinit const KernelFamily family_routed{"routed", kOps, one_kernel<select>};

}  // namespace polaris::cpu
