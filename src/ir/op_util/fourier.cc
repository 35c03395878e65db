#include "ir/op_util/fourier.h"

#include <cmath>
#include <numbers>

namespace polaris {

Fourier::Fourier(std::int64_t size, bool inverse) : size_(size), inverse_(inverse) {
  std::int64_t rest = size;
  for (std::int64_t p = 2; p * p <= rest; ++p) {
    for (; rest % p == 0; rest /= p) factors_.push_back(p);
  }
  if (rest > 1) factors_.push_back(rest);
  for (std::int64_t k = 0; k < size; ++k) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(size);
    roots_.push_back({std::cos(angle), inverse ? std::sin(angle) : -std::sin(angle)});
  }
}

void Fourier::run(const Complex* x, std::int64_t stride, Complex* out, std::int64_t size,
                  std::size_t factor) const {
  if (size == 1) {
    out[0] = x[0];
    return;
  }
  const std::int64_t p = factors_[factor];
  const std::int64_t part = size / p;
  for (std::int64_t r = 0; r < p; ++r) {
    run(x + r * stride, stride * p, out + r * part, part, factor + 1);
  }
  std::vector<Complex> line(static_cast<std::size_t>(p));
  for (std::int64_t k = 0; k < part; ++k) {
    for (std::int64_t r = 0; r < p; ++r) line[static_cast<std::size_t>(r)] = out[r * part + k];
    for (std::int64_t q = 0; q < p; ++q) {
      const std::int64_t step = q * part + k;
      Complex sum;
      std::int64_t at = 0;  // step * r, around the circle
      for (const Complex& v : line) {
        const Complex& root = roots_[static_cast<std::size_t>(at * (size_ / size))];
        sum.re += v.re * root.re - v.im * root.im;
        sum.im += v.re * root.im + v.im * root.re;
        at = (at + step) % size;
      }
      out[step] = sum;
    }
  }
}

std::vector<Complex> Fourier::transform(const std::vector<Complex>& x) const {
  std::vector<Complex> out(x.size());
  if (size_ == 0) return out;
  run(x.data(), 1, out.data(), size_, 0);
  const auto scale = static_cast<double>(size_);
  for (Complex& v : out) {
    if (inverse_) v = {v.re / scale, v.im / scale};
  }
  return out;
}

}  // namespace polaris
