#pragma once
#include "media/sound.h"
#include "pipeline/vision/media_model.h"
#include "pipeline/vision/settings.h"

namespace polaris {

/// How recordings become a model's input: a waveform of [samples], [1, samples], [1, 1, samples] or
/// [1, samples, 1], of numbers from -1 to 1 or of 16-bit integers.
class SoundInput {
 public:
  /// Errors: unsupported where the input is no waveform.
  static Result<SoundInput> create(MediaPort port, const ModelCard& card);

  struct Placed {
    Tensor tensor;
    std::int64_t found = 0;  // samples, at the input's rate
    std::int64_t taken = 0;  // of those; what is missing for the input's length are zeros
  };
  Result<Placed> place(const Sound& sound) const;
  void list(Settings& out) const;

 private:
  MediaPort port_;
  int axis_ = 0;
  std::int64_t length_ = 0;   // 0: as long as the recording
  std::int64_t rate_hz_ = 0;  // 0: the recording's
};

}  // namespace polaris
