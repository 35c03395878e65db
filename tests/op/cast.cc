#include <doctest/doctest.h>

#include <bit>
#include <cstring>
#include <random>

#include "conformance/suite.h"
#include "ir/evaluate.h"
#include "ir/op_attrs/elementwise.h"
#include "ir/op_set.h"
#include "support/compare.h"

// Cast between every pair of types, bit for bit: the definition against integer arithmetic that
// shares nothing with it, and every device against the definition.
namespace polaris::test {
namespace {

constexpr DType kTypes[] = {DType::kF32, DType::kF16, DType::kBF16, DType::kF64, DType::kI8,
                            DType::kU8,  DType::kI16, DType::kU16,  DType::kI32, DType::kU32,
                            DType::kI64, DType::kU64, DType::kBool};

struct Format {
  int exponent_bits;
  int mantissa_bits;
  int lowest() const { return 2 - (1 << (exponent_bits - 1)); }  // exponent of normal numbers
  std::uint64_t infinity() const { return ((1ull << exponent_bits) - 1) << mantissa_bits; }
  int width() const { return 1 + exponent_bits + mantissa_bits; }
};
Format format_of(DType dtype) {
  switch (dtype) {
    case DType::kF16: return {5, 10};
    case DType::kBF16: return {8, 7};
    case DType::kF64: return {11, 52};
    default: return {8, 23};
  }
}

/// mantissa * 2^exponent with a sign, an infinity, or NaN.
struct Number {
  enum Kind { kFinite, kInfinite, kNan } kind = kFinite;
  bool negative = false;
  std::uint64_t mantissa = 0;
  int exponent = 0;
};

Number decode(std::uint64_t bits, DType dtype) {
  Number out;
  if (!is_float(dtype)) {
    out.mantissa = bits;
    if (is_signed_integer(dtype)) {
      const int shift = 64 - dtype_info(dtype).bits;
      const auto v = static_cast<std::int64_t>(bits << shift) >> shift;
      out.negative = v < 0;
      out.mantissa = v < 0 ? 0 - static_cast<std::uint64_t>(v) : static_cast<std::uint64_t>(v);
    }
    return out;
  }
  const Format f = format_of(dtype);
  out.negative = (bits >> (f.width() - 1) & 1) != 0;
  const std::uint64_t magnitude = bits & ((1ull << (f.width() - 1)) - 1);
  if (magnitude >= f.infinity()) {
    out.kind = magnitude == f.infinity() ? Number::kInfinite : Number::kNan;
    return out;
  }
  const std::uint64_t field = magnitude >> f.mantissa_bits;
  out.mantissa = magnitude & ((1ull << f.mantissa_bits) - 1);
  if (field != 0) out.mantissa |= 1ull << f.mantissa_bits;
  out.exponent = f.lowest() - f.mantissa_bits + static_cast<int>(field != 0 ? field - 1 : 0);
  return out;
}

/// Shifted right, rounded to nearest, ties to even.
std::uint64_t round_shift(std::uint64_t v, int shift) {
  if (shift > 64) return 0;
  const std::uint64_t whole = shift == 64 ? 0 : v >> shift;
  const std::uint64_t rest = shift == 64 ? v : v & ((1ull << shift) - 1);
  const std::uint64_t half = 1ull << (shift - 1);
  const bool up = rest > half || (rest == half && (whole & 1) != 0);
  return whole + (up ? 1 : 0);
}

std::uint64_t to_float_bits(const Number& n, DType dtype) {
  const Format f = format_of(dtype);
  const std::uint64_t sign = n.negative ? 1ull << (f.width() - 1) : 0;
  if (n.kind == Number::kNan) return f.infinity() + 1;
  if (n.kind == Number::kInfinite) return sign | f.infinity();
  if (n.mantissa == 0) return sign;
  const int top = std::max(n.exponent + 63 - std::countl_zero(n.mantissa), f.lowest());
  const int shift = top - f.mantissa_bits - n.exponent;
  const std::uint64_t m = shift > 0 ? round_shift(n.mantissa, shift) : n.mantissa << -shift;
  // A mantissa that rounds up to the next power of two carries into the exponent.
  const std::uint64_t bits = (static_cast<std::uint64_t>(top - f.lowest()) << f.mantissa_bits) + m;
  return sign | std::min(bits, f.infinity());
}

/// Truncated toward zero and saturated; NaN gives 0.
std::uint64_t to_integer_bits(const Number& n, DType dtype) {
  if (n.kind == Number::kNan) return 0;
  const int width = dtype_info(dtype).bits;
  const bool sign = is_signed_integer(dtype);
  const std::uint64_t most = ~0ull >> (64 - width + (sign ? 1 : 0));
  const std::uint64_t least = sign ? most + 1 : 0;  // magnitude of the lowest
  const std::uint64_t limit = n.negative ? least : most;
  std::uint64_t magnitude = limit;
  if (n.kind == Number::kFinite) {
    const int bits = 64 - std::countl_zero(n.mantissa) + n.exponent;  // of the whole part
    if (bits <= 0) {
      magnitude = 0;
    } else if (bits <= 64) {
      magnitude = n.exponent >= 0 ? n.mantissa << n.exponent : n.mantissa >> -n.exponent;
      magnitude = std::min(magnitude, limit);
    }
  }
  return n.negative ? 0 - magnitude : magnitude;
}

std::uint64_t expected_bits(std::uint64_t bits, DType from, DType to) {
  const Number n = decode(bits, from);
  if (to == DType::kBool) return n.kind != Number::kFinite || n.mantissa != 0 ? 1 : 0;
  if (is_float(to)) return to_float_bits(n, to);
  if (is_float(from)) return to_integer_bits(n, to);
  return n.negative ? 0 - n.mantissa : n.mantissa;  // the low bits
}

/// Bit patterns of a type: all of them where there are few; else any, and those around the
/// midpoints of the shorter floats and around powers of two.
std::vector<std::uint64_t> patterns(DType dtype) {
  std::vector<std::uint64_t> out;
  const int width = dtype_info(dtype).bits;
  if (dtype == DType::kBool) return {0, 1};
  if (width <= 16) {
    for (std::uint64_t i = 0; i < 1ull << width; ++i) out.push_back(i);
    return out;
  }
  std::mt19937_64 random(20260102);
  const auto around = [&](std::uint64_t bits) {
    for (int by : {-1, 0, 1}) out.push_back(bits + static_cast<std::uint64_t>(by));
  };
  for (int i = 0; i < 2000; ++i) {
    out.push_back(random());
    out.push_back(random() >> (random() % 64));
    if (!is_float(dtype)) {
      // Few high bits, a run of zeros, and a touch: where a second rounding would show.
      around((random() % 4096) << (random() % 60));
      continue;
    }
    for (DType shorter : {DType::kF16, DType::kBF16, DType::kF32}) {
      const Format f = format_of(shorter);
      const Number n = decode(random() & (~0ull >> (64 - f.width())), shorter);
      const Number middle{n.kind, n.negative, 2 * n.mantissa + 1, n.exponent - 1};
      around(to_float_bits(middle, dtype));
      around(to_float_bits(n, dtype));
    }
  }
  for (int i = 0; i < 64; ++i) {
    const Number power{Number::kFinite, (i & 1) != 0, 1, i};
    around(is_float(dtype) ? to_float_bits(power, dtype) : 1ull << i);
  }
  for (std::uint64_t& bits : out) bits &= width == 64 ? ~0ull : (1ull << width) - 1;
  return out;
}

Tensor tensor_of(DType dtype, const std::vector<std::uint64_t>& list) {
  auto out = Tensor::allocate(dtype, Shape{static_cast<std::int64_t>(list.size())});
  const auto size = static_cast<std::size_t>(width_of(dtype).raw());
  for (std::size_t i = 0; i < list.size(); ++i) {
    std::memcpy(out->mutable_bytes().data() + i * size, &list[i], size);
  }
  return out.take();
}

std::shared_ptr<const Attrs> to_type(DType to) {
  return attrs<CastAttrs>([&](auto& a) { a.to = to; });
}

void check_definition(DType from, DType to) {
  const auto list = patterns(from);
  const Tensor x = tensor_of(from, list);
  const Tensor* inputs[] = {&x};
  const auto got = evaluate_node(*OpSet::builtin().find("Cast"), *to_type(to), "cast", inputs, 1);
  REQUIRE(got.ok());
  std::vector<std::uint64_t> wanted;
  for (std::uint64_t bits : list) wanted.push_back(expected_bits(bits, from, to));
  const Tensor want = tensor_of(to, wanted);
  const std::string d = difference_of_bits((*got)[0], want, want);
  CHECK_MESSAGE(d.empty(), dtype_name(from), " to ", dtype_name(to), ": ", d);
}

}  // namespace

TEST_CASE("Cast of every pair of types rounds once, saturates and keeps the low bits") {
  for (DType from : kTypes) {
    for (DType to : kTypes) check_definition(from, to);
  }
}

TEST_CASE("Cast is the same on every device, bit for bit") {
  Suite s("Cast");
  for (DType from : kTypes) {
    const Tensor x = tensor_of(from, patterns(from));
    for (DType to : kTypes) {
      const std::string name = std::string(dtype_name(from)) + " to " + std::string(dtype_name(to));
      CHECK(s.add_if_taken(name, {x}, to_type(to), true));
    }
  }
  s.run();
}

}  // namespace polaris::test
