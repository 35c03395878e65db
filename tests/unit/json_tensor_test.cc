#include "wire/json_tensor.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "tensor/element.h"

namespace polaris {
namespace {

/// Every dtype's edges: its largest and smallest numbers, and what JSON has no number for.
Tensor edges(DType dtype) {
  const double values[] = {0,        1,         -1,           6, 0.5, 1e30, -1e30,
                           HUGE_VAL, -HUGE_VAL, std::nan(""), 3, -0.0};
  auto out = Tensor::allocate(dtype, {3, 4});
  REQUIRE(out.ok());
  for (std::int64_t i = 0; i < 12; ++i) {
    store_f64(dtype, out->mutable_bytes().data(), i, values[i], {.saturate = false});
  }
  return out.take();
}

void refused(std::string_view text, DType dtype, std::string_view why) {
  const auto got = read_json_tensor(text, dtype);
  REQUIRE_FALSE_MESSAGE(got.ok(), text);
  CHECK_MESSAGE(got.error().message().find(why) != std::string::npos, got.error().message());
}

}  // namespace

TEST_CASE("json: tensors of every dtype come back as they went") {
  for (int d = 0; d < kDTypeCount; ++d) {
    const auto dtype = static_cast<DType>(d);
    if (dtype == DType::kString) continue;  // value_file_test
    CAPTURE(dtype_name(dtype));
    for (const Tensor& x :
         {edges(dtype), edges(dtype).reshaped({12}), edges(dtype).reshaped({2, 1, 6})}) {
      const std::string text = format_json_tensor(x);
      const auto back = read_json_tensor(text, dtype);
      REQUIRE_MESSAGE(back.ok(), text);
      CHECK(back->type() == x.type());
      for (std::int64_t i = 0; i < x.elements(); ++i) {
        const double want = element_as_f64(x, i);
        const double got = element_as_f64(*back, i);
        CHECK_MESSAGE((got == want || (std::isnan(got) && std::isnan(want))), text);
      }
    }
  }
  for (unsigned code = 0; code < 255; ++code) {
    auto scale = Tensor::allocate(DType::kF8E8M0, {});
    store_code(DType::kF8E8M0, scale->mutable_bytes().data(), 0, static_cast<std::uint8_t>(code));
    const auto back = read_json_tensor(format_json_tensor(*scale), DType::kF8E8M0);
    REQUIRE(back.ok());
    CHECK(load_code(DType::kF8E8M0, back->bytes().data(), 0) == code);
  }
  CHECK(format_json_tensor(*read_json_tensor("18446744073709551615", DType::kU64)) ==
        "18446744073709551615");
  CHECK(format_json_tensor(*read_json_tensor("[[true, 0], [false, 1]]", DType::kBool)) ==
        "[[true,false],[false,true]]");
  CHECK(read_json_tensor("[[], [], []]", DType::kI4)->shape() == Shape{3, 0});
  CHECK(read_json_tensor(" -3 ", DType::kI4)->shape().rank() == 0);
}

TEST_CASE("json: what is no tensor, and no element of the dtype, is refused") {
  refused("[1, [2]]", DType::kF32, "element 1 is none of float32");
  refused("[[1], 2]", DType::kF32, "ragged");
  refused("[[1, 2], [3]]", DType::kF32, "ragged");
  refused("[[], [1]]", DType::kF32, "ragged");
  refused("[[[[[[[[[1]]]]]]]]]", DType::kF32, "levels");
  refused("[1, 2", DType::kF32, "json");
  refused("{\"a\": 1}", DType::kF32, "element 0");
  refused("[null]", DType::kF32, "element 0");
  refused("[\"1\"]", DType::kF32, "element 0");
  refused("[true]", DType::kF32, "element 0");
  refused("[8]", DType::kI4, "none of int4");
  refused("[-1]", DType::kU2, "none of uint2");
  refused("[0.5]", DType::kI8, "none of int8");
  refused("[256]", DType::kU8, "none of uint8");
  refused("[-1]", DType::kU64, "none of uint64");
  refused("[18446744073709551616]", DType::kU64, "none of uint64");
  refused("[2]", DType::kBool, "none of bool");
  refused("[1000]", DType::kF8E4M3FN, "none of float8_e4m3fn");
  refused("[\"inf\"]", DType::kF8E4M3FN, "none of float8_e4m3fn");
  refused("[\"nan\"]", DType::kF4E2M1, "none of float4_e2m1fn");
  refused("[0]", DType::kF8E8M0, "none of float8_e8m0fnu");
  refused("[\"nan\"]", DType::kI32, "none of int32");
}

}  // namespace polaris
