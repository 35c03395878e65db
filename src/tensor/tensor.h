#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "tensor/dtype.h"
#include "tensor/encoding.h"
#include "tensor/shape.h"

namespace polaris {

/// Element type (what it decodes to), logical shape, and how the elements are stored.
struct TensorType {
  DType dtype = DType::kF32;
  Shape shape;
  Encoding encoding;

  /// Bytes of a row-major tensor of this type (of the encoded bytes for an encoded one), or nothing
  /// where a dim is not static, the size leaves int64, or the last dim does not fill whole blocks.
  std::optional<std::int64_t> bytes() const;
  /// "float32[2, 3]", "float32[64, 64]:q4_0".
  std::string to_string() const;
  friend bool operator==(const TensorType&, const TensorType&) = default;
};

/// The dtype of the elements as they stand in memory: of an affine tensor, that of its integers.
/// Not for block encodings.
DType element_storage(const TensorType& type);

/// A host tensor, row-major. Copies share the bytes; `allocate` gives bytes that may be written
/// until the tensor is first copied; tensors over a mapped file are read only.
class Tensor {
 public:
  Tensor() = default;
  /// Zero-filled bytes, 64-byte aligned. Errors: invalid (no static size), out_of_memory.
  static Result<Tensor> allocate(TensorType type);
  static Result<Tensor> allocate(DType dtype, const Shape& shape);
  /// Read-only bytes owned elsewhere (a mapping); `owner` keeps them alive.
  static Tensor view(TensorType type, std::span<const std::byte> bytes,
                     std::shared_ptr<const void> owner);
  /// A copy of `bytes`, whose length must be the type's; padding of packed elements is zeroed.
  /// Errors as allocate, invalid on length.
  static Result<Tensor> from_bytes(TensorType type, std::span<const std::byte> bytes);
  template <class T>
  static Result<Tensor> from(DType dtype, const Shape& shape, std::span<const T> elements) {
    return from_bytes({dtype, shape, {}}, std::as_bytes(elements));
  }

  explicit operator bool() const { return owner_ != nullptr; }
  const TensorType& type() const { return type_; }
  DType dtype() const { return type_.dtype; }
  const Shape& shape() const { return type_.shape; }
  std::int64_t elements() const { return type_.shape.elements(); }
  std::span<const std::byte> bytes() const { return {data_, static_cast<std::size_t>(bytes_)}; }
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
  TensorType type_;
  std::byte* data_ = nullptr;
  std::int64_t bytes_ = 0;
  std::shared_ptr<const void> owner_;
};

/// The tensor's elements as float64 / int64 whatever its plain dtype (f16 and bf16 widened).
double element_as_f64(const Tensor& tensor, std::int64_t index);
std::int64_t element_as_i64(const Tensor& tensor, std::int64_t index);

}  // namespace polaris
