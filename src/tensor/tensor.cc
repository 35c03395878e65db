#include "tensor/tensor.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include "base/bytes.h"
#include "base/checked.h"
#include "tensor/element.h"

namespace polaris {
namespace {

constexpr std::align_val_t kAlignment{64};

// Bounds what a hostile shape can ask for before the allocator is even tried.
constexpr std::int64_t kTensorBytesMax = std::int64_t{1} << 40;

/// Bytes of a tensor of strings that have so many characters.
std::optional<std::int64_t> string_bytes(const Shape& shape, std::int64_t characters) {
  const auto count = shape.checked_elements();
  const auto places = count ? checked_add<std::int64_t>(*count, 1) : std::nullopt;
  const auto front = places ? bytes_of(DType::kI64, *places) : std::nullopt;
  return front ? checked_add(*front, characters) : std::nullopt;
}

}  // namespace

std::optional<std::int64_t> TensorType::bytes() const {
  if (!is_tensor()) return std::nullopt;
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
  switch (kind) {
    case ValueKind::kTensor: break;
    case ValueKind::kSequence: return "seq(" + as(ValueKind::kTensor).to_string() + ")";
    case ValueKind::kOptional: return "opt(" + as(ValueKind::kTensor).to_string() + ")";
    case ValueKind::kOptionalSequence: return "opt(" + as(ValueKind::kSequence).to_string() + ")";
  }
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
  const bool text = type.is_tensor() && type.dtype == DType::kString;
  const auto bytes = text ? string_bytes(type.shape, 0) : type.bytes();
  if (!bytes) return Error::invalid("[tensor] size of " + type.to_string() + " is not computable");
  return make(type, *bytes);
}

Result<Tensor> Tensor::make(const TensorType& type, std::int64_t bytes) {
  const std::string wanted = "[tensor] " + std::to_string(bytes) + " bytes for " + type.to_string();
  if (bytes > kTensorBytesMax) return Error::out_of_memory(wanted + " are too many");
  const auto size = static_cast<std::size_t>(bytes);
  // One byte at least, so that an empty tensor still has an owner.
  void* data = ::operator new(size > 0 ? size : 1, kAlignment, std::nothrow);
  if (data == nullptr) return Error::out_of_memory(wanted + " could not be had");
  clear_bytes(data, size);
  Tensor out;
  out.owner_ = std::shared_ptr<const void>(
      data, [](const void* p) { ::operator delete(const_cast<void*>(p), kAlignment); });
  out.type_ = type;
  out.data_ = static_cast<std::byte*>(data);
  out.bytes_ = bytes;
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
  if (type.is_tensor() && type.dtype == DType::kString) return copied_strings(type, bytes);
  auto out = allocate(type);
  if (!out) return out.error();
  if (out->bytes().size() != bytes.size()) {
    return Error::invalid("[tensor] bytes of " + type.to_string() + ", got " +
                          std::to_string(bytes.size()) + ", wanted " +
                          std::to_string(out->bytes().size()));
  }
  if (!bytes.empty()) {
    copy_bytes(out->mutable_bytes().data(), bytes.data(), bytes.size());
    if (!type.encoding.is_block()) {
      clear_padding(element_storage(type), out->mutable_bytes().data(), out->elements());
    }
  }
  return out;
}

Result<Tensor> Tensor::copied_strings(const TensorType& type, std::span<const std::byte> bytes) {
  const auto front = string_bytes(type.shape, 0);
  const auto bad = [&](std::string_view what) {
    return Error::invalid("[tensor] bytes of " + type.to_string() + ", got " + std::string(what) +
                          ", wanted where each ends and their characters");
  };
  if (!front || std::cmp_less(bytes.size(), *front)) return bad("too few");
  auto out = make(type, static_cast<std::int64_t>(bytes.size()));
  if (!out) return out.error();
  copy_bytes(out->data_, bytes.data(), bytes.size());
  const auto* ends = out->data<std::int64_t>();
  const std::int64_t count = type.shape.elements();
  if (ends[0] != 0) return bad("a first string that begins elsewhere");
  for (std::int64_t i = 0; i < count; ++i) {
    if (ends[i + 1] < ends[i]) return bad("an end before a beginning");
  }
  if (ends[count] != out->bytes_ - *front) return bad("other ends than they have");
  return out;
}

Result<Tensor> Tensor::strings(const Shape& shape, std::span<const std::string_view> strings) {
  const TensorType type{DType::kString, shape, {}};
  const auto count = shape.checked_elements();
  if (!count || std::cmp_not_equal(strings.size(), *count)) {
    return Error::invalid("[tensor] strings, got " + std::to_string(strings.size()) +
                          ", wanted those of " + type.to_string());
  }
  std::int64_t characters = 0;
  for (std::string_view one : strings) characters += static_cast<std::int64_t>(one.size());
  const auto bytes = string_bytes(shape, characters);
  if (!bytes) return Error::out_of_memory("[tensor] strings of " + type.to_string());
  auto out = make(type, *bytes);
  if (!out) return out.error();
  auto* ends = out->mutable_data<std::int64_t>();
  auto* to = reinterpret_cast<char*>(ends + strings.size() + 1);
  for (std::size_t i = 0; i < strings.size(); ++i) {
    ends[i + 1] = ends[i] + static_cast<std::int64_t>(strings[i].size());
    std::copy(strings[i].begin(), strings[i].end(), to + ends[i]);
  }
  return out;
}

Tensor Tensor::of_items(TensorType type, std::vector<Tensor> items) {
  Tensor out;
  out.type_ = type;
  out.owner_ = std::make_shared<const std::vector<Tensor>>(std::move(items));
  return out;
}

std::string_view Tensor::string(std::int64_t index) const {
  const auto* ends = data<std::int64_t>();
  const auto* characters = reinterpret_cast<const char*>(ends + elements() + 1);
  return {characters + ends[index], static_cast<std::size_t>(ends[index + 1] - ends[index])};
}

std::span<const Tensor> Tensor::items() const {
  if (type_.is_tensor() || owner_ == nullptr) return {};
  return *static_cast<const std::vector<Tensor>*>(owner_.get());
}

std::int64_t Tensor::held_bytes() const {
  std::int64_t held = bytes_;
  for (const Tensor& item : items()) {
    held = checked_add(held, item.held_bytes()).value_or(std::numeric_limits<std::int64_t>::max());
  }
  return held;
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
