#include "save/onnx/weights.h"

#include <utility>
#include <vector>

#include "tensor/block_codec.h"
#include "tensor/element.h"
#include "tensor/half.h"

namespace polaris::onnx {
namespace {

/// A format whose elements are a scale times an integer, and nothing else.
struct ScaledBlocks {
  DType codes;
  int offset;                                                    // of the codes, taken away
  std::int64_t (*code)(const std::byte* codes, std::int64_t i);  // element i, behind the scale
};

std::int64_t nibble(const std::byte* codes, std::int64_t i) {
  constexpr std::int64_t kHalf = 16;
  const auto pair = std::to_integer<int>(codes[i % kHalf]);
  return i < kHalf ? pair & 15 : pair >> 4;
}
std::int64_t signed_byte(const std::byte* codes, std::int64_t i) {
  return load_i64(DType::kI8, codes, i);
}

std::optional<ScaledBlocks> scaled_blocks(BlockFormat format) {
  switch (format) {
    case BlockFormat::kQ4_0: return ScaledBlocks{DType::kI4, 8, nibble};
    case BlockFormat::kQ8_0: return ScaledBlocks{DType::kI8, 0, signed_byte};
    case BlockFormat::kQ5_0: return std::nullopt;  // of five bits ONNX has no integer
    case BlockFormat::kQ4_1:
    case BlockFormat::kQ5_1:
    case BlockFormat::kQ2_K:
    case BlockFormat::kQ4_K:
    case BlockFormat::kQ5_K: return std::nullopt;  // a minimum is no integer zero point
    case BlockFormat::kQ3_K:
    case BlockFormat::kQ6_K: return std::nullopt;  // scales of scales
    case BlockFormat::kTQ1_0:
    case BlockFormat::kTQ2_0:
    case BlockFormat::kMXFP4:
    case BlockFormat::kNVFP4:
    case BlockFormat::kIQ4_NL:
    case BlockFormat::kIQ4_XS:
    case BlockFormat::kIQ3_XXS:
    case BlockFormat::kIQ3_S:
    case BlockFormat::kIQ2_XXS:
    case BlockFormat::kIQ2_XS:
    case BlockFormat::kIQ2_S:
    case BlockFormat::kIQ1_S:
    case BlockFormat::kIQ1_M: return std::nullopt;  // three states, or codes of other numbers
  }
  return std::nullopt;
}

Result<Written> from_scaled_blocks(const Constant& constant, const ScaledBlocks& as) {
  const TensorType& type = constant.data.type();
  const BlockFormatInfo& info = block_format_info(type.encoding.format);
  Written out;
  out.block = info.block_elements;
  out.axis = type.shape.rank() - 1;
  auto codes = Tensor::allocate(as.codes, type.shape);
  if (!codes) return codes.error();
  Shape blocks = type.shape;
  blocks.back() /= info.block_elements;
  auto scales = Tensor::allocate(DType::kF32, blocks);
  if (!scales) return scales.error();
  const std::byte* at = constant.data.bytes().data();
  for (std::int64_t b = 0; b < blocks.elements(); ++b, at += info.block_bytes) {
    store_f64(DType::kF32, scales->mutable_bytes().data(), b, load_f64(DType::kF16, at, 0));
    for (std::int64_t i = 0; i < info.block_elements; ++i) {
      store_i64(as.codes, codes->mutable_bytes().data(), b * info.block_elements + i,
                as.code(at + 2, i) - as.offset);
    }
  }
  out.data = codes.take();
  out.scale = scales.take();
  return out;
}

Result<Written> from_blocks(const Constant& constant) {
  const TensorType& type = constant.data.type();
  const auto scaled = scaled_blocks(type.encoding.format);
  if (scaled && type.dtype == DType::kF32) return from_scaled_blocks(constant, *scaled);
  auto floats = Tensor::allocate(type.dtype, type.shape);
  if (!floats) return floats.error();
  const BlockFormatInfo& info = block_format_info(type.encoding.format);
  const std::byte* at = constant.data.bytes().data();
  float block[kBlockElementsMax];
  for (std::int64_t e = 0; e < type.shape.elements(); e += info.block_elements) {
    decode_blocks(type.encoding.format, at, info.block_elements, block);
    at += info.block_bytes;
    for (std::int64_t i = 0; i < info.block_elements; ++i) {
      store_f64(type.dtype, floats->mutable_bytes().data(), e + i, static_cast<double>(block[i]));
    }
  }
  Written out;
  out.data = floats.take();
  out.decoded = true;
  return out;
}

}  // namespace

Result<Written> written_form(const Constant& constant) {
  const TensorType& type = constant.data.type();
  Written out;
  switch (type.encoding.kind) {
    case Encoding::Kind::kPlain: out.data = constant.data; break;
    case Encoding::Kind::kBlock: return from_blocks(constant);
    case Encoding::Kind::kAffine:
      out.data = Tensor::view({type.encoding.storage, type.shape, {}}, constant.data.bytes(),
                              constant.data.owner());
      out.scale = constant.scale;
      out.zero_point = constant.zero_point;
      if (type.encoding.axis >= 0) out.axis = type.encoding.axis;
      out.block = type.encoding.block;
      break;
  }
  return out;
}

std::int64_t written_bytes_max(const Constant& constant) {
  const TensorType& type = constant.data.type();
  if (type.encoding.is_plain()) return constant.data.held_bytes();
  return bytes_of(type.dtype, type.shape.elements()).value_or(0) + constant.scale.held_bytes();
}

}  // namespace polaris::onnx
