#include <cmath>
#include <utility>

#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/work.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kFloatTypes), check_rank(c, 0, 2)); !s) return s;
  Shape out = c.in(0).shape;
  const std::int64_t columns = out.back();
  if (auto s = check_dims(c, "rows of the matrices", out[out.rank() - 2], columns); !s) return s;
  out.erase(out.rank() - 1);
  out.erase(out.rank() - 1);
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

/// By elimination with the largest pivot of each column.
double determinant(std::vector<double> m, std::size_t n) {
  double out = 1;
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t row = k + 1; row < n; ++row) {
      if (std::fabs(m[row * n + k]) > std::fabs(m[pivot * n + k])) pivot = row;
    }
    if (pivot != k) {
      for (std::size_t i = 0; i < n; ++i) std::swap(m[k * n + i], m[pivot * n + i]);
      out = -out;
    }
    const double top = m[k * n + k];
    out *= top;
    if (top == 0) return 0;
    for (std::size_t row = k + 1; row < n; ++row) {
      const double factor = m[row * n + k] / top;
      for (std::size_t i = k; i < n; ++i) m[row * n + i] -= factor * m[k * n + i];
    }
  }
  return out;
}

Status reference(RefContext& c) {
  const std::int64_t n = c.in(0).type.shape.back();
  for (std::int64_t i = 0; i < c.out(0).type.shape.elements(); ++i) {
    std::vector<double> matrix(static_cast<std::size_t>(n * n));
    for (std::int64_t k = 0; k < n * n; ++k) {
      matrix[static_cast<std::size_t>(k)] = get_f64(c.in(0), i * n * n + k);
    }
    put_f64(c.out(0), i, determinant(std::move(matrix), static_cast<std::size_t>(n)));
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) {
  return work_of({n.inputs[0].shape.elements(), n.inputs[0].shape.back()});
}

constexpr Port kInputs[] = {{"X"}};
constexpr Port kOutputs[] = {{"Y"}};

}  // namespace

extern constinit const OpDef op_det{
    .name = "Det",
    .doc = "The determinant of each matrix.",
    .since = 22,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
