#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace polaris {

/// Element types. Names follow NumPy's (`float32`); ONNX and GGUF names are mapped by their
/// loaders.
enum class DType : std::uint8_t {
  kF32,
  kF16,
  kBF16,
  kF64,
  kI8,
  kU8,
  kI16,
  kU16,
  kI32,
  kU32,
  kI64,
  kU64,
  kBool,
};
inline constexpr int kDTypeCount = 13;

/// Size of one element in bytes.
std::int64_t dtype_bytes(DType dtype);
/// "float32", "int8", "bool" ...
std::string_view dtype_name(DType dtype);
std::optional<DType> dtype_from_name(std::string_view name);
bool is_float(DType dtype);
/// Signed or unsigned integers; bool is neither.
bool is_integer(DType dtype);
bool is_signed_integer(DType dtype);

}  // namespace polaris
