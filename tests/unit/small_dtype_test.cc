#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "tensor/element.h"
#include "tensor/tensor.h"

namespace polaris {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr DType kFloats[] = {DType::kF8E4M3FN, DType::kF8E4M3FNUZ, DType::kF8E5M2,
                             DType::kF8E5M2FNUZ, DType::kF4E2M1};
constexpr DType kIntegers[] = {DType::kI4, DType::kU4, DType::kI2, DType::kU2};

std::uint8_t code_of(DType dtype, double value, bool saturate = true) {
  return encode_small_float(dtype, value, {saturate});
}
double rounded(DType dtype, double value, bool saturate = true) {
  return decode_small_float(dtype, code_of(dtype, value, saturate));
}

struct Finite {
  double value;
  std::uint8_t code;
};
/// The numbers of a type from 0 up, with their codes.
std::vector<Finite> numbers(DType dtype) {
  std::vector<Finite> out;
  for (unsigned code = 0; code < 1u << (dtype_info(dtype).bits - 1); ++code) {
    const double value = decode_small_float(dtype, static_cast<std::uint8_t>(code));
    if (std::isfinite(value)) out.push_back({value, static_cast<std::uint8_t>(code)});
  }
  return out;
}

}  // namespace

TEST_CASE("bytes come from one function, checked") {
  CHECK(bytes_of(DType::kF32, 3) == 12);
  CHECK(bytes_of(DType::kI4, 0) == 0);
  CHECK(bytes_of(DType::kI4, 1) == 1);
  CHECK(bytes_of(DType::kI4, 2) == 1);
  CHECK(bytes_of(DType::kU4, 3) == 2);
  CHECK(bytes_of(DType::kF4E2M1, 5) == 3);
  CHECK(bytes_of(DType::kI2, 4) == 1);
  CHECK(bytes_of(DType::kU2, 5) == 2);
  CHECK(bytes_of(DType::kF8E5M2, 5) == 5);
  // The largest counts of hostile files neither overflow nor round down.
  CHECK(bytes_of(DType::kI4, INT64_MAX) == INT64_MAX / 2 + 1);
  CHECK(bytes_of(DType::kI2, INT64_MAX) == INT64_MAX / 4 + 1);
  CHECK(!bytes_of(DType::kF32, INT64_MAX / 4 + 1));
  CHECK(bytes_of(DType::kF8E8M0, INT64_MAX) == INT64_MAX);
  CHECK(!bytes_of(DType::kI4, -1));
  CHECK(TensorType{DType::kI4, {3, 5}, {}}.bytes() == 8);
  CHECK(!TensorType{DType::kI4, {INT64_MAX, 3}, {}}.bytes());
}

TEST_CASE("small dtypes have the names of ml_dtypes, and ONNX's are read") {
  for (int d = 0; d < kDTypeCount; ++d) {
    const auto dtype = static_cast<DType>(d);
    CHECK(dtype_from_name(dtype_name(dtype)) == dtype);
    if (!dtype_info(dtype).alias.empty()) {
      CHECK(dtype_from_name(dtype_info(dtype).alias) == dtype);
    }
  }
  CHECK(dtype_from_name("float8e4m3fn") == DType::kF8E4M3FN);
  CHECK(dtype_from_name("float4e2m1") == DType::kF4E2M1);
  CHECK(dtype_name(DType::kF8E8M0) == "float8_e8m0fnu");
  CHECK(!dtype_from_name(""));
}

TEST_CASE("packed elements stand from the low bits up, and the last byte is padded with zeros") {
  std::byte bytes[3] = {std::byte{0xFF}, std::byte{0xFF}, std::byte{0xFF}};
  store_i64(DType::kI4, bytes, 0, 1);
  store_i64(DType::kI4, bytes, 1, -2);
  store_i64(DType::kI4, bytes, 2, 7);
  CHECK(bytes[0] == std::byte{0xE1});
  CHECK(bytes[1] == std::byte{0xF7});
  CHECK(load_i64(DType::kI4, bytes, 1) == -2);
  CHECK(load_i64(DType::kU4, bytes, 1) == 14);
  clear_padding(DType::kI4, bytes, 3);
  CHECK(bytes[1] == std::byte{0x07});
  CHECK(bytes[2] == std::byte{0xFF});
  for (int i = 0; i < 4; ++i) store_i64(DType::kU2, bytes, i, i);
  CHECK(bytes[0] == std::byte{0xE4});
  CHECK(load_i64(DType::kI2, bytes, 2) == -2);
  CHECK_FALSE(has_clear_padding(DType::kU2, bytes, 3));
  clear_padding(DType::kU2, bytes, 3);
  CHECK(bytes[0] == std::byte{0x24});
  CHECK(has_clear_padding(DType::kU2, bytes, 3));
  const std::byte dirty[] = {std::byte{0xF3}};
  const auto tensor = Tensor::from_bytes({DType::kU4, {1}, {}}, dirty);
  REQUIRE(tensor.ok());
  CHECK(tensor->bytes()[0] == std::byte{0x03});
}

