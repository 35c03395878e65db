#include "ir/op_util/elements.h"

#include "tensor/block_format.h"

namespace polaris {
namespace {

/// Index of the scale that element `index` of an affine tensor uses.
std::int64_t scale_index(const TensorType& type, const Tensor& scale, std::int64_t index) {
  if (scale.elements() <= 1) return 0;
  const AxisSplit s = split_at(type.shape, type.encoding.axis);
  const std::int64_t inner = index % s.inner;
  const std::int64_t along = index / s.inner % s.size;
  if (type.encoding.block == 0) return along;
  const std::int64_t blocks = (s.size + type.encoding.block - 1) / type.encoding.block;
  return ((index / s.inner / s.size) * blocks + along / type.encoding.block) * s.inner + inner;
}

double decode_affine(const RefTensor& t, std::int64_t index) {
  const std::int64_t at = scale_index(t.type, *t.scale, index);
  std::int64_t q = load_i64(t.type.encoding.storage, t.data, index);
  if (t.zero_point != nullptr && *t.zero_point) q -= element_as_i64(*t.zero_point, at);
  return static_cast<double>(q) * element_as_f64(*t.scale, at);
}

}  // namespace

void decode_f64(const RefTensor& t, std::int64_t from, std::span<double> out) {
  const auto count = static_cast<std::int64_t>(out.size());
  if (t.type.encoding.is_block()) {
    const BlockFormatInfo& info = block_format_info(t.type.encoding.format);
    std::vector<float> decoded(out.size());
    decode_blocks(t.type.encoding.format, t.data + from / info.block_elements * info.block_bytes,
                  count, decoded.data());
    std::copy(decoded.begin(), decoded.end(), out.begin());
    return;
  }
  const bool plain = t.type.encoding.is_plain();
  for (std::int64_t i = 0; i < count; ++i) {
    out[static_cast<std::size_t>(i)] = plain ? get_f64(t, from + i) : decode_affine(t, from + i);
  }
}

std::vector<double> read_f64(const RefTensor& tensor) {
  std::vector<double> out(static_cast<std::size_t>(tensor.type.shape.elements()));
  decode_f64(tensor, 0, out);
  return out;
}

std::vector<std::int64_t> read_i64(const RefTensor& tensor) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(tensor.type.shape.elements()));
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = get_i64(tensor, static_cast<std::int64_t>(i));
  }
  return out;
}

void copy_elements(RefTensor& to, std::int64_t to_index, const RefTensor& from,
                   std::int64_t from_index, std::int64_t count) {
  copy_elements(to.type.dtype, to.data, to_index, from.data, from_index, count);
}

int Walk::add(const Shape& strides, std::int64_t start) {
  strides_[operands_] = strides;
  offset_[operands_] = start;
  return operands_++;
}

int Walk::add_broadcast(const Shape& shape) {
  const Shape own = row_major_strides(shape);
  Shape strides = Shape::filled(shape_.rank(), 0);
  const int lead = shape_.rank() - shape.rank();
  for (int i = 0; i < shape.rank(); ++i) strides[lead + i] = shape[i] == 1 ? 0 : own[i];
  return add(strides);
}

void Walk::next() {
  for (int d = shape_.rank() - 1; d >= 0; --d) {
    for (int i = 0; i < operands_; ++i) offset_[i] += strides_[i][d];
    if (++at_[d] < shape_[d]) return;
    for (int i = 0; i < operands_; ++i) offset_[i] -= strides_[i][d] * shape_[d];
    at_[d] = 0;
  }
}

std::int64_t broadcast_offset(const Shape& shape, const Shape& at) {
  const Shape strides = row_major_strides(shape);
  const int lead = at.rank() - shape.rank();
  std::int64_t out = 0;
  for (int d = 0; d < shape.rank(); ++d) out += shape[d] == 1 ? 0 : at[lead + d] * strides[d];
  return out;
}

AxisSplit split_at(const Shape& shape, int axis) {
  return {shape.elements_between(0, axis), shape[axis],
          shape.elements_between(axis + 1, shape.rank())};
}

}  // namespace polaris
