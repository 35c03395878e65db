#include "support/compare.h"

#include <cmath>
#include <cstring>

#include "tensor/element.h"
#include "tolerance.h"

namespace polaris::test {
namespace {

bool close(double got, double want, Tolerance t) {
  if (std::isnan(want)) return std::isnan(got);
  if (std::isinf(want) || std::isinf(got)) return got == want;
  return std::fabs(got - want) <= t.atol + t.rtol * std::fabs(want);
}

double largest(const Tensor& x) {
  double out = 0;
  for (std::int64_t i = 0, n = x.elements(); i < n; ++i) {
    const double v = std::fabs(element_as_f64(x, i));
    if (std::isfinite(v) && v > out) out = v;
  }
  return out;
}

}  // namespace

std::string difference(const Tensor& got, const Tensor& want, double slack, double of_largest) {
  if (got.type() != want.type()) {
    return "type, got " + got.type().to_string() + ", wanted " + want.type().to_string();
  }
  if (!want.type().encoding.is_plain()) {
    const bool equal =
        std::memcmp(got.bytes().data(), want.bytes().data(), want.bytes().size()) == 0;
    return equal ? "" : "encoded bytes differ";
  }
  const DType dtype = want.dtype();
  Tolerance allowed = tolerance(dtype);
  allowed.rtol *= slack;
  allowed.atol *= slack;
  if (of_largest > 0) allowed.atol += of_largest * largest(want);
  for (std::int64_t i = 0, n = want.elements(); i < n; ++i) {
    const bool equal = is_float(dtype)
                           ? close(element_as_f64(got, i), element_as_f64(want, i), allowed)
                           : element_as_i64(got, i) == element_as_i64(want, i);
    if (equal) continue;
    return "element " + std::to_string(i) + " of " + want.type().to_string() + ", got " +
           std::to_string(element_as_f64(got, i)) + ", wanted " +
           std::to_string(element_as_f64(want, i));
  }
  return "";
}

}  // namespace polaris::test
