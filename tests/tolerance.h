#pragma once
#include "tensor/dtype.h"

namespace polaris::test {

/// How far a result may lie from the reference: |got - want| <= atol + rtol * |want|. The one table
/// for all tests; integers and bool are exact.
struct Tolerance {
  double rtol = 0;
  double atol = 0;
};

constexpr Tolerance tolerance(DType dtype) {
  switch (dtype) {
    case DType::kF32: return {1e-3, 1e-5};
    case DType::kF16: return {4e-3, 1e-3};
    case DType::kBF16: return {2e-2, 1e-2};
    case DType::kF64: return {1e-7, 1e-9};
    default: return {0, 0};
  }
}

}  // namespace polaris::test
