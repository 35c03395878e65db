// MatMul and Gemm in float32; a constant right side of float16 stays float16 in memory.
#include <algorithm>
#include <optional>
#include <vector>

#include "backend/cpu/gemm.h"
#include "backend/cpu/kernel.h"
#include "backend/cpu/rows.h"
#include "backend/cpu/weight_panels.h"
#include "base/checked.h"
#include "ir/op_attrs/matmul.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/matmul.h"

namespace polaris::cpu {
namespace {

/// One product of the batch, and where the pieces lie in the workspace (floats).
struct Product {
  const Simd* simd = nullptr;
  std::int64_t m = 0, k = 0, n = 0;
  std::int64_t lda = 0;                  // of a as [m][k]
  MatrixView<float> b;                   // strides of b as [k][n]
  bool a_transposed = false;             // a is [k][m]
  bool packed = false;                   // b was packed when the model was loaded
  bool half = false;                     // as float16
  std::vector<std::int64_t> a_at, b_at;  // of each product of the batch, in elements
  std::int64_t a_elements = 0, b_elements = 0;
  float alpha = 1;

  std::int64_t pad(std::int64_t n_floats) const { return round_up(n_floats, 16); }
  // Workspace: a's rows, b's panels, a transposed.
  std::int64_t rows() const { return pad(m * k); }
  std::int64_t panels() const { return packed ? 0 : packed_elements(k, n); }
  std::int64_t turned() const { return a_transposed ? pad(m * k) : 0; }
  std::int64_t workspace() const { return (rows() + panels() + turned()) * 4; }
};

void multiply(const Product& p, const Launch& l) {
  auto* rows = reinterpret_cast<float*>(l.workspace);
  float* panels = rows + p.rows();
  float* turned = panels + p.panels();
  std::int64_t packed_from = -1;
  for (std::size_t i = 0; i < p.a_at.size(); ++i) {
    GemmCall call;
    call.a = l.in<float>(0) + p.a_at[i];
    call.lda = p.lda;
    if (p.a_transposed) {
      parallel_rows(*l.pool, p.m, p.k, [&](std::int64_t from, std::int64_t to, int) {
        for (std::int64_t r = from; r < to; ++r) {
          for (std::int64_t j = 0; j < p.k; ++j) turned[r * p.k + j] = call.a[j * p.m + r];
        }
      });
      call.a = turned;
      call.lda = p.k;
    }
    if (!p.packed && p.b_at[i] != packed_from) {
      MatrixView<float> b = p.b;
      b.data = l.in<float>(1) + p.b_at[i];
      packed_from = p.b_at[i];
      l.pool->parallel_for(packed_panels(p.n), 2, [&](std::int64_t from, std::int64_t to, int) {
        pack_panels(b, p.k, p.n, from, to, panels);
      });
    }
    call.b = p.packed ? static_cast<const void*>(l.inputs[1]) : panels;
    call.b_is_f16 = p.half;
    call.c = l.out<float>(0) + static_cast<std::int64_t>(i) * p.m * p.n;
    call.ldc = p.n;
    call.m = p.m;
    call.k = p.k;
    call.n = p.n;
    call.scratch = rows;
    gemm(*p.simd, *l.pool, call);
  }
}

/// A constant right operand of a single matrix is packed once.
template <class Body>
KernelResult product_kernel(const char* name, const NodeDesc& node, Product p, Body finish) {
  std::optional<WeightPanels> weight;
  if (p.packed) weight.emplace(*node.inputs[1].constant, p.k, p.n, p.b.n_stride != 1);
  p.half = p.packed && weight->half;
  auto kernel = make_kernel(name, [p, finish](const Launch& l) {
    multiply(p, l);
    finish(p, l);
  });
  if (p.packed) weight->pack_when_loaded(*kernel, 1);
  kernel->set_workspace(p.workspace());
  return KernelResult(std::move(kernel));
}

KernelResult select_matmul(const CpuTarget& target, const NodeDesc& node) {
  const TensorType& a = node.inputs[0].type;
  const TensorType& b = node.inputs[1].type;
  const MatMulGeometry g = matmul_geometry(a.shape, b.shape);
  Product p;
  p.simd = target.simd;
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
  return product_kernel("matmul_f32", node, p, [](const Product&, const Launch&) {});
}

/// y = alpha * y + beta * c, c broadcast to [m, n].
struct GemmEnd {
  float alpha = 1, beta = 1;
  bool has_c = false;
  std::int64_t row_step = 0, column_step = 0;
};

void finish(const Product& p, const GemmEnd& e, const Launch& l, float* y) {
  if (e.alpha == 1.0f && !e.has_c) return;
  const auto add_row = p.simd->binary[kOpAdd - kUnaryCodes];
  parallel_rows(*l.pool, p.m, p.n, [&](std::int64_t from, std::int64_t to, int) {
    for (std::int64_t r = from; r < to; ++r) {
      float* row = y + r * p.n;
      if (e.alpha != 1.0f) p.simd->scale(row, row, p.n, e.alpha);
      if (!e.has_c || e.beta == 0.0f) continue;
      const float* c = l.in<float>(2) + r * e.row_step;
      if (e.beta == 1.0f) {
        add_row(row, 1, c, e.column_step != 0 ? 1 : 0, row, p.n);
      } else if (e.column_step != 0) {
        p.simd->axpy(e.beta, c, row, p.n);
      } else {
        const float add = e.beta * *c;
        add_row(row, 1, &add, 0, row, p.n);
      }
    }
  });
}

KernelResult select_gemm(const CpuTarget& target, const NodeDesc& node) {
  const auto& attrs = node.attributes<GemmAttrs>();
  const Shape& a = node.inputs[0].type.shape;
  const Shape& b = node.inputs[1].type.shape;
  Product p;
  p.simd = target.simd;
  p.m = a[attrs.transA ? 1 : 0];
  p.k = a[attrs.transA ? 0 : 1];
  p.n = b[attrs.transB ? 0 : 1];
  p.lda = p.k;
  p.a_transposed = attrs.transA;
  p.b = attrs.transB ? MatrixView<float>{nullptr, 1, p.k} : MatrixView<float>{nullptr, p.n, 1};
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
  return product_kernel("gemm_f32", node, p, [e](const Product& product, const Launch& l) {
    finish(product, e, l, l.out<float>(0));
  });
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  for (std::size_t i = 0; i < 2; ++i) {
    const TensorType& type = node.inputs[i].type;
    if (type.dtype != DType::kF32 || !type.encoding.is_plain()) {
      return unsupported(node, "operands are not float32");
    }
  }
  return node.op->name == "MatMul" ? select_matmul(target, node) : select_gemm(target, node);
}

constexpr std::string_view kOps[] = {"MatMul", "Gemm"};

}  // namespace

extern const KernelFamily family_matmul;
constinit const KernelFamily family_matmul{"matmul", kOps, one_kernel<select>};

}  // namespace polaris::cpu
