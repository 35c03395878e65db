#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace polaris {

/// The products of a row with each row of a matrix of coefficients, plus intercepts if any.
inline void multiply_row(std::span<const double> x, const std::vector<float>& coefficients,
                         const std::vector<float>& intercepts, std::span<double> out) {
  for (std::size_t k = 0; k < out.size(); ++k) {
    double sum = intercepts.empty() ? 0 : static_cast<double>(intercepts[k]);
    for (std::size_t i = 0; i < x.size(); ++i) {
      sum += x[i] * static_cast<double>(coefficients[k * x.size() + i]);
    }
    out[k] = sum;
  }
}

}  // namespace polaris