TEST_CASE("copies of packed elements move each element, wherever they stand in their bytes") {
  std::mt19937 random(7);
  for (DType dtype : {DType::kI4, DType::kU4, DType::kI2, DType::kU2, DType::kF4E2M1}) {
    for (int round = 0; round < 200; ++round) {
      std::byte from[16];
      std::byte to[16];
      for (std::byte& b : from) b = static_cast<std::byte>(random());
      for (std::byte& b : to) b = static_cast<std::byte>(random());
      const std::int64_t at = random() % 12;
      const std::int64_t source = random() % 12;
      const std::int64_t count = random() % 20;
      std::byte before[16];
      std::memcpy(before, to, sizeof to);
      copy_elements(dtype, to, at, from, source, count);
      for (std::int64_t i = 0; i < 32; ++i) {
        const bool moved = i >= at && i < at + count;
        const std::uint8_t wanted =
            moved ? load_code(dtype, from, source + i - at) : load_code(dtype, before, i);
        CHECK(load_code(dtype, to, i) == wanted);
      }
    }
  }
}

TEST_CASE("integers of 4 and 2 bits keep the low bits of a number without its fraction") {
  std::byte b[1] = {};
  const auto stored = [&](DType dtype, double value) {
    store_f64(dtype, b, 0, value);
    return load_i64(dtype, b, 0);
  };
  CHECK(stored(DType::kI4, -1.9) == -1);
  CHECK(stored(DType::kI4, 7.9) == 7);
  CHECK(stored(DType::kI4, 8) == -8);
  CHECK(stored(DType::kI4, -9) == 7);
  CHECK(stored(DType::kU4, -1) == 15);
  CHECK(stored(DType::kI2, 2) == -2);
  CHECK(stored(DType::kU2, 7) == 3);
  for (DType dtype : kIntegers) {
    for (double value : {kInf, -kInf, std::nan(""), 1e300, -0x1p63, 0x1p63}) {
      CHECK(stored(dtype, value) == 0);
    }
  }
}

TEST_CASE("every code of a small float comes back from the number that it stands for") {
  for (DType dtype : {DType::kF8E4M3FN, DType::kF8E4M3FNUZ, DType::kF8E5M2, DType::kF8E5M2FNUZ,
                      DType::kF4E2M1, DType::kF8E8M0}) {
    for (unsigned code = 0; code < 1u << dtype_info(dtype).bits; ++code) {
      const auto given = static_cast<std::uint8_t>(code);
      const double value = decode_small_float(dtype, given);
      const std::uint8_t back = code_of(dtype, value, false);
      if (std::isnan(value)) {
        CHECK(std::isnan(decode_small_float(dtype, back)));
      } else {
        CHECK_MESSAGE(back == given, dtype_name(dtype), " ", code);
      }
    }
  }
}

TEST_CASE("small floats have the ranges that their names say") {
  const struct {
    DType dtype;
    double largest;
    double smallest;
  } rows[] = {{DType::kF8E4M3FN, 448, 0x1p-9},
              {DType::kF8E4M3FNUZ, 240, 0x1p-10},
              {DType::kF8E5M2, 57344, 0x1p-16},
              {DType::kF8E5M2FNUZ, 57344, 0x1p-17},
              {DType::kF4E2M1, 6, 0.5}};
  for (const auto& row : rows) {
    const auto all = numbers(row.dtype);
    CHECK(all.back().value == row.largest);
    CHECK(all[1].value == row.smallest);
    for (double value : {kInf, 1e30, row.largest * 1.5}) {
      CHECK(rounded(row.dtype, value) == row.largest);
      CHECK(rounded(row.dtype, -value) == -row.largest);
    }
  }
  CHECK(std::isnan(rounded(DType::kF8E4M3FN, kInf, false)));
  CHECK(std::isnan(rounded(DType::kF8E4M3FNUZ, -kInf, false)));
  CHECK(std::isnan(rounded(DType::kF8E5M2FNUZ, 1e30, false)));
  CHECK(rounded(DType::kF8E5M2, 1e30, false) == kInf);
  CHECK(rounded(DType::kF8E5M2, -kInf, false) == -kInf);
  CHECK(rounded(DType::kF4E2M1, kInf, false) == 6);
  for (DType dtype : kFloats) {
    const bool minus = dtype != DType::kF8E4M3FNUZ && dtype != DType::kF8E5M2FNUZ;
    CHECK(std::signbit(rounded(dtype, -0.0)) == minus);
    CHECK(std::isnan(rounded(dtype, std::nan(""))) == (dtype != DType::kF4E2M1));
  }
}

