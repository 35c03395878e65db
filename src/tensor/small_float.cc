#include "tensor/small_float.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace polaris {
namespace {

/// Sign, exponent and mantissa from the top bit down. Codes above `largest` (without the sign) are
/// infinity, then NaN.
struct Format {
  enum class Special : std::uint8_t {
    kInfinity,  // IEEE's: infinity behind the largest number, NaN behind that
    kNan,       // one NaN of either sign, no infinity
    kMinus,     // the code of minus zero is the one NaN
    kNone,
  };
  int bits;
  int mantissa;
  int bias;
  std::uint8_t largest;
  Special special;

  std::uint8_t sign() const { return static_cast<std::uint8_t>(1u << (bits - 1)); }
};

using Special = Format::Special;
constexpr Format kE4M3FN{8, 3, 7, 0x7E, Special::kNan};
constexpr Format kE4M3FNUZ{8, 3, 8, 0x7F, Special::kMinus};
constexpr Format kE5M2{8, 2, 15, 0x7B, Special::kInfinity};
constexpr Format kE5M2FNUZ{8, 2, 16, 0x7F, Special::kMinus};
constexpr Format kE2M1{4, 1, 1, 0x7, Special::kNone};

const Format& format_of(DType dtype) {
  switch (dtype) {
    case DType::kF8E4M3FN: return kE4M3FN;
    case DType::kF8E4M3FNUZ: return kE4M3FNUZ;
    case DType::kF8E5M2: return kE5M2;
    case DType::kF8E5M2FNUZ: return kE5M2FNUZ;
    default: return kE2M1;
  }
}

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr int kScaleBias = 127;
constexpr std::uint8_t kScaleNan = 0xFF;

std::uint8_t encode_scale(double value, SmallRounding rounding) {
  constexpr double kMin = 0x1p-127;
  constexpr double kMax = 0x1p127;
  if (std::isnan(value)) return kScaleNan;
  if (value < kMin) return rounding.saturate ? 0 : kScaleNan;
  if (value > kMax) return rounding.saturate ? kScaleNan - 1 : kScaleNan;
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);  // in [0.5, 1)
  --exponent;
  const bool up = rounding.scale == SmallRounding::Scale::kUp        ? fraction > 0.5
                  : rounding.scale == SmallRounding::Scale::kNearest ? fraction >= 0.75
                                                                     : false;
  return static_cast<std::uint8_t>(exponent + kScaleBias + (up ? 1 : 0));
}

}  // namespace

double decode_small_float(DType dtype, std::uint8_t code) {
  if (dtype == DType::kF8E8M0) {
    return code == kScaleNan ? kNan : std::ldexp(1.0, code - kScaleBias);
  }
  const Format& f = format_of(dtype);
  const unsigned magnitude = code & (f.sign() - 1u);
  const bool negative = (code & f.sign()) != 0;
  if (f.special == Special::kMinus && negative && magnitude == 0) return kNan;
  double value = kNan;
  if (magnitude <= f.largest) {
    const int exponent = static_cast<int>(magnitude >> f.mantissa);
    const unsigned mantissa = magnitude & ((1u << f.mantissa) - 1u);
    const unsigned hidden = exponent > 0 ? 1u << f.mantissa : 0u;
    value = std::ldexp(hidden | mantissa, (exponent > 0 ? exponent : 1) - f.bias - f.mantissa);
  } else if (f.special == Special::kInfinity && magnitude == f.largest + 1u) {
    value = std::numeric_limits<double>::infinity();
  }
  return negative ? -value : value;
}

std::uint8_t encode_small_float(DType dtype, double value, SmallRounding rounding) {
  if (dtype == DType::kF8E8M0) return encode_scale(value, rounding);
  const Format& f = format_of(dtype);
  const auto sign = static_cast<std::uint8_t>(std::signbit(value) ? f.sign() : 0);
  if (std::isnan(value)) {
    if (f.special == Special::kMinus || f.special == Special::kNone) return f.sign();
    const unsigned nan = f.special == Special::kInfinity ? f.largest + 3u : f.largest + 1u;
    return static_cast<std::uint8_t>(sign | nan);
  }
  const double magnitude = std::fabs(value);
  unsigned code = f.largest + 1u;
  // Far beyond the range, so that infinity and what ldexp could not hold take the same way.
  if (magnitude < 0x1p20) {
    const int lowest = 1 - f.bias;
    const int exponent = magnitude > 0 ? std::max(std::ilogb(magnitude), lowest) : lowest;
    // The hidden bit carries into the exponent, as does a mantissa that is rounded up to it.
    const double steps = std::nearbyint(std::ldexp(magnitude, f.mantissa - exponent));
    code = (static_cast<unsigned>(exponent - lowest) << f.mantissa) + static_cast<unsigned>(steps);
  }
  if (code > f.largest) {
    if (rounding.saturate || f.special == Special::kNone) {
      code = f.largest;
    } else if (f.special == Special::kMinus) {
      return f.sign();
    } else {
      code = f.largest + 1u;
    }
  }
  if (code == 0 && f.special == Special::kMinus) return 0;
  return static_cast<std::uint8_t>(sign | code);
}

}  // namespace polaris
