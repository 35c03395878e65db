#pragma once
#include <string>

#include "tensor/tensor.h"

namespace polaris::test {

/// Empty where `got` equals `want` within the table of tolerances (both scaled by `slack`) plus
/// `of_largest` times the largest finite magnitude wanted, else the first difference in words.
/// Types must be equal; encoded tensors must be equal byte by byte.
std::string difference(const Tensor& got, const Tensor& want, double slack = 1.0,
                       double of_largest = 0.0);

/// Of blocks, whose codes may be off by `steps` (0: equal byte by byte): where a value to be
/// encoded lies between two codes, its last bit decides.
std::string difference_of_blocks(const Tensor& got, const Tensor& want, int steps);

/// The same where each element may equal that of `want` or that of `other`.
std::string difference_from_both(const Tensor& got, const Tensor& want, const Tensor& other,
                                 double slack = 1.0);
/// The same, without tolerance: but for NaN, bits count.
std::string difference_of_bits(const Tensor& got, const Tensor& want, const Tensor& other);

}  // namespace polaris::test
