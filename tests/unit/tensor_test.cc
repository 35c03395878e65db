#include "tensor/tensor.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "tensor/element.h"

namespace polaris {

TEST_CASE("dtypes have NumPy's names and sizes") {
  const std::pair<const char*, int> wanted[] = {
      {"float32", 4}, {"float16", 2}, {"bfloat16", 2}, {"float64", 8}, {"int8", 1},
      {"uint8", 1},   {"int16", 2},   {"uint16", 2},   {"int32", 4},   {"uint32", 4},
      {"int64", 8},   {"uint64", 8},  {"bool", 1}};
  for (const auto& [name, bytes] : wanted) {
    const auto dtype = dtype_from_name(name);
    REQUIRE(dtype.has_value());
    CHECK(dtype_name(*dtype) == name);
    CHECK(bytes_of(*dtype, 1) == bytes);
    CHECK(width_of(*dtype).of(3) == 3 * bytes);
  }
  CHECK(!dtype_from_name("float8"));
  CHECK(is_float(DType::kBF16));
  CHECK(!is_integer(DType::kBool));
  CHECK(is_signed_integer(DType::kI8));
  CHECK(!is_signed_integer(DType::kU64));
}

TEST_CASE("elements convert by the rules") {
  CHECK(from_f64<std::int8_t>(127.9) == 127);
  CHECK(from_f64<std::int8_t>(-1e9) == -128);
  CHECK(from_f64<std::uint8_t>(-3.0) == 0);
  CHECK(from_f64<std::int64_t>(1e300) == std::numeric_limits<std::int64_t>::max());
  CHECK(from_f64<std::uint64_t>(1e300) == std::numeric_limits<std::uint64_t>::max());
  CHECK(from_f64<std::int32_t>(std::nan("")) == 0);
  CHECK(from_f64<BoolByte>(0.25).value == 1);
  std::byte bytes[8] = {};
  store_i64(DType::kI8, bytes, 0, 300);
  CHECK(load_i64(DType::kI8, bytes, 0) == 44);
  store_i64(DType::kU64, bytes, 0, -1);
  CHECK(load_f64(DType::kU64, bytes, 0) == 18446744073709551615.0);
  store_f64(DType::kF16, bytes, 1, 1.5);
  CHECK(load_f64(DType::kF16, bytes, 1) == 1.5);
  CHECK(load_i64(DType::kF16, bytes, 1) == 1);
}

TEST_CASE("tensor types know their bytes") {
  CHECK(TensorType{DType::kF16, {3, 5}, {}}.bytes() == 30);
  CHECK(TensorType{DType::kF32, {}, {}}.bytes() == 4);
  CHECK(TensorType{DType::kF32, {3, 0}, {}}.bytes() == 0);
  CHECK(TensorType{DType::kF32, {3, 64}, Encoding::of(BlockFormat::kQ4_0)}.bytes() == 108);
  CHECK(TensorType{DType::kF32, {3, 64}, Encoding::of(BlockFormat::kQ8_0)}.bytes() == 204);
  CHECK(!TensorType{DType::kF32, {3, 33}, Encoding::of(BlockFormat::kQ8_0)}.bytes());
  CHECK(!TensorType{DType::kF32, {}, Encoding::of(BlockFormat::kQ8_0)}.bytes());
  CHECK(!TensorType{DType::kF32, {kUnknownDim}, {}}.bytes());
  CHECK(!TensorType{DType::kF32, {INT64_MAX, 2}, {}}.bytes());
  CHECK(!TensorType{DType::kF32, {INT64_MAX}, {}}.bytes());
  // An empty tensor's other dims must fit too: its strides are computed.
  CHECK(!TensorType{DType::kF32, {INT64_MAX, 2, 0}, {}}.bytes());
  CHECK(TensorType{DType::kF32, {2, symbol_dim(1)}, {}}.to_string() == "float32[2, s1]");
  CHECK(TensorType{DType::kF32, {64}, Encoding::of(BlockFormat::kQ4_0)}.to_string() ==
        "float32[64]:q4_0");
}

TEST_CASE("tensors own, share or view bytes") {
  auto made = Tensor::allocate(DType::kF32, {2, 3});
  REQUIRE(made.ok());
  CHECK(reinterpret_cast<std::uintptr_t>(made->data<float>()) % 64 == 0);
  for (int i = 0; i < 6; ++i) CHECK(made->data<float>()[i] == 0.0f);
  made->mutable_data<float>()[4] = 2.5f;
  const Tensor copy = *made;
  CHECK(copy.data<float>() == made->data<float>());
  CHECK(element_as_f64(copy, 4) == 2.5);
  CHECK(copy.reshaped({3, 2}).shape() == Shape{3, 2});

  const float values[] = {1, 2, 3};
  auto from = Tensor::from<float>(DType::kF32, {3}, values);
  REQUIRE(from.ok());
  CHECK(element_as_i64(*from, 2) == 3);
  auto wrong = Tensor::from<float>(DType::kF32, {4}, values);
  REQUIRE(!wrong.ok());
  CHECK(wrong.error().message() == "[tensor] bytes of float32[4], got 12, wanted 16");
  CHECK(!Tensor::allocate(DType::kF32, {kUnknownDim}).ok());
  auto huge = Tensor::allocate(DType::kF64, {std::int64_t{1} << 50});
  REQUIRE(!huge.ok());
  CHECK(huge.error().code() == ErrorCode::kOutOfMemory);
  auto empty = Tensor::allocate(DType::kF32, {0});
  REQUIRE(empty.ok());
  CHECK(static_cast<bool>(*empty));
  CHECK(empty->bytes().empty());
  CHECK(!static_cast<bool>(Tensor()));
}

}  // namespace polaris