TEST_CASE("numbers go to the nearest small float, of two to the even one") {
  std::mt19937_64 random(11);
  for (DType dtype : kFloats) {
    const auto all = numbers(dtype);
    const auto check = [&](double value) {
      const double magnitude = std::fabs(value);
      const auto above = std::lower_bound(all.begin(), all.end(), magnitude,
                                          [](const Finite& f, double v) { return f.value < v; });
      Finite wanted = all.back();
      if (above != all.end()) {
        wanted = *above;
        if (above != all.begin()) {
          const Finite below = *(above - 1);
          const double up = above->value - magnitude;
          const double down = magnitude - below.value;
          if (down < up || (down == up && (below.code & 1) == 0)) wanted = below;
        }
      }
      CHECK_MESSAGE(rounded(dtype, value) == std::copysign(wanted.value, value), dtype_name(dtype),
                    " ", value);
    };
    for (std::size_t i = 0; i + 1 < all.size(); ++i) {
      const double middle = (all[i].value + all[i + 1].value) / 2;
      for (double v :
           {all[i].value, middle, std::nextafter(middle, 0.0), std::nextafter(middle, kInf)}) {
        check(v);
        check(-v);
      }
    }
    for (int i = 0; i < 3000; ++i) {
      const double unit = static_cast<double>(random() >> 11) * 0x1p-53;
      check(std::ldexp(unit * 2 - 1, static_cast<int>(random() % 40) - 20));
    }
  }
}

TEST_CASE("integers become small floats by one rounding") {
  std::byte b[1] = {};
  // A double would drop the last bit, which sends the scale up.
  store_i64(DType::kF8E8M0, b, 0, (std::int64_t{1} << 62) + 1);
  CHECK(load_f64(DType::kF8E8M0, b, 0) == 0x1p63);
  store_i64(DType::kF8E4M3FN, b, 0, -300);
  CHECK(load_f64(DType::kF8E4M3FN, b, 0) == -288);
  store_u64(DType::kF8E5M2, b, 0, ~std::uint64_t{0});
  CHECK(load_f64(DType::kF8E5M2, b, 0) == 57344);
  store_i64(DType::kF8E5M2, b, 0, INT64_MIN, {.saturate = false});
  CHECK(load_f64(DType::kF8E5M2, b, 0) == -kInf);
  CHECK(load_i64(DType::kF8E5M2, b, 0) == INT64_MIN);
}

TEST_CASE("float8_e8m0fnu rounds as it is told, and holds no zero and no sign") {
  using Scale = SmallRounding::Scale;
  const auto to = [](double value, bool saturate, Scale scale) {
    return decode_small_float(DType::kF8E8M0,
                              encode_small_float(DType::kF8E8M0, value, {saturate, scale}));
  };
  for (int e = -127; e <= 127; ++e) {
    for (Scale scale : {Scale::kUp, Scale::kDown, Scale::kNearest}) {
      CHECK(to(std::ldexp(1.0, e), false, scale) == std::ldexp(1.0, e));
    }
  }
  CHECK(to(1.0001, true, Scale::kUp) == 2);
  CHECK(to(1.9999, true, Scale::kDown) == 1);
  CHECK(to(1.4999, true, Scale::kNearest) == 1);
  CHECK(to(1.5, true, Scale::kNearest) == 2);
  CHECK(to(9, true, Scale::kUp) == 16);
  CHECK(to(0x1.8p-127, true, Scale::kUp) == 0x1p-126);
  for (double value : {0.0, -1.0, -kInf, 0x1p-128}) {
    CHECK(to(value, true, Scale::kUp) == 0x1p-127);
    CHECK(std::isnan(to(value, false, Scale::kNearest)));
  }
  for (double value : {kInf, 0x1p128, 0x1.1p127}) {
    CHECK(to(value, true, Scale::kUp) == 0x1p127);
    CHECK(std::isnan(to(value, false, Scale::kNearest)));
  }
  CHECK(std::isnan(to(std::nan(""), true, Scale::kUp)));
}

}  // namespace polaris
