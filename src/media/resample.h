#pragma once
#include <cstdint>

#include "media/sound.h"

namespace polaris {

/// The recording at another rate, by a windowed sinc (Kaiser's, 24 zero crossings a side, passing
/// up to 0.92 of the lower of both Nyquist frequencies): tones above that are more than 80 dB down.
/// The first sample stays where it is. Errors: invalid (a rate out of range, a result that is too
/// long), unsupported (rates whose ratio needs too large a table).
Result<Sound> resample(const Sound& sound, std::int64_t rate_hz);

}  // namespace polaris
