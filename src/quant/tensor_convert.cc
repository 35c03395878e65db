#include "quant/tensor_convert.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/bytes.h"
#include "tensor/block_codec.h"
#include "tensor/block_quantize.h"
#include "tensor/half.h"

namespace polaris {
namespace {

constexpr std::int64_t kPieceElements = 1 << 16;  // of whole blocks of every format
static_assert(kPieceElements % kBlockElementsMax == 0);
constexpr std::int64_t kPiecesPerThread = 4;

/// Bytes of as many elements, which are whole blocks.
std::int64_t bytes_of(const TensorType& type, std::int64_t elements) {
  return TensorType{type.dtype, {elements}, type.encoding}.bytes().value_or(0);
}

void decode(const TensorType& type, const std::byte* in, std::int64_t count, float* out) {
  if (type.encoding.is_block()) {
    decode_blocks(type.encoding.format, in, count, out);
    return;
  }
  if (type.dtype == DType::kF32) {
    copy_bytes(out, in, static_cast<std::size_t>(count) * sizeof(float));
    return;
  }
  const bool is_half = type.dtype == DType::kF16;
  for (std::int64_t i = 0; i < count; ++i) {
    std::uint16_t bits;
    std::memcpy(&bits, in + 2 * i, sizeof bits);
    out[i] = is_half ? f16_to_f32(bits) : bf16_to_f32(bits);
  }
}

void encode(const TensorType& type, const float* in, std::int64_t count, std::byte* out) {
  if (type.encoding.is_block()) {
    quantize_blocks(type.encoding.format, in, count, out);
    return;
  }
  if (type.dtype == DType::kF32) {
    copy_bytes(out, in, static_cast<std::size_t>(count) * sizeof(float));
    return;
  }
  const bool is_half = type.dtype == DType::kF16;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint16_t bits = is_half ? f32_to_f16(in[i]) : f32_to_bf16(in[i]);
    std::memcpy(out + 2 * i, &bits, sizeof bits);
  }
}

bool is_quantizable(const float* values, std::int64_t count) {
  return std::all_of(values, values + count,
                     [](float v) { return std::fabs(v) <= kQuantizableMax; });
}

}  // namespace

bool can_convert(const TensorType& type) {
  if (type.encoding.is_block()) return true;
  return type.encoding.is_plain() &&
         (type.dtype == DType::kF32 || type.dtype == DType::kF16 || type.dtype == DType::kBF16);
}

TensorConvert::TensorConvert(ThreadPool& pool)
    : pool_(pool), scratch_(static_cast<std::size_t>(2 * kPieceElements * pool.threads())) {}

Result<double> TensorConvert::run(const TensorType& from, std::span<const std::byte> bytes,
                                  const TensorType& to, Put put) {
  const std::int64_t elements = to.shape.elements();
  const std::int64_t piece_in = bytes_of(from, kPieceElements);
  const std::int64_t piece_out = bytes_of(to, kPieceElements);
  const std::int64_t batch = kPiecesPerThread * pool_.threads();
  out_.resize(static_cast<std::size_t>(batch * piece_out));
  double squares = 0;
  double error = 0;
  for (std::int64_t first = 0; first * kPieceElements < elements; first += batch) {
    const std::int64_t rest = elements - first * kPieceElements;
    const std::int64_t count = std::min(batch, (rest + kPieceElements - 1) / kPieceElements);
    pieces_.assign(static_cast<std::size_t>(count), {});
    pool_.parallel_for(count, 1, [&](std::int64_t begin, std::int64_t end, int worker) {
      float* before = scratch_.data() + 2 * kPieceElements * worker;
      float* after = before + kPieceElements;
      for (std::int64_t p = begin; p < end; ++p) {
        const std::int64_t size = std::min(kPieceElements, rest - p * kPieceElements);
        Piece& piece = pieces_[static_cast<std::size_t>(p)];
        std::byte* target = out_.data() + p * piece_out;
        decode(from, bytes.data() + (first + p) * piece_in, size, before);
        piece.finite = is_quantizable(before, size);
        if (!piece.finite) continue;
        encode(to, before, size, target);
        decode(to, target, size, after);
        for (std::int64_t i = 0; i < size; ++i) {
          const double value = before[i];
          const double off = static_cast<double>(after[i]) - value;
          piece.squares += value * value;
          piece.error += off * off;
        }
      }
    });
    for (const Piece& piece : pieces_) {
      squares += piece.squares;
      error += piece.error;
      if (!piece.finite || !std::isfinite(error)) {
        return Error::invalid(
            "[quantize] a value is no finite number, or too large for its storage");
      }
    }
    const std::int64_t size = std::min(count * kPieceElements, rest);
    const auto made = std::span(out_).first(static_cast<std::size_t>(bytes_of(to, size)));
    if (auto status = put(made, bytes_of(from, size)); !status) return status.error();
  }
  return squares > 0 ? std::sqrt(error / squares) : 0.0;
}

}  // namespace polaris
