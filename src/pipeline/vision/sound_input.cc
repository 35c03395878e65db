#include "pipeline/vision/sound_input.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "media/resample.h"
#include "tensor/element.h"

namespace polaris {

Result<SoundInput> SoundInput::create(MediaPort port, const ModelCard& card) {
  const auto refused = [&] {
    return Error::unsupported("[media] input " + port_text(port) +
                              ", wanted a waveform: [samples] or [1, samples]");
  };
  SoundInput out;
  const Shape& shape = port.shape;
  if (shape.rank() < 1 || shape.rank() > 3) return refused();
  if (!is_float(port.dtype) && port.dtype != DType::kI16) return refused();
  if (is_small(port.dtype)) return refused();
  // The longest dim, an open one before a fixed one where the fixed ones are 1; of open ones the
  // last.
  for (int d = 0; d < shape.rank(); ++d) {
    const bool better = shape[d] == kUnknownDim
                            ? shape[out.axis_] == kUnknownDim || shape[out.axis_] <= 1
                            : shape[d] > 1;
    if (better) out.axis_ = d;
  }
  for (int d = 0; d < shape.rank(); ++d) {
    if (d != out.axis_ && shape[d] != 1 && shape[d] != kUnknownDim) return refused();
  }
  if (shape[out.axis_] != kUnknownDim) out.length_ = shape[out.axis_];
  if (out.length_ > kSoundSamplesMax || (out.length_ < 1 && shape[out.axis_] != kUnknownDim)) {
    return refused();
  }
  out.rate_hz_ = card.rate.value_or(0);
  out.port_ = std::move(port);
  return out;
}

Result<SoundInput::Placed> SoundInput::place(const Sound& sound) const {
  const auto at_rate = resample(sound, rate_hz_ > 0 ? rate_hz_ : sound.rate_hz);
  if (!at_rate) return at_rate.error();
  Placed out;
  out.found = static_cast<std::int64_t>(at_rate->samples.size());
  if (out.found == 0) return Error::invalid("[sound] recording, got no samples");
  const std::int64_t length = length_ > 0 ? length_ : out.found;
  out.taken = std::min(out.found, length);
  Shape shape = Shape::filled(port_.shape.rank(), 1);
  shape[axis_] = length;
  auto tensor = Tensor::allocate(port_.dtype, shape);
  if (!tensor) return tensor.error();
  std::byte* const to = tensor->mutable_bytes().data();
  for (std::int64_t i = 0; i < out.taken; ++i) {
    double value = static_cast<double>(at_rate->samples[static_cast<std::size_t>(i)]);
    if (!is_float(port_.dtype))
      value = std::clamp(std::nearbyint(value * 32768), -32768.0, 32767.0);
    store_f64(port_.dtype, to, i, value);
  }
  out.tensor = tensor.take();
  return out;
}

void SoundInput::list(Settings& out) const {
  out.push_back({"input", port_.name});
  if (rate_hz_ > 0) {
    out.push_back({"rate", rate_hz_});
  } else {
    out.push_back({"rate", std::string("the recording's own")});
  }
  if (length_ > 0) {
    out.push_back({"samples", length_});
  } else {
    out.push_back({"samples", std::string("all")});
  }
}

}  // namespace polaris
