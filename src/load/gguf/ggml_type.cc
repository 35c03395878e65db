#include "load/gguf/ggml_type.h"

#include <algorithm>
#include <iterator>

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
    {3, "q4_1", 32, 20},
    {6, "q5_0", 32, 22},
    {7, "q5_1", 32, 24},
    ours(8, BlockFormat::kQ8_0),
    {9, "q8_1", 32, 36},
    {10, "q2_k", 256, 84},
    {11, "q3_k", 256, 110},
    {12, "q4_k", 256, 144},
    {13, "q5_k", 256, 176},
    {14, "q6_k", 256, 210},
    {15, "q8_k", 256, 292},
    {16, "iq2_xxs", 256, 66},
    {17, "iq2_xs", 256, 74},
    {18, "iq3_xxs", 256, 98},
    {19, "iq1_s", 256, 50},
    {20, "iq4_nl", 32, 18},
    {21, "iq3_s", 256, 110},
    {22, "iq2_s", 256, 82},
    {23, "iq4_xs", 256, 136},
    {24, "i8", 1, 1},
    {25, "i16", 1, 2},
    {26, "i32", 1, 4},
    {27, "i64", 1, 8},
    {28, "f64", 1, 8},
    {29, "iq1_m", 256, 56},
    {30, "bf16", 1, 2},
    {34, "tq1_0", 256, 54},
    {35, "tq2_0", 256, 66},
    {39, "mxfp4", 32, 17},
    {40, "nvfp4", 64, 36},
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

}  // namespace

const GgmlType* find_ggml_type(std::uint32_t id) {
  const auto* row = std::find_if(std::begin(kTypes), std::end(kTypes),
                                 [&](const GgmlType& type) { return type.id == id; });
  return row == std::end(kTypes) ? nullptr : row;
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
