#include "load/gguf/ggml_type.h"

#include <algorithm>
#include <iterator>

#include "base/checked.h"
#include "tensor/block_format.h"

namespace polaris::gguf {
namespace {

/// A storage that we hold as it is.
constexpr GgmlType ours(std::uint32_t id, BlockFormat format) {
  const BlockFormatInfo info = block_info(format);
  return {id, info.name, info.block_elements, info.block_bytes};
}

constexpr GgmlType kTypes[] = {
    {0, "f32", 1, 4},
    {1, "f16", 1, 2},
    ours(2, BlockFormat::kQ4_0),
    ours(3, BlockFormat::kQ4_1),
    ours(6, BlockFormat::kQ5_0),
    ours(7, BlockFormat::kQ5_1),
    ours(8, BlockFormat::kQ8_0),
    {9, "q8_1", 32, 36},
    ours(10, BlockFormat::kQ2_K),
    ours(11, BlockFormat::kQ3_K),
    ours(12, BlockFormat::kQ4_K),
    ours(13, BlockFormat::kQ5_K),
    ours(14, BlockFormat::kQ6_K),
    {15, "q8_k", 256, 292},
    ours(16, BlockFormat::kIQ2_XXS),
    ours(17, BlockFormat::kIQ2_XS),
    ours(18, BlockFormat::kIQ3_XXS),
    ours(19, BlockFormat::kIQ1_S),
    ours(20, BlockFormat::kIQ4_NL),
    ours(21, BlockFormat::kIQ3_S),
    ours(22, BlockFormat::kIQ2_S),
    ours(23, BlockFormat::kIQ4_XS),
    {24, "i8", 1, 1},
    {25, "i16", 1, 2},
    {26, "i32", 1, 4},
    {27, "i64", 1, 8},
    {28, "f64", 1, 8},
    ours(29, BlockFormat::kIQ1_M),
    {30, "bf16", 1, 2},
    ours(34, BlockFormat::kTQ1_0),
    ours(35, BlockFormat::kTQ2_0),
    ours(39, BlockFormat::kMXFP4),
    ours(40, BlockFormat::kNVFP4),
    {41, "q1_0", 128, 18},
};

struct Plain {
  std::uint32_t id;
  DType dtype;
};
constexpr Plain kPlain[] = {
    {0, DType::kF32},  {1, DType::kF16},  {24, DType::kI8},  {25, DType::kI16},
    {26, DType::kI32}, {27, DType::kI64}, {28, DType::kF64}, {30, DType::kBF16},
};

template <class Wanted>
const GgmlType* find_type(Wanted wanted) {
  const auto* row = std::find_if(std::begin(kTypes), std::end(kTypes), wanted);
  return row == std::end(kTypes) ? nullptr : row;
}

}  // namespace

const GgmlType* find_ggml_type(std::uint32_t id) {
  return find_type([&](const GgmlType& type) { return type.id == id; });
}

const GgmlType* find_ggml_type(std::string_view name) {
  return find_type([&](const GgmlType& type) { return type.name == name; });
}

std::optional<std::int64_t> stored_bytes(const GgmlType& type, const Shape& shape) {
  const auto elements = shape.checked_elements();
  const std::int64_t row = shape.rank() > 0 ? shape.back() : 1;
  if (!elements || row % type.block_elements != 0) return std::nullopt;
  return checked_mul(*elements / type.block_elements, type.block_bytes);
}

std::optional<TensorType> tensor_type_of(const GgmlType& type, const Shape& shape) {
  for (const Plain& plain : kPlain) {
    if (plain.id == type.id) return TensorType{plain.dtype, shape, {}};
  }
  if (const auto format = block_format_from_name(type.name)) {
    return TensorType{DType::kF32, shape, Encoding::of(*format)};
  }
  return std::nullopt;
}

}  // namespace polaris::gguf
