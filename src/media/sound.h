#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace polaris {

/// A recording, one number from -1 to 1 for each instant.
struct Sound {
  std::int64_t rate_hz = 0;
  std::vector<float> samples;
};

/// What a recording may have, whatever its file says.
inline constexpr std::int64_t kSoundSamplesMax = std::int64_t{1} << 27;
inline constexpr std::int64_t kSoundChannelsMax = 64;
inline constexpr std::int64_t kSoundRateMax = 768000;

/// Whether the first bytes are those of a WAV or a FLAC file.
bool is_sound(std::span<const std::byte> file);

/// A WAV file (PCM, float, A-law or mu-law) or a FLAC file; several channels become their mean.
/// Errors: unsupported (another format or coding), invalid (malformed, cut, too long).
Result<Sound> decode_sound(std::span<const std::byte> file);

}  // namespace polaris
