#pragma once
#include <cstdint>
#include <vector>

#include "load/tflite/importer.h"

namespace polaris::tflite {

/// A convolution run backwards to an output of known size.
struct TransposedConvolution {
  std::size_t x = 0;  // the input
  ValueId w;          // [in, out, spatial]
  ValueId bias;
  std::vector<std::int64_t> strides;
  std::vector<std::int64_t> sizes;  // of the output; empty: what the convolution gives
  bool same = false;                // Padding SAME of the convolution that it runs backwards
  std::int64_t activation = 0;
};

/// Spatial sizes that input `i` says: a constant, or what the file declares of the output.
std::vector<std::int64_t> output_sizes(OperatorImport& o, std::size_t i, std::size_t count);
void give_transposed(OperatorImport& o, const TransposedConvolution& conv);

}  // namespace polaris::tflite
