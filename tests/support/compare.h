#pragma once
#include <string>

#include "tensor/tensor.h"

namespace polaris::test {

/// Empty where `got` equals `want` within the table of tolerances (both scaled by `slack`) plus
/// `of_largest` times the largest finite magnitude wanted, else the first difference in words.
/// Types must be equal; encoded tensors must be equal byte by byte.
std::string difference(const Tensor& got, const Tensor& want, double slack = 1.0,
                       double of_largest = 0.0);

}  // namespace polaris::test
