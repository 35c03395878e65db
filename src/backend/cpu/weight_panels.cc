#include "backend/cpu/weight_panels.h"

#include <algorithm>
#include <vector>

#include "backend/cpu/gemm.h"
#include "backend/cpu/weights.h"

namespace polaris::cpu {
namespace {

template <class T>
MatrixView<T> view_of(const WeightPanels& p, const T* data) {
  return p.transposed ? MatrixView<T>{data, 1, p.k} : MatrixView<T>{data, p.n, 1};
}

/// The matrix whose elements start at `first`.
void pack_matrix(const WeightPanels& p, const Constant& weight, std::int64_t first,
                 std::byte* out) {
  const std::int64_t panels = packed_panels(p.n);
  if (p.half) {
    pack_panels(view_of(p, weight.data.data<std::uint16_t>() + first), p.k, p.n, 0, panels,
                reinterpret_cast<std::uint16_t*>(out));
    return;
  }
  auto* to = reinterpret_cast<float*>(out);
  if (!p.transposed) {
    std::vector<float> plain(static_cast<std::size_t>(p.k * p.n));
    decode_constant(weight, first, p.k * p.n, plain.data());
    pack_panels(view_of<float>(p, plain.data()), p.k, p.n, 0, panels, to);
    return;
  }
  // A panel's columns lie side by side, so that no more than these are ever decoded at once.
  std::vector<float> columns(static_cast<std::size_t>(kPanel * p.k));
  for (std::int64_t i = 0; i < panels; ++i) {
    const std::int64_t count = std::min<std::int64_t>(kPanel, p.n - i * kPanel);
    decode_constant(weight, first + i * kPanel * p.k, count * p.k, columns.data());
    pack_panels(view_of<float>(p, columns.data()), p.k, count, 0, 1, to + i * p.k * kPanel);
  }
}

}  // namespace

WeightPanels::WeightPanels(const Constant& weight, std::int64_t depth, std::int64_t columns,
                           bool is_transposed, std::int64_t count)
    : half(weight.data.type().encoding.is_plain() && weight.data.dtype() == DType::kF16),
      k(depth),
      n(columns),
      transposed(is_transposed),
      matrices(count) {}

std::int64_t WeightPanels::matrix_bytes() const { return packed_elements(k, n) * (half ? 2 : 4); }

void WeightPanels::pack_when_loaded(CpuKernel& kernel, int input) const {
  std::string layout = std::string(half ? "f16" : "f32") + (transposed ? "_p16" : "_kn_p16");
  if (matrices > 1) layout += "_x" + std::to_string(matrices);
  kernel.set_packing(input, layout, matrices * matrix_bytes(),
                     [p = *this](const Constant& weight, std::span<std::byte> out) {
                       for (std::int64_t i = 0; i < p.matrices; ++i) {
                         pack_matrix(p, weight, i * p.k * p.n, out.data() + i * p.matrix_bytes());
                       }
                       return Status::success();
                     });
}

}  // namespace polaris::cpu
