#include "tensor/tensor.h"

#include <cstring>
#include <new>

#include "base/checked.h"
#include "tensor/element.h"

namespace polaris {
namespace {

constexpr std::align_val_t kAlignment{64};

// Bounds what a hostile shape can ask for before the allocator is even tried.
constexpr std::int64_t kTensorBytesMax = std::int64_t{1} << 40;

}  // namespace

std::optional<std::int64_t> TensorType::bytes() const {
  const auto elements = shape.checked_elements();
  if (!elements) return std::nullopt;
  if (!encoding.is_block()) return bytes_of(element_storage(*this), *elements);
  const BlockFormatInfo& info = block_format_info(encoding.format);
  if (shape.rank() == 0 || shape.back() % info.block_elements != 0) return std::nullopt;
  return checked_mul(*elements / info.block_elements, info.block_bytes);
}

DType element_storage(const TensorType& type) {
  return type.encoding.kind == Encoding::Kind::kAffine ? type.encoding.storage : type.dtype;
}

std::string TensorType::to_string() const {
  std::string out(dtype_name(dtype));
  out += shape.to_string();
  if (encoding.is_block()) {
    out += ':';
    out += block_format_info(encoding.format).name;
  } else if (!encoding.is_plain()) {
    out += ":affine(";
    out += dtype_name(encoding.storage);
    if (encoding.axis >= 0) out += ", axis " + std::to_string(encoding.axis);
    if (encoding.block > 0) out += ", block " + std::to_string(encoding.block);
    out += ')';
  }
  return out;
}

Result<Tensor> Tensor::allocate(TensorType type) {
  const auto bytes = type.bytes();
  if (!bytes) return Error::invalid("[tensor] size of " + type.to_string() + " is not computable");
  const std::string wanted =
      "[tensor] " + std::to_string(*bytes) + " bytes for " + type.to_string();
  if (*bytes > kTensorBytesMax) return Error::out_of_memory(wanted + " are too many");
  const auto size = static_cast<std::size_t>(*bytes);
  // One byte at least, so that an empty tensor still has an owner.
  void* data = ::operator new(size > 0 ? size : 1, kAlignment, std::nothrow);
  if (data == nullptr) return Error::out_of_memory(wanted + " could not be had");
  std::memset(data, 0, size);
  Tensor out;
  out.owner_ = std::shared_ptr<const void>(
      data, [](const void* p) { ::operator delete(const_cast<void*>(p), kAlignment); });
  out.type_ = type;
  out.data_ = static_cast<std::byte*>(data);
  out.bytes_ = *bytes;
  return out;
}

Result<Tensor> Tensor::allocate(DType dtype, const Shape& shape) {
  return allocate(TensorType{dtype, shape, {}});
}

Tensor Tensor::view(TensorType type, std::span<const std::byte> bytes,
                    std::shared_ptr<const void> owner) {
  Tensor out;
  out.type_ = type;
  out.data_ = const_cast<std::byte*>(bytes.data());
  out.bytes_ = static_cast<std::int64_t>(bytes.size());
  out.owner_ = std::move(owner);
  return out;
}

Result<Tensor> Tensor::from_bytes(TensorType type, std::span<const std::byte> bytes) {
  auto out = allocate(type);
  if (!out) return out.error();
  if (out->bytes().size() != bytes.size()) {
    return Error::invalid("[tensor] bytes of " + type.to_string() + ", got " +
                          std::to_string(bytes.size()) + ", wanted " +
                          std::to_string(out->bytes().size()));
  }
  if (!bytes.empty()) {
    std::memcpy(out->mutable_bytes().data(), bytes.data(), bytes.size());
    if (!type.encoding.is_block()) {
      clear_padding(element_storage(type), out->mutable_bytes().data(), out->elements());
    }
  }
  return out;
}

Tensor Tensor::reshaped(const Shape& shape) const {
  Tensor out = *this;
  out.type_.shape = shape;
  return out;
}

double element_as_f64(const Tensor& tensor, std::int64_t index) {
  return load_f64(tensor.dtype(), tensor.bytes().data(), index);
}

std::int64_t element_as_i64(const Tensor& tensor, std::int64_t index) {
  return load_i64(tensor.dtype(), tensor.bytes().data(), index);
}

}  // namespace polaris
