#include "media/resample.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string>

namespace polaris {
namespace {

constexpr double kCrossings = 24;  // of the sinc, on each side
constexpr double kPassed = 0.92;   // of the lower Nyquist frequency
constexpr double kKaiserBeta = 9;
constexpr std::int64_t kTableMax = std::int64_t{1} << 24;

/// Bessel's function of order 0, modified, by its series.
double bessel_i0(double x) {
  double sum = 1;
  double term = 1;
  for (int k = 1; term > sum * 1e-17; ++k) {
    term *= (x / (2 * k)) * (x / (2 * k));
    sum += term;
  }
  return sum;
}

double tap(double distance, double cutoff, double half_width) {
  const double at = distance / half_width;
  if (std::fabs(at) >= 1) return 0;
  const double x = std::numbers::pi * cutoff * distance;
  const double sinc = x == 0 ? 1 : std::sin(x) / x;
  return sinc * bessel_i0(kKaiserBeta * std::sqrt(1 - at * at));
}

}  // namespace

Result<Sound> resample(const Sound& sound, std::int64_t rate_hz) {
  for (const std::int64_t rate : {sound.rate_hz, rate_hz}) {
    if (rate >= 1 && rate <= kSoundRateMax) continue;
    return Error::invalid("[resample] rate, got " + std::to_string(rate) + " Hz, wanted 1 to " +
                          std::to_string(kSoundRateMax));
  }
  if (rate_hz == sound.rate_hz) return sound;
  const std::int64_t common = std::gcd(rate_hz, sound.rate_hz);
  const std::int64_t up = rate_hz / common;
  const std::int64_t down = std::max<std::int64_t>(1, sound.rate_hz / common);
  const auto length = static_cast<std::int64_t>(sound.samples.size());
  const std::int64_t wanted = (length * up + down - 1) / down;
  // In samples of the sound that is there.
  const double cutoff =
      kPassed * std::min(1.0, static_cast<double>(up) / static_cast<double>(down));
  const double half_width = kCrossings / cutoff;
  const auto reach = static_cast<std::int64_t>(std::ceil(half_width));
  const std::int64_t taps = 2 * reach + 1;
  if (wanted > kSoundSamplesMax) {
    return Error::invalid("[resample] samples, got " + std::to_string(wanted) +
                          ", wanted at most " + std::to_string(kSoundSamplesMax));
  }
  if (up > kTableMax / taps) {
    return Error::unsupported("[resample] from " + std::to_string(sound.rate_hz) + " Hz to " +
                              std::to_string(rate_hz) + " Hz, whose ratio is " +
                              std::to_string(up) + " / " + std::to_string(down));
  }
  // The places of new samples between old ones repeat after `up` of them.
  std::vector<float> table(static_cast<std::size_t>(up * taps));
  for (std::int64_t phase = 0; phase < up; ++phase) {
    float* row = table.data() + phase * taps;
    const double between = static_cast<double>(phase * down % up) / static_cast<double>(up);
    std::vector<double> weights;
    double sum = 0;
    for (std::int64_t t = 0; t < taps; ++t) {
      weights.push_back(tap(static_cast<double>(t - reach) - between, cutoff, half_width));
      sum += weights.back();
    }
    for (double w : weights) *row++ = static_cast<float>(w / sum);
  }
  Sound out{rate_hz, std::vector<float>(static_cast<std::size_t>(wanted))};
  for (std::int64_t i = 0; i < wanted; ++i) {
    const float* row = table.data() + i % up * taps;
    const std::int64_t first = i * down / up - reach;
    const std::int64_t begin = std::max<std::int64_t>(0, -first);
    const std::int64_t end = std::min(taps, length - first);
    double sum = 0;
    for (std::int64_t t = begin; t < end; ++t) {
      sum += static_cast<double>(row[t]) *
             static_cast<double>(sound.samples[static_cast<std::size_t>(first + t)]);
    }
    out.samples[static_cast<std::size_t>(i)] = static_cast<float>(sum);
  }
  return out;
}

}  // namespace polaris
