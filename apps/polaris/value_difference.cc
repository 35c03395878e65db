#include "value_difference.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/strings.h"
#include "tensor/values.h"

namespace polaris::cli {
namespace {

std::string number_text(const Tensor& tensor, std::int64_t i) {
  char text[40];
  if (is_float(tensor.dtype())) {
    std::snprintf(text, sizeof text, "%.9g", element_as_f64(tensor, i));
    return text;
  }
  return std::to_string(element_as_i64(tensor, i));
}

class Comparison {
 public:
  explicit Comparison(const Tolerance& tolerance) : tolerance_(tolerance) {}

  void add(const Tensor& a, const Tensor& b) {
    if (a.type() != b.type()) {
      out.same = false;
      if (out.why.empty()) out.why = a.type().to_string() + " and " + b.type().to_string();
      return;
    }
    for (std::int64_t i = 0; i < a.elements(); ++i) {
      if (!same(a, b, i)) note(a, b, i);
      ++out.elements;
    }
  }

  ValueDifference out;

 private:
  bool same(const Tensor& a, const Tensor& b, std::int64_t i) {
    if (a.dtype() == DType::kString) return a.string(i) == b.string(i);
    if (!is_float(a.dtype())) return same_integers(element_as_i64(a, i), element_as_i64(b, i));
    const double x = element_as_f64(a, i);
    const double y = element_as_f64(b, i);
    if (x == y || (std::isnan(x) && std::isnan(y))) return true;
    if (!std::isfinite(x) || !std::isfinite(y)) return false;
    widen(std::fabs(x - y), std::fabs(x));
    return std::fabs(x - y) <= tolerance_.absolute + tolerance_.relative * std::fabs(x);
  }

  bool same_integers(std::int64_t x, std::int64_t y) {
    if (x == y) return true;
    widen(std::fabs(static_cast<double>(x) - static_cast<double>(y)),
          std::fabs(static_cast<double>(x)));
    return false;
  }

  void widen(double apart, double of) {
    out.absolute_max = std::max(out.absolute_max, apart);
    if (of > 0) out.relative_max = std::max(out.relative_max, apart / of);
  }

  void note(const Tensor& a, const Tensor& b, std::int64_t i) {
    out.same = false;
    ++out.differing;
    if (out.first >= 0) return;
    const bool text = a.dtype() == DType::kString;
    out.first = out.elements;
    out.first_a = text ? "'" + printable(a.string(i), 64) + "'" : number_text(a, i);
    out.first_b = text ? "'" + printable(b.string(i), 64) + "'" : number_text(b, i);
  }

  const Tolerance& tolerance_;
};

}  // namespace

ValueDifference value_difference(const Tensor& a, const Tensor& b, const Tolerance& tolerance) {
  Comparison comparison(tolerance);
  const auto ours = tensors_of(a);
  const auto theirs = tensors_of(b);
  if (a.type().kind != b.type().kind || ours.size() != theirs.size()) {
    comparison.out.same = false;
    comparison.out.why = a.type().to_string() + " of " + std::to_string(ours.size()) +
                         " tensors and " + b.type().to_string() + " of " +
                         std::to_string(theirs.size());
    return comparison.out;
  }
  for (std::size_t i = 0; i < ours.size(); ++i) comparison.add(ours[i], theirs[i]);
  return comparison.out;
}

std::string difference_text(const ValueDifference& d) {
  if (!d.why.empty()) return d.why;
  char text[320];
  if (d.same) {
    std::snprintf(text, sizeof text, "same, at most %.3g apart, %.3g of the value", d.absolute_max,
                  d.relative_max);
    return text;
  }
  std::snprintf(text, sizeof text,
                "%lld of %lld elements, the first at %lld: %.80s and %.80s; at most %.3g apart, "
                "%.3g of the value",
                static_cast<long long>(d.differing), static_cast<long long>(d.elements),
                static_cast<long long>(d.first), d.first_a.c_str(), d.first_b.c_str(),
                d.absolute_max, d.relative_max);
  return text;
}

}  // namespace polaris::cli
