#include "backend/cpu/weights.h"

#include "base/bytes.h"
#include "tensor/block_format.h"
#include "tensor/element.h"

namespace polaris::cpu {
namespace {

/// Index of the scale that element `at` of an affine tensor uses.
std::int64_t scale_index(const TensorType& type, std::int64_t at) {
  const Encoding& encoding = type.encoding;
  if (encoding.axis < 0) return 0;
  const int axis = encoding.axis;
  const std::int64_t inner = type.shape.elements_between(axis + 1, type.shape.rank());
  const std::int64_t size = type.shape[axis];
  const std::int64_t along = at / inner % size;
  if (encoding.block == 0) return along;
  const std::int64_t blocks = (size + encoding.block - 1) / encoding.block;
  return (at / (inner * size) * blocks + along / encoding.block) * inner + at % inner;
}

}  // namespace

void decode_constant(const Constant& constant, std::int64_t from, std::int64_t count, float* out) {
  const TensorType& type = constant.data.type();
  const std::byte* data = constant.data.bytes().data();
  if (type.encoding.is_block()) {
    const BlockFormatInfo& info = block_format_info(type.encoding.format);
    decode_blocks(type.encoding.format, data + from / info.block_elements * info.block_bytes, count,
                  out);
    return;
  }
  if (type.encoding.kind == Encoding::Kind::kAffine) {
    const DType storage = type.encoding.storage;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t s = scale_index(type, from + i);
      double q = load_f64(storage, data, from + i);
      if (constant.zero_point) q -= element_as_f64(constant.zero_point, s);
      out[i] = static_cast<float>(q * element_as_f64(constant.scale, s));
    }
    return;
  }
  if (type.dtype == DType::kF32) {
    copy_bytes(out, data + from * 4, static_cast<std::size_t>(count) * 4);
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = static_cast<float>(load_f64(type.dtype, data, from + i));
  }
}

}  // namespace polaris::cpu
