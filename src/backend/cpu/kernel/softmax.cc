// Softmax, LogSoftmax and Hardmax along one axis.
#include <cmath>
#include <cstring>
#include <vector>

#include "backend/cpu/convert.h"
#include "backend/cpu/kernel.h"
#include "backend/cpu/rows.h"
#include "ir/op_attrs/normalization.h"

namespace polaris::cpu {
namespace {

enum class Kind : std::uint8_t { kSoftmax, kLog, kHard };

void softmax_row(const Simd& simd, Kind kind, const float* x, float* y, std::int64_t n) {
  const float top = simd.max(x, n);
  if (kind == Kind::kHard) {
    bool found = false;
    const bool nan = std::isnan(top);
    for (std::int64_t i = 0; i < n; ++i) {
      const bool here = !found && (nan ? std::isnan(x[i]) : x[i] == top);
      found = found || here;
      y[i] = here ? 1.0f : 0.0f;
    }
    return;
  }
  if (kind == Kind::kSoftmax) {
    const float sum = simd.exp_sum(x, top, y, n);
    simd.scale(y, y, n, 1.0f / sum);
    return;
  }
  // y may be x: the sum needs the exponentials only for a moment.
  constexpr std::int64_t kTile = 256;
  float tile[kTile];
  double sum = 0;
  for (std::int64_t i = 0; i < n; i += kTile) {
    sum += static_cast<double>(simd.exp_sum(x + i, top, tile, std::min(kTile, n - i)));
  }
  simd.affine(x, top + static_cast<float>(std::log(sum)), 1.0f, nullptr, nullptr, y, n);
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  const TensorType& type = node.inputs[0].type;
  if (!is_short_float(type.dtype)) return unsupported(node, "x is no float of at most 32 bits");
  const auto axis = normalize_axis(node.attributes<SoftmaxAttrs>().axis, type.shape.rank());
  if (!axis) return unsupported(node, "axis out of range");
  const Kind kind = node.op->name == "Softmax"      ? Kind::kSoftmax
                    : node.op->name == "LogSoftmax" ? Kind::kLog
                                                    : Kind::kHard;
  const std::int64_t n = type.shape[*axis];
  const std::int64_t inner = type.shape.elements_between(*axis + 1, type.shape.rank());
  const std::int64_t rows = type.shape.elements_between(0, *axis) * inner;
  const bool direct = inner == 1 && type.dtype == DType::kF32;
  auto kernel = make_kernel("softmax_f32", [simd = target.simd, dtype = type.dtype, kind, n, inner,
                                            rows, direct](const Launch& l) {
    if (n == 0) return;
    parallel_rows(*l.pool, rows, n, [&](std::int64_t from, std::int64_t to, int worker) {
      float* line = direct ? nullptr : reinterpret_cast<float*>(l.workspace) + worker * n;
      for (std::int64_t r = from; r < to; ++r) {
        if (direct) {
          softmax_row(*simd, kind, l.in<float>(0) + r * n, l.out<float>(0) + r * n, n);
          continue;
        }
        if (inner == 1) {
          widen(*simd, dtype, l.inputs[0], r * n, n, line);
          softmax_row(*simd, kind, line, line, n);
          narrow(*simd, dtype, line, n, l.outputs[0], r * n);
          continue;
        }
        const std::int64_t first = r / inner * n * inner + r % inner;
        for (std::int64_t i = 0; i < n; ++i) {
          widen(*simd, dtype, l.inputs[0], first + i * inner, 1, line + i);
        }
        softmax_row(*simd, kind, line, line, n);
        for (std::int64_t i = 0; i < n; ++i) {
          narrow(*simd, dtype, line + i, 1, l.outputs[0], first + i * inner);
        }
      }
    });
  });
  if (!direct) kernel->set_workspace(target.threads * n * 4);
  return KernelResult(std::move(kernel));
}

constexpr std::string_view kOps[] = {"Softmax", "LogSoftmax", "Hardmax"};

}  // namespace

extern const KernelFamily family_softmax;
constinit const KernelFamily family_softmax{"softmax", kOps, one_kernel<select>};

}  // namespace polaris::cpu
