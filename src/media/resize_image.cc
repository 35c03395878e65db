#include "media/resize_image.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

namespace polaris {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"nearest", "box", "bilinear", "bicubic",
                                                    "lanczos"};
/// Weights are whole numbers of this many fractional bits, as Pillow's are.
constexpr int kFractionBits = 22;

double support_of(ResizeFilter filter) {
  switch (filter) {
    case ResizeFilter::kNearest: break;
    case ResizeFilter::kBox: return 0.5;
    case ResizeFilter::kBilinear: return 1;
    case ResizeFilter::kBicubic: return 2;
    case ResizeFilter::kLanczos: return 3;
  }
  return 0;
}

double sinc(double x) {
  if (x == 0) return 1;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double weight_of(ResizeFilter filter, double x) {
  constexpr double kA = -0.5;
  switch (filter) {
    case ResizeFilter::kNearest: break;
    case ResizeFilter::kBox: return x > -0.5 && x <= 0.5 ? 1 : 0;
    case ResizeFilter::kBilinear: return std::max(0.0, 1 - std::fabs(x));
    case ResizeFilter::kBicubic:
      x = std::fabs(x);
      if (x < 1) return ((kA + 2) * x - (kA + 3)) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * kA : 0;
    case ResizeFilter::kLanczos: return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
  }
  return 0;
}

/// What the pixels along one axis are made of.
struct Taps {
  struct Run {
    std::int64_t first = 0;
    std::size_t begin = 0;  // in `weights`
    std::int64_t count = 0;
  };
  std::vector<Run> runs;
  std::vector<std::int32_t> weights;
};

Taps taps_of(std::int64_t from, std::int64_t to, ResizeFilter filter) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double widened = std::max(scale, 1.0);
  const double support = support_of(filter) * widened;
  Taps out;
  std::vector<double> real;
  for (std::int64_t i = 0; i < to; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    // Pillow drops the fraction, of negative numbers too.
    const double low = center - support + 0.5;
    const double high = center + support + 0.5;
    const auto first = std::max<std::int64_t>(0, static_cast<std::int64_t>(low));
    const auto end = std::min(from, static_cast<std::int64_t>(high));
    real.clear();
    double sum = 0;
    for (std::int64_t x = first; x < end; ++x) {
      real.push_back(weight_of(filter, (static_cast<double>(x) - center + 0.5) * (1.0 / widened)));
      sum += real.back();
    }
    out.runs.push_back({first, out.weights.size(), std::max<std::int64_t>(0, end - first)});
    for (double w : real) {
      if (sum != 0) w /= sum;
      w *= 1 << kFractionBits;
      out.weights.push_back(static_cast<std::int32_t>(w < 0 ? w - 0.5 : w + 0.5));
    }
  }
  return out;
}

std::uint8_t clipped(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

/// Each row by itself.
void across(const Image& from, const Taps& taps, Image& to) {
  std::uint8_t* out = to.rgb.data();
  for (std::int64_t y = 0; y < to.height; ++y) {
    const std::uint8_t* row = from.rgb.data() + y * from.width * kImageChannels;
    for (const Taps::Run& run : taps.runs) {
      std::int32_t sum[kImageChannels];
      std::fill_n(sum, kImageChannels, 1 << (kFractionBits - 1));
      const std::uint8_t* pixel = row + run.first * kImageChannels;
      for (std::int64_t k = 0; k < run.count; ++k, pixel += kImageChannels) {
        const std::int32_t weight = taps.weights[run.begin + static_cast<std::size_t>(k)];
        for (int c = 0; c < kImageChannels; ++c) sum[c] += pixel[c] * weight;
      }
      for (const std::int32_t s : sum) *out++ = clipped(s);
    }
  }
}

/// Each column by itself, a row of sums at a time.
void down(const Image& from, const Taps& taps, Image& to) {
  const auto bytes = static_cast<std::size_t>(from.width * kImageChannels);
  std::vector<std::int32_t> sums(bytes);
  std::uint8_t* out = to.rgb.data();
  for (const Taps::Run& run : taps.runs) {
    std::fill(sums.begin(), sums.end(), 1 << (kFractionBits - 1));
    for (std::int64_t k = 0; k < run.count; ++k) {
      const std::int32_t weight = taps.weights[run.begin + static_cast<std::size_t>(k)];
      const std::uint8_t* row = from.rgb.data() + static_cast<std::size_t>(run.first + k) * bytes;
      for (std::size_t i = 0; i < bytes; ++i) sums[i] += row[i] * weight;
    }
    for (const std::int32_t s : sums) *out++ = clipped(s);
  }
}

void nearest(const Image& from, Image& to) {
  const auto source = [](std::int64_t i, std::int64_t in, std::int64_t out) {
    const double scale = static_cast<double>(in) / static_cast<double>(out);
    return std::min(in - 1, static_cast<std::int64_t>((static_cast<double>(i) + 0.5) * scale));
  };
  std::uint8_t* out = to.rgb.data();
  for (std::int64_t y = 0; y < to.height; ++y) {
    const std::uint8_t* row =
        from.rgb.data() + source(y, from.height, to.height) * from.width * kImageChannels;
    for (std::int64_t x = 0; x < to.width; ++x, out += kImageChannels) {
      std::copy_n(row + source(x, from.width, to.width) * kImageChannels, kImageChannels, out);
    }
  }
}

}  // namespace

std::string_view resize_filter_name(ResizeFilter filter) {
  return kNames[static_cast<std::size_t>(filter)];
}

std::optional<ResizeFilter> resize_filter_from_name(std::string_view name) {
  const auto at = std::find(kNames.begin(), kNames.end(), name);
  if (at == kNames.end()) return std::nullopt;
  return static_cast<ResizeFilter>(at - kNames.begin());
}

Result<Image> resize_image(const Image& image, std::int64_t width, std::int64_t height,
                           ResizeFilter filter) {
  auto out = make_image("resize", width, height);
  if (!out) return out.error();
  if (filter == ResizeFilter::kNearest) {
    nearest(image, *out);
    return out;
  }
  if (width == image.width && height == image.height) return image;
  if (height == image.height) {
    across(image, taps_of(image.width, width, filter), *out);
    return out;
  }
  const Taps vertical = taps_of(image.height, height, filter);
  if (width == image.width) {
    down(image, vertical, *out);
    return out;
  }
  auto middle = make_image("resize", width, image.height);
  if (!middle) return middle.error();
  across(image, taps_of(image.width, width, filter), *middle);
  down(*middle, vertical, *out);
  return out;
}

}  // namespace polaris
