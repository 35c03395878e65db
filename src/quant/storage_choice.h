#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ir/model.h"
#include "quant/scheme.h"

namespace polaris {

/// A tensor by its name in a GGUF file.
struct NamedShape {
  std::string_view name;
  Shape shape;  // outermost dim first
};

/// What a tensor is to be stored as.
struct StorageChoice {
  std::string_view storage;  // "q4_k"; empty: as it is
  std::string_view wanted;   // what `storage` stands in for, where its rows are not whole blocks
};

/// The storage of each tensor under a scheme, as llama.cpp's quantizer chooses it: vectors, norms
/// and other small tensors stay, some matrices of the mixed schemes get more bits, and a row that
/// is not of whole blocks falls back to a format of shorter ones.
std::vector<StorageChoice> choose_storage(const QuantScheme& scheme, const Metadata& metadata,
                                          const std::vector<NamedShape>& tensors);

}  // namespace polaris
