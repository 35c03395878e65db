#include "support/compare.h"

#include <cmath>
#include <cstring>

#include "tensor/element.h"
#include "tolerance.h"

namespace polaris::test {
namespace {

bool close(double got, double want, Tolerance t, double slack) {
  if (std::isnan(want)) return std::isnan(got);
  if (std::isinf(want) || std::isinf(got)) return got == want;
  return std::fabs(got - want) <= slack * (t.atol + t.rtol * std::fabs(want));
}

}  // namespace

std::string difference(const Tensor& got, const Tensor& want, double slack) {
  if (got.type() != want.type()) {
    return "type, got " + got.type().to_string() + ", wanted " + want.type().to_string();
  }
  if (!want.type().encoding.is_plain()) {
    const bool equal =
        std::memcmp(got.bytes().data(), want.bytes().data(), want.bytes().size()) == 0;
    return equal ? "" : "encoded bytes differ";
  }
  const DType dtype = want.dtype();
  for (std::int64_t i = 0, n = want.elements(); i < n; ++i) {
    const bool equal = is_float(dtype) ? close(element_as_f64(got, i), element_as_f64(want, i),
                                               tolerance(dtype), slack)
                                       : element_as_i64(got, i) == element_as_i64(want, i);
    if (equal) continue;
    return "element " + std::to_string(i) + " of " + want.type().to_string() + ", got " +
           std::to_string(element_as_f64(got, i)) + ", wanted " +
           std::to_string(element_as_f64(want, i));
  }
  return "";
}

}  // namespace polaris::test
