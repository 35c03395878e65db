#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace polaris {

/// Element types. Names follow NumPy's and ml_dtypes' (`float32`, `float8_e4m3fn`); ONNX and GGUF
/// names are mapped by their loaders. Those from kF8E4M3FN to kU2 are small: narrower than a byte,
/// or floats of a byte; they are moved and converted, and no device computes in them. Strings have
/// no size of their own, and live on the host alone.
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
  kF8E4M3FN,
  kF8E4M3FNUZ,
  kF8E5M2,
  kF8E5M2FNUZ,
  kF8E8M0,
  kF4E2M1,
  kI4,
  kU4,
  kI2,
  kU2,
  kString,
};
inline constexpr int kDTypeCount = 24;

struct DTypeInfo {
  enum class Kind : std::uint8_t { kFloat, kSigned, kUnsigned, kBool, kText };
  std::string_view name;   // "float32", "int4"
  std::string_view alias;  // ONNX's spelling, read as well; "" where it is the name
  int bits = 0;            // of one element; 0: as long as it happens to be
  Kind kind = Kind::kFloat;
};
const DTypeInfo& dtype_info(DType dtype);

/// Bytes of one element of a dtype that fills whole bytes: a unit of offsets. It is no number, so
/// that sizes have one place where they are multiplied.
class ElementWidth {
 public:
  constexpr explicit ElementWidth(std::int64_t bytes) : bytes_(bytes) {}
  /// Bytes of `elements` elements of an array that is there, or the offset of element `elements`.
  constexpr std::int64_t of(std::int64_t elements) const { return elements * bytes_; }
  /// Two neighbours taken for one.
  constexpr ElementWidth twice() const { return ElementWidth(2 * bytes_); }
  /// For tables and shaders that are told how wide an element is.
  constexpr std::int64_t raw() const { return bytes_; }
  friend constexpr bool operator==(ElementWidth, ElementWidth) = default;

 private:
  std::int64_t bytes_;
};

/// Bytes of `elements` elements in a row, packed from the low bits of each byte up, the last byte
/// padded; nothing where that leaves int64, or the dtype has no size. No size of a tensor comes
/// from elsewhere.
std::optional<std::int64_t> bytes_of(DType dtype, std::int64_t elements);
/// Element i of one stands at the bits of element i of the other, or both are as wide as bytes.
bool same_places(DType a, DType b);
/// For a dtype that is not packed, and no text.
ElementWidth width_of(DType dtype);
/// `elements` in a row end where a byte ends, so that others may follow in their own bytes.
bool fills_bytes(DType dtype, std::int64_t elements);
/// Several elements share a byte.
bool is_packed(DType dtype);
/// Packed, or a float of a byte.
inline bool is_small(DType dtype) { return dtype >= DType::kF8E4M3FN && dtype <= DType::kU2; }

/// "float32", "int8", "bool" ...
std::string_view dtype_name(DType dtype);
std::optional<DType> dtype_from_name(std::string_view name);
bool is_float(DType dtype);
/// Signed or unsigned integers; bool is neither.
bool is_integer(DType dtype);
bool is_signed_integer(DType dtype);

}  // namespace polaris
