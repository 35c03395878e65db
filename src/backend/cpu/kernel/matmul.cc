// MatMul and Gemm in float32 (half-precision operands widened).
#include <algorithm>
#include <memory>
#include <vector>

#include "backend/cpu/convert.h"
#include "backend/cpu/gemm.h"
#include "backend/cpu/kernel.h"
#include "backend/cpu/rows.h"
#include "backend/cpu/weights.h"
#include "base/checked.h"
#include "ir/op_attrs/matmul.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/matmul.h"

namespace polaris::cpu {
namespace {

/// One product of the batch, and where the pieces lie in the workspace (floats).
struct Product {
  const Simd* simd = nullptr;
  DType dtype = DType::kF32;
  std::int64_t m = 0, k = 0, n = 0;
  std::int64_t lda = 0;                  // of a as [m][k]
  MatrixView b;                          // strides of b as [k][n]
  bool a_transposed = false;             // a is [k][m]
  bool packed = false;                   // b was packed when the model was loaded
  std::vector<std::int64_t> a_at, b_at;  // of each product of the batch, in elements
  std::int64_t a_elements = 0, b_elements = 0;
  float alpha = 1;

  bool widens() const { return dtype != DType::kF32; }
  std::int64_t pad(std::int64_t n_floats) const { return round_up(n_floats, 16); }
  // Workspace: a, b and y as float32 where they are not, then a's rows, b's panels, a transposed.
  std::int64_t wide_a() const { return widens() ? pad(a_elements) : 0; }
  std::int64_t wide_b() const { return widens() && !packed ? pad(b_elements) : 0; }
  std::int64_t wide_y() const {
    return widens() ? pad(static_cast<std::int64_t>(a_at.size()) * m * n) : 0;
  }
  std::int64_t rows() const { return pad(m * k); }
  std::int64_t panels() const { return packed ? 0 : packed_elements(k, n); }
  std::int64_t turned() const { return a_transposed ? pad(m * k) : 0; }
  std::int64_t workspace() const {
    return (wide_a() + wide_b() + wide_y() + rows() + panels() + turned()) * 4;
  }
};

struct Pieces {
  const float* a;
  const float* b;
  float* y;
  float* rows;
  float* panels;
  float* turned;
};

Pieces open(const Product& p, const Launch& l) {
  auto* w = reinterpret_cast<float*>(l.workspace);
  Pieces out{l.in<float>(0), l.in<float>(1), l.out<float>(0), nullptr, nullptr, nullptr};
  if (p.widens()) {
    widen_all(*p.simd, *l.pool, p.dtype, l.inputs[0], p.a_elements, w);
    out.a = w;
    if (!p.packed) {
      widen_all(*p.simd, *l.pool, p.dtype, l.inputs[1], p.b_elements, w + p.wide_a());
      out.b = w + p.wide_a();
    }
    out.y = w + p.wide_a() + p.wide_b();
  }
  w += p.wide_a() + p.wide_b() + p.wide_y();
  out.rows = w;
  out.panels = w + p.rows();
  out.turned = out.panels + p.panels();
  return out;
}

void multiply(const Product& p, const Launch& l) {
  const Pieces w = open(p, l);
  std::int64_t packed_from = -1;
  for (std::size_t i = 0; i < p.a_at.size(); ++i) {
    GemmCall call;
    call.a = w.a + p.a_at[i];
    call.lda = p.lda;
    if (p.a_transposed) {
      parallel_rows(*l.pool, p.m, p.k, [&](std::int64_t from, std::int64_t to, int) {
        for (std::int64_t r = from; r < to; ++r) {
          for (std::int64_t j = 0; j < p.k; ++j) w.turned[r * p.k + j] = call.a[j * p.m + r];
        }
      });
      call.a = w.turned;
      call.lda = p.k;
    }
    if (!p.packed && p.b_at[i] != packed_from) {
      MatrixView b = p.b;
      b.data = w.b + p.b_at[i];
      packed_from = p.b_at[i];
      l.pool->parallel_for(packed_panels(p.n), 2, [&](std::int64_t from, std::int64_t to, int) {
        pack_panels(b, p.k, p.n, from, to, w.panels);
      });
    }
    call.b = p.packed ? static_cast<const void*>(l.inputs[1]) : w.panels;
    call.c = w.y + static_cast<std::int64_t>(i) * p.m * p.n;
    call.ldc = p.n;
    call.m = p.m;
    call.k = p.k;
    call.n = p.n;
    call.scratch = w.rows;
    gemm(*p.simd, *l.pool, call);
  }
}

void close(const Product& p, const Launch& l) {
  if (!p.widens()) return;
  const float* y = reinterpret_cast<const float*>(l.workspace) + p.wide_a() + p.wide_b();
  narrow_all(*p.simd, *l.pool, p.dtype, y, static_cast<std::int64_t>(p.a_at.size()) * p.m * p.n,
             l.outputs[0]);
}

/// A constant right operand of a single matrix is packed once.
void pack_constant(CpuKernel& kernel, const Product& p) {
  kernel.set_packing(1, p.b.n_stride == 1 ? "f32_kn_p16" : "f32_p16", packed_elements(p.k, p.n) * 4,
                     [b = p.b, k = p.k, n = p.n](const Constant& weight, std::span<std::byte> out) {
                       std::vector<float> plain(static_cast<std::size_t>(k * n));
                       decode_constant(weight, 0, k * n, plain.data());
                       MatrixView view = b;
                       view.data = plain.data();
                       pack_panels(view, k, n, 0, packed_panels(n),
                                   reinterpret_cast<float*>(out.data()));
                       return Status::success();
                     });
}

KernelResult select_matmul(const CpuTarget& target, const NodeDesc& node) {
  const TensorType& a = node.inputs[0].type;
  const TensorType& b = node.inputs[1].type;
  const MatMulGeometry g = matmul_geometry(a.shape, b.shape);
  Product p;
  p.simd = target.simd;
  p.dtype = a.dtype;
  p.m = g.m;
  p.k = g.k;
  p.n = g.n;
  p.lda = g.k;
  p.b = {nullptr, g.n, 1};
  p.a_elements = a.shape.elements();
  p.b_elements = b.shape.elements();
  Walk walk(g.batch);
  const int at_a = walk.add(g.a_strides);
  const int at_b = walk.add(g.b_strides);
  for (std::int64_t i = 0, count = walk.size(); i < count; ++i, walk.next()) {
    p.a_at.push_back(walk[at_a]);
    p.b_at.push_back(walk[at_b]);
  }
  // One right matrix for all: the batch is only more rows.
  const bool one_b = p.b_elements == p.k * p.n;
  if (one_b && p.a_elements == static_cast<std::int64_t>(p.a_at.size()) * p.m * p.k) {
    p.m *= static_cast<std::int64_t>(p.a_at.size());
    p.a_at.assign(p.m > 0 ? 1 : 0, 0);
    p.b_at = p.a_at;
  }
  p.packed = node.inputs[1].constant != nullptr && one_b && p.b_elements > 0;
  auto kernel = make_kernel("matmul_f32", [p](const Launch& l) {
    multiply(p, l);
    close(p, l);
  });
  if (p.packed) pack_constant(*kernel, p);
  kernel->set_workspace(p.workspace());
  return KernelResult(std::move(kernel));
}

/// y = alpha * y + beta * c, c broadcast to [m, n].
struct GemmEnd {
  float alpha = 1, beta = 1;
  bool has_c = false;
  std::int64_t row_step = 0, column_step = 0;
};

void finish(const Product& p, const GemmEnd& e, const Launch& l, float* y) {
  if (e.alpha == 1.0f && !e.has_c) return;
  const auto scale = p.simd->unary[static_cast<int>(Unary::kScale)];
  parallel_rows(*l.pool, p.m, p.n, [&](std::int64_t from, std::int64_t to, int) {
    for (std::int64_t r = from; r < to; ++r) {
      float* row = y + r * p.n;
      if (e.alpha != 1.0f) scale(row, row, p.n, e.alpha, 0);
      if (!e.has_c || e.beta == 0.0f) continue;
      const float* c = l.in<float>(2) + r * e.row_step;
      if (e.beta == 1.0f) {
        p.simd->binary[static_cast<int>(Binary::kAdd)](row, 1, c, e.column_step != 0 ? 1 : 0, row,
                                                       p.n);
      } else if (e.column_step != 0) {
        p.simd->axpy(e.beta, c, row, p.n);
      } else {
        const float add = e.beta * *c;
        p.simd->binary[static_cast<int>(Binary::kAdd)](row, 1, &add, 0, row, p.n);
      }
    }
  });
}

KernelResult select_gemm(const CpuTarget& target, const NodeDesc& node) {
  const auto& attrs = static_cast<const GemmAttrs&>(*node.attrs);
  const Shape& a = node.inputs[0].type.shape;
  const Shape& b = node.inputs[1].type.shape;
  if (node.inputs[0].type.dtype != DType::kF32) return unsupported(node, "operands not float32");
  Product p;
  p.simd = target.simd;
  p.m = a[attrs.transA ? 1 : 0];
  p.k = a[attrs.transA ? 0 : 1];
  p.n = b[attrs.transB ? 0 : 1];
  p.lda = p.k;
  p.a_transposed = attrs.transA;
  p.b = attrs.transB ? MatrixView{nullptr, 1, p.k} : MatrixView{nullptr, p.n, 1};
  p.a_elements = p.m * p.k;
  p.b_elements = p.k * p.n;
  p.a_at = {0};
  p.b_at = {0};
  p.packed = node.inputs[1].constant != nullptr && p.b_elements > 0;
  GemmEnd e;
  e.alpha = attrs.alpha;
  e.beta = attrs.beta;
  e.has_c = node.inputs.size() > 2 && node.inputs[2].present;
  if (e.has_c) {
    const Shape& c = node.inputs[2].type.shape;
    const std::int64_t columns = c.rank() > 0 ? c.back() : 1;
    const std::int64_t rows = c.rank() > 1 ? c[c.rank() - 2] : 1;
    e.column_step = columns > 1 ? 1 : 0;
    e.row_step = rows > 1 ? columns : 0;
  }
  auto kernel = make_kernel("gemm_f32", [p, e](const Launch& l) {
    multiply(p, l);
    finish(p, e, l, l.out<float>(0));
  });
  if (p.packed) pack_constant(*kernel, p);
  kernel->set_workspace(p.workspace());
  return KernelResult(std::move(kernel));
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  for (std::size_t i = 0; i < 2; ++i) {
    const TensorType& type = node.inputs[i].type;
    if (!is_short_float(type.dtype) || !type.encoding.is_plain()) {
      return unsupported(node, "operands are no plain floats of at most 32 bits");
    }
  }
  return node.op->name == "MatMul" ? select_matmul(target, node) : select_gemm(target, node);
}

constexpr std::string_view kOps[] = {"MatMul", "Gemm"};

}  // namespace

extern const KernelFamily family_matmul;
constinit const KernelFamily family_matmul{kOps, select};

}  // namespace polaris::cpu
