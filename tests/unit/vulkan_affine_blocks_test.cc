// Affine weights of 4 bits as blocks: only where not a bit of a number changes.
#include <doctest/doctest.h>

#include <vector>

#include "backend/vulkan/parts/affine_blocks.h"
#include "tensor/block_format.h"
#include "tensor/element.h"

namespace polaris::vulkan {
namespace {

constexpr std::int64_t kRows = 3;
constexpr std::int64_t kColumns = 128;

struct Weights {
  DType storage = DType::kU4;
  std::int64_t block = 64;
  float scale = 0.0625f;  // of the first; the others are multiples
  int zero = 8;           // likewise, one more for each where `zeros_differ`
  bool has_zeros = true;
  bool zeros_differ = false;
};

Constant make(const Weights& w) {
  TensorType type{DType::kF32, {kRows, kColumns}, {}};
  type.encoding.kind = Encoding::Kind::kAffine;
  type.encoding.storage = w.storage;
  type.encoding.axis = 1;
  type.encoding.block = static_cast<std::int32_t>(w.block);
  std::vector<std::byte> bytes(kRows * kColumns / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 37 + 5);
  Constant out;
  out.data = Tensor::from_bytes(type, bytes).take();
  const std::int64_t blocks = (kColumns + w.block - 1) / w.block;
  out.scale = Tensor::allocate(DType::kF32, Shape{kRows, blocks}).take();
  out.zero_point = Tensor::allocate(w.storage, Shape{kRows, blocks}).take();
  for (std::int64_t s = 0; s < kRows * blocks; ++s) {
    out.scale.mutable_data<float>()[s] = w.scale * static_cast<float>(s + 1);
    store_i64(w.storage, out.zero_point.mutable_bytes().data(), s,
              w.zeros_differ ? (w.zero + s) % 8 : w.zero);
  }
  if (!w.has_zeros) out.zero_point = {};
  return out;
}

void check_same(const Weights& w, BlockFormat wanted) {
  const Constant weight = make(w);
  const auto format = blocks_of_affine(weight);
  REQUIRE(format.has_value());
  CHECK(*format == wanted);
  const std::vector<std::byte> blocks = affine_as_blocks(weight, *format);
  std::vector<float> got(kRows * kColumns);
  decode_blocks(*format, blocks.data(), kRows * kColumns, got.data());
  for (std::int64_t i = 0; i < kRows * kColumns; ++i) {
    const std::int64_t s = i / w.block;  // rows are whole blocks
    double q = load_f64(w.storage, weight.data.bytes().data(), i);
    if (weight.zero_point) q -= element_as_f64(weight.zero_point, s);
    const auto element = static_cast<double>(got[static_cast<std::size_t>(i)]);
    REQUIRE(element == q * element_as_f64(weight.scale, s));
  }
}

}  // namespace

TEST_CASE("affine weights are blocks where float16 has their scales") {
  for (const std::int64_t block : {32, 64, 128}) {
    CAPTURE(block);
    check_same({.block = block}, BlockFormat::kQ4_0);
    check_same({.storage = DType::kI4, .block = block, .zero = 0}, BlockFormat::kQ4_0);
    check_same({.storage = DType::kI4, .block = block, .has_zeros = false}, BlockFormat::kQ4_0);
    check_same({.block = block, .zeros_differ = true}, BlockFormat::kQ4_1);
    check_same({.block = block, .has_zeros = false}, BlockFormat::kQ4_1);
  }
}

TEST_CASE("affine weights that blocks do not have stay as they are") {
  CHECK(!blocks_of_affine(make({.scale = 0.1f})));
  CHECK(!blocks_of_affine(make({.block = 16})));
  CHECK(!blocks_of_affine(make({.block = 48})));
  CHECK(!blocks_of_affine(make({.scale = 1e6f})));
  CHECK(!blocks_of_affine(make({.scale = 0x1p-24f})));  // a subnormal of float16
  // Eleven bits of scale times four of zero point are more than float16 has.
  CHECK(!blocks_of_affine(make({.scale = 2047.0f / 4096, .zero = 5, .zeros_differ = true})));
  Constant bytes = make({});
  bytes.data = Tensor::allocate(DType::kF32, Shape{kRows, kColumns}).take();
  CHECK(!blocks_of_affine(bytes));
}

}  // namespace polaris::vulkan
