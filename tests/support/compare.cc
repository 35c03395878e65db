#include "support/compare.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "tensor/block_format.h"
#include "tensor/element.h"
#include "tolerance.h"

namespace polaris::test {
namespace {

bool close(double got, double want, Tolerance t) {
  if (std::isnan(want)) return std::isnan(got);
  if (std::isinf(want) || std::isinf(got)) return got == want;
  return std::fabs(got - want) <= t.atol + t.rtol * std::fabs(want);
}

bool element_equal(const Tensor& got, const Tensor& want, std::int64_t i, Tolerance allowed) {
  if (want.dtype() == DType::kString) return got.string(i) == want.string(i);
  return is_float(want.dtype()) ? close(element_as_f64(got, i), element_as_f64(want, i), allowed)
                                : element_as_i64(got, i) == element_as_i64(want, i);
}

std::string element_difference(const Tensor& got, const Tensor& want, std::int64_t i) {
  if (want.dtype() == DType::kString) {
    return "element " + std::to_string(i) + ", got '" + std::string(got.string(i)) + "', wanted '" +
           std::string(want.string(i)) + "'";
  }
  return "element " + std::to_string(i) + " of " + want.type().to_string() + ", got " +
         std::to_string(element_as_f64(got, i)) + ", wanted " +
         std::to_string(element_as_f64(want, i));
}

double largest(const Tensor& x) {
  double out = 0;
  for (std::int64_t i = 0, n = x.elements(); i < n; ++i) {
    const double v = std::fabs(element_as_f64(x, i));
    if (std::isfinite(v) && v > out) out = v;
  }
  return out;
}

/// Item by item; the type of the whole follows from theirs.
std::string item_difference(const Tensor& got, const Tensor& want, double slack,
                            double of_largest) {
  if (got.type().kind != want.type().kind || got.dtype() != want.dtype() ||
      got.items().size() != want.items().size()) {
    return "value, got " + got.type().to_string() + " of " + std::to_string(got.items().size()) +
           ", wanted " + want.type().to_string() + " of " + std::to_string(want.items().size());
  }
  for (std::size_t i = 0; i < want.items().size(); ++i) {
    const std::string d = difference(got.items()[i], want.items()[i], slack, of_largest);
    if (!d.empty()) return "item " + std::to_string(i) + ": " + d;
  }
  return "";
}

}  // namespace

std::string difference(const Tensor& got, const Tensor& want, double slack, double of_largest) {
  if (!want.type().is_tensor()) return item_difference(got, want, slack, of_largest);
  if (got.type() != want.type()) {
    return "type, got " + got.type().to_string() + ", wanted " + want.type().to_string();
  }
  if (!want.type().encoding.is_plain()) {
    const bool equal =
        std::memcmp(got.bytes().data(), want.bytes().data(), want.bytes().size()) == 0;
    return equal ? "" : "encoded bytes differ";
  }
  Tolerance allowed = tolerance(want.dtype());
  allowed.rtol *= slack;
  allowed.atol *= slack;
  if (of_largest > 0) allowed.atol += of_largest * largest(want);
  for (std::int64_t i = 0, n = want.elements(); i < n; ++i) {
    if (!element_equal(got, want, i, allowed)) return element_difference(got, want, i);
  }
  return "";
}

std::string difference_of_blocks(const Tensor& got, const Tensor& want, int steps) {
  const std::string bytes = difference(got, want);
  if (bytes.empty() || steps == 0 || got.type() != want.type()) return bytes;
  const BlockFormat format = want.type().encoding.format;
  const std::int64_t block = block_format_info(format).block_elements;
  std::vector<float> a(static_cast<std::size_t>(want.elements()));
  std::vector<float> b(a.size());
  decode_blocks(format, got.bytes().data(), want.elements(), a.data());
  decode_blocks(format, want.bytes().data(), want.elements(), b.data());
  for (std::int64_t first = 0; first < want.elements(); first += block) {
    const auto begin = static_cast<std::size_t>(first);
    float largest = 0;
    for (std::size_t i = begin; i < begin + static_cast<std::size_t>(block); ++i) {
      largest = std::max(largest, std::fabs(b[i]));
    }
    // A scale is a float16 of what makes the largest value the largest code.
    const float step = largest / (format == BlockFormat::kQ8_0 ? 127.0f : 8.0f);
    const float allowed = static_cast<float>(steps) * step + largest * 0x1p-10f;
    for (std::size_t i = begin; i < begin + static_cast<std::size_t>(block); ++i) {
      if (std::fabs(a[i] - b[i]) <= allowed) continue;
      return "element " + std::to_string(i) + " of blocks, got " + std::to_string(a[i]) +
             ", wanted " + std::to_string(b[i]);
    }
  }
  return "";
}

std::string difference_of_bits(const Tensor& got, const Tensor& want, const Tensor& other) {
  if (got.type() != want.type()) return difference(got, want);
  const DType dtype = want.dtype();
  for (std::int64_t i = 0, n = want.elements(); i < n; ++i) {
    const auto same = [&](const Tensor& x) {
      if (is_small(dtype)) {
        return load_code(dtype, got.bytes().data(), i) == load_code(dtype, x.bytes().data(), i);
      }
      const ElementWidth width = width_of(dtype);
      return std::memcmp(got.bytes().data() + width.of(i), x.bytes().data() + width.of(i),
                         static_cast<std::size_t>(width.raw())) == 0;
    };
    const bool nan = std::isnan(element_as_f64(got, i)) && std::isnan(element_as_f64(want, i));
    if (!nan && !same(want) && !same(other)) return element_difference(got, want, i);
  }
  return "";
}

std::string difference_from_both(const Tensor& got, const Tensor& want, const Tensor& other,
                                 double slack) {
  if (got.type() != want.type()) return difference(got, want, slack);
  Tolerance allowed = tolerance(want.dtype());
  allowed.rtol *= slack;
  allowed.atol *= slack;
  for (std::int64_t i = 0, n = want.elements(); i < n; ++i) {
    if (element_equal(got, want, i, allowed) || element_equal(got, other, i, allowed)) continue;
    return element_difference(got, want, i);
  }
  return "";
}

}  // namespace polaris::test
