#include "pass/weights.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "tensor/element.h"

namespace polaris {
namespace {

/// A rank-2 array turned around, in tiles so that both sides stay cached.
void transpose_elements(DType dtype, const std::byte* from, std::byte* to, std::int64_t rows,
                        std::int64_t columns) {
  constexpr std::int64_t kTile = 32;
  const bool packed = is_packed(dtype);
  const ElementWidth width = width_of(dtype);
  for (std::int64_t r0 = 0; r0 < rows; r0 += kTile) {
    for (std::int64_t c0 = 0; c0 < columns; c0 += kTile) {
      for (std::int64_t c = c0; c < std::min(c0 + kTile, columns); ++c) {
        for (std::int64_t r = r0; r < std::min(r0 + kTile, rows); ++r) {
          if (packed) {
            copy_elements(dtype, to, c * rows + r, from, r * columns + c, 1);
          } else {
            copy_bytes(to + width.of(c * rows + r), from + width.of(r * columns + c),
                       static_cast<std::size_t>(width.raw()));
          }
        }
      }
    }
  }
}

Result<Tensor> transpose_tensor(const Tensor& tensor) {
  TensorType type = tensor.type();
  const std::int64_t rows = type.shape[0];
  const std::int64_t columns = type.shape[1];
  type.shape = {columns, rows};
  if (!type.encoding.is_plain()) {
    type.encoding.axis =
        type.encoding.axis < 0 ? std::int8_t{-1} : static_cast<std::int8_t>(1 - type.encoding.axis);
  }
  auto out = Tensor::allocate(type);
  if (!out) return out;
  if (out->elements() == 0) return out;
  transpose_elements(element_storage(type), tensor.bytes().data(), out->mutable_bytes().data(),
                     rows, columns);
  return out;
}

/// Rows [from, to), where they lie or, where they begin or end within a byte, in bytes of their
/// own.
Result<Tensor> slice_rows(const Tensor& tensor, std::int64_t from, std::int64_t to) {
  TensorType type = tensor.type();
  type.shape[0] = from;
  const auto before = type.bytes();
  type.shape[0] = to - from;
  const auto bytes = type.bytes();
  if (!before || !bytes) {
    return Error::invalid("[pass] rows of " + tensor.type().to_string() + " have no size");
  }
  const std::int64_t row = type.shape.elements_between(1, type.shape.rank());
  const DType storage = element_storage(type);
  if (!type.encoding.is_block() && !fills_bytes(storage, row)) {
    auto out = Tensor::allocate(type);
    if (!out) return out;
    copy_elements(storage, out->mutable_bytes().data(), 0, tensor.bytes().data(), from * row,
                  out->elements());
    return out;
  }
  return Tensor::view(
      type,
      tensor.bytes().subspan(static_cast<std::size_t>(*before), static_cast<std::size_t>(*bytes)),
      tensor.owner());
}

}  // namespace

Result<Constant> transpose_weight(const Constant& weight) {
  if (weight.data.type().encoding.is_block() || weight.data.shape().rank() != 2) {
    return Error::unsupported("[pass] a weight of type " + weight.data.type().to_string() +
                              " cannot be transposed");
  }
  Constant out;
  out.name = weight.name;
  auto data = transpose_tensor(weight.data);
  if (!data) return data.error();
  out.data = data.take();
  for (auto [from, to] :
       {std::pair(&weight.scale, &out.scale), std::pair(&weight.zero_point, &out.zero_point)}) {
    if (from->shape().rank() != 2) {
      *to = *from;
      continue;
    }
    auto turned = transpose_tensor(*from);
    if (!turned) return turned.error();
    *to = turned.take();
  }
  if (weight.file) weight.file->release_pages(weight.data.bytes());
  return out;
}

Result<Constant> slice_weight(const Constant& weight, std::int64_t from, std::int64_t to) {
  const Encoding& encoding = weight.data.type().encoding;
  Constant out;
  out.name = weight.name;
  out.file = weight.file;
  auto rows = slice_rows(weight.data, from, to);
  if (!rows) return rows.error();
  out.data = rows.take();
  const bool affine = encoding.kind == Encoding::Kind::kAffine;
  const bool per_tensor = affine && encoding.axis < 0;
  if (affine && encoding.axis == 0 && encoding.block > 0) {
    return Error::unsupported("[pass] a weight with blocks along dim 0 cannot be cut there");
  }
  const bool parameters_by_row = affine && (encoding.axis == 0 || encoding.block > 0);
  for (auto [source, target] :
       {std::pair(&weight.scale, &out.scale), std::pair(&weight.zero_point, &out.zero_point)}) {
    if (!*source) continue;
    *target = *source;
    if (!parameters_by_row || per_tensor) continue;
    auto cut = slice_rows(*source, from, to);
    if (!cut) return cut.error();
    *target = cut.take();
  }
  return out;
}

}  // namespace polaris
