#include "tensor/dtype.h"

namespace polaris {
namespace {

struct Row {
  std::string_view name;
  std::int64_t bytes;
};
constexpr Row kRows[kDTypeCount] = {
    {"float32", 4}, {"float16", 2}, {"bfloat16", 2}, {"float64", 8}, {"int8", 1},
    {"uint8", 1},   {"int16", 2},   {"uint16", 2},   {"int32", 4},   {"uint32", 4},
    {"int64", 8},   {"uint64", 8},  {"bool", 1},
};

}  // namespace

std::int64_t dtype_bytes(DType dtype) { return kRows[static_cast<int>(dtype)].bytes; }
std::string_view dtype_name(DType dtype) { return kRows[static_cast<int>(dtype)].name; }

std::optional<DType> dtype_from_name(std::string_view name) {
  for (int i = 0; i < kDTypeCount; ++i) {
    if (kRows[i].name == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

bool is_float(DType dtype) { return dtype <= DType::kF64; }
bool is_integer(DType dtype) { return dtype >= DType::kI8 && dtype <= DType::kU64; }
bool is_signed_integer(DType dtype) {
  return dtype == DType::kI8 || dtype == DType::kI16 || dtype == DType::kI32 ||
         dtype == DType::kI64;
}

}  // namespace polaris
