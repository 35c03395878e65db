#pragma once
#include <cstdint>

#include "tensor/dtype.h"

namespace polaris {

/// How a number becomes a float of at most eight bits, as ONNX's Cast says.
struct SmallRounding {
  enum class Scale : std::uint8_t { kUp, kDown, kNearest };
  /// What lies beyond the largest number becomes it; else infinity or, where there is none, NaN.
  bool saturate = true;
  Scale scale = Scale::kUp;  // float8_e8m0fnu only, which holds powers of two; ties go up
};

/// The value of a code of a small float type; bits above the type's are ignored.
double decode_small_float(DType dtype, std::uint8_t code);
/// Rounded once, to nearest even. NaN keeps its sign where the type has one for it; types without
/// NaN take it as minus zero, types without minus zero take that as zero.
std::uint8_t encode_small_float(DType dtype, double value, SmallRounding rounding = {});

}  // namespace polaris
