#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tensor/dtype.h"
#include "tensor/encoding.h"
#include "tensor/shape.h"

namespace polaris {

/// What a value is. A sequence holds tensors of one element type, in order; an optional one value
/// or nothing. Those that are no tensors live on the host, as strings do.
enum class ValueKind : std::uint8_t { kTensor, kSequence, kOptional, kOptionalSequence };

/// Element type (what it decodes to), logical shape, and how the elements are stored. Of a sequence
/// or an optional: the type of the tensors in it, whose dims are known as far as all of them agree.
struct TensorType {
  DType dtype = DType::kF32;
  Shape shape;
  Encoding encoding;
  ValueKind kind = ValueKind::kTensor;

  bool is_tensor() const { return kind == ValueKind::kTensor; }
  /// The same dtype, shape and encoding as another kind of value.
  TensorType as(ValueKind other) const {
    TensorType out = *this;
    out.kind = other;
    return out;
  }

  /// Bytes of a row-major tensor of this type (of the encoded bytes for an encoded one), or nothing
  /// where a dim is not static, the size leaves int64, the last dim does not fill whole blocks, or
  /// the value lives on the host alone.
  std::optional<std::int64_t> bytes() const;
  /// "float32[2, 3]", "float32[64, 64]:q4_0", "seq(string[2])", "opt(seq(int64[]))".
  std::string to_string() const;
  friend bool operator==(const TensorType&, const TensorType&) = default;
};

/// No device ever sees such a value: strings, sequences, optionals.
inline bool is_host_only(const TensorType& type) {
  return !type.is_tensor() || type.dtype == DType::kString;
}

/// Items that a sequence may have.
inline constexpr std::int64_t kSequenceItemsMax = 1 << 20;

/// The dtype of the elements as they stand in memory: of an affine tensor, that of its integers.
/// Not for block encodings.
DType element_storage(const TensorType& type);

/// A host value: a tensor, row-major, or a sequence or an optional of such (tensor/values.h makes
/// those). Copies share the bytes and the items; `allocate` gives bytes that may be written until
/// the tensor is first copied; tensors over a mapped file are read only. The bytes of strings are
/// where each ends, as int64 behind a first 0, then all their characters.
class Tensor {
 public:
  Tensor() = default;
  /// Zero-filled bytes, 64-byte aligned; of strings, empty ones. Errors: invalid (no static size),
  /// out_of_memory.
  static Result<Tensor> allocate(TensorType type);
  static Result<Tensor> allocate(DType dtype, const Shape& shape);
  /// Read-only bytes owned elsewhere (a mapping), aligned as the elements are; `owner` keeps them
  /// alive.
  static Tensor view(TensorType type, std::span<const std::byte> bytes,
                     std::shared_ptr<const void> owner);
  /// A copy of `bytes`, whose length must be the type's; padding of packed elements is zeroed.
  /// Errors as allocate, invalid on length, and where bytes are none of strings.
  static Result<Tensor> from_bytes(TensorType type, std::span<const std::byte> bytes);
  template <class T>
  static Result<Tensor> from(DType dtype, const Shape& shape, std::span<const T> elements) {
    return from_bytes({dtype, shape, {}}, std::as_bytes(elements));
  }

  /// Strings, row-major, as many as the shape has. Errors: invalid on their number, out_of_memory.
  static Result<Tensor> strings(const Shape& shape, std::span<const std::string_view> strings);
  /// A value that is no tensor, of items that fit its type; tensor/values.h checks that.
  static Tensor of_items(TensorType type, std::vector<Tensor> items);

  explicit operator bool() const { return owner_ != nullptr; }
  const TensorType& type() const { return type_; }
  DType dtype() const { return type_.dtype; }
  const Shape& shape() const { return type_.shape; }
  std::int64_t elements() const { return type_.shape.elements(); }
  std::span<const std::byte> bytes() const { return {data_, static_cast<std::size_t>(bytes_)}; }
  /// Element `index` of a string tensor.
  std::string_view string(std::int64_t index) const;
  /// A sequence's tensors; an optional's value, or nothing. Empty for tensors.
  std::span<const Tensor> items() const;
  /// What the value holds: of a tensor its bytes, else those of its items, each time that they
  /// stand there.
  std::int64_t held_bytes() const;
  /// For the tensor's maker only, before it is shared.
  std::span<std::byte> mutable_bytes() { return {data_, static_cast<std::size_t>(bytes_)}; }
  template <class T>
  const T* data() const {
    return reinterpret_cast<const T*>(data_);
  }
  template <class T>
  T* mutable_data() {
    return reinterpret_cast<T*>(data_);
  }
  /// The same bytes under another shape with as many elements (plain encoding).
  Tensor reshaped(const Shape& shape) const;
  const std::shared_ptr<const void>& owner() const { return owner_; }

 private:
  static Result<Tensor> make(const TensorType& type, std::int64_t bytes);
  static Result<Tensor> copied_strings(const TensorType& type, std::span<const std::byte> bytes);

  TensorType type_;
  std::byte* data_ = nullptr;
  std::int64_t bytes_ = 0;
  std::shared_ptr<const void> owner_;
};

/// The tensor's elements as float64 / int64 whatever its plain dtype (f16 and bf16 widened).
double element_as_f64(const Tensor& tensor, std::int64_t index);
std::int64_t element_as_i64(const Tensor& tensor, std::int64_t index);

}  // namespace polaris
