#pragma once
#include <cstdint>
#include <vector>

namespace polaris {

struct Complex {
  double re = 0;
  double im = 0;
};

/// The discrete Fourier transform of one length, by its prime factors; the inverse is divided by
/// the length.
class Fourier {
 public:
  Fourier(std::int64_t size, bool inverse);
  /// `x` and the result have `size` elements.
  std::vector<Complex> transform(const std::vector<Complex>& x) const;

 private:
  void run(const Complex* x, std::int64_t stride, Complex* out, std::int64_t size,
           std::size_t factor) const;

  std::int64_t size_;
  bool inverse_;
  std::vector<std::int64_t> factors_;
  std::vector<Complex> roots_;
};

}  // namespace polaris
