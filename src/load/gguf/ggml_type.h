#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "tensor/tensor.h"

namespace polaris::gguf {

/// A tensor storage of ggml: how many bytes a run of elements of the innermost dim takes.
struct GgmlType {
  std::uint32_t id = 0;
  std::string_view name;
  std::int64_t block_elements = 1;
  std::int64_t block_bytes = 0;
};

/// Null for an id that no version of ggml assigns to a storable type.
const GgmlType* find_ggml_type(std::uint32_t id);

/// The same by its name, "f16" or "q4_k"; null for no storage's.
const GgmlType* find_ggml_type(std::string_view name);

/// Bytes of a tensor so stored; nothing where its rows are not whole blocks, or that is no size.
std::optional<std::int64_t> stored_bytes(const GgmlType& type, const Shape& shape);

/// Our type of a tensor so stored, or nothing where nothing here reads that storage.
std::optional<TensorType> tensor_type_of(const GgmlType& type, const Shape& shape);

}  // namespace polaris::gguf
