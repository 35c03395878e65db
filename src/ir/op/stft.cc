#include "ir/op_attrs/signal.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/fourier.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/known_count.h"
#include "ir/op_util/work.h"

namespace polaris {
namespace {

enum Operand : int { kSignal, kStep, kWindow, kLength };

Status infer(InferContext& c) {
  const bool onesided = c.as<StftAttrs>().onesided;
  if (auto s = all_of(check_dtype(c, kSignal, kFloatTypes), check_rank(c, kSignal, 3, 3),
                      check_same_dtype(c, kSignal, kWindow), check_rank(c, kWindow, 1, 1));
      !s) {
    return s;
  }
  const Shape& signal = c.in(kSignal).shape;
  if (is_static_dim(signal[2]) &&
      (signal[2] < 1 || signal[2] > 2 || (onesided && signal[2] == 2))) {
    return c.fail("last dim of signal, got " + dim_text(signal[2]) + ", wanted 1" +
                  (onesided ? ", as onesided needs" : " or 2"));
  }
  if (!c.has(kWindow) && !c.has(kLength)) return c.fail("has neither window nor frame_length");
  const auto step = known_count(c, kStep, "frame_step", 1);
  if (!step) return step.error();
  std::int64_t length = c.has(kWindow) ? c.in(kWindow).shape[0] : kUnknownDim;
  if (c.has(kLength)) {
    const auto known = known_count(c, kLength, "frame_length", 1);
    if (!known) return known.error();
    const std::int64_t window = length;
    length = known->dim();
    if (is_static_dim(window) && is_static_dim(length) && window > length) {
      return c.fail("window, got " + dim_text(window) + " elements, wanted at most frame_length, " +
                    dim_text(length));
    }
  }
  const std::int64_t samples = signal[1];
  std::int64_t frames = kUnknownDim;
  if (is_static_dim(length) && (length == 0 || (is_static_dim(samples) && length > samples))) {
    return c.fail("frame, got " + dim_text(length) + " samples, wanted 1 to those of the signal, " +
                  dim_text(samples));
  }
  if (is_static_dim(length) && is_static_dim(samples) && step->is_number()) {
    frames = (samples - length) / step->value + 1;
  }
  std::int64_t bins = length;
  if (onesided) bins = is_static_dim(length) ? length / 2 + 1 : kUnknownDim;
  set_output(c, 0, c.in(kSignal).dtype, Shape{signal[0], frames, bins, 2});
  return Status::success();
}

Status reference(RefContext& c) {
  if (c.out(0).type.shape.elements() == 0) return Status::success();
  const Shape& signal = c.in(kSignal).type.shape;
  const Shape& out = c.out(0).type.shape;
  const std::int64_t parts = signal[2];
  const std::int64_t step = get_i64(c.in(kStep), 0);
  const std::int64_t length =
      c.has(kLength) ? get_i64(c.in(kLength), 0) : c.in(kWindow).type.shape[0];
  const std::int64_t covered = c.has(kWindow) ? c.in(kWindow).type.shape[0] : length;
  const Fourier fourier(length, false);
  for (std::int64_t i = 0; i < out[0] * out[1]; ++i) {
    const std::int64_t first = i / out[1] * signal[1] + i % out[1] * step;
    std::vector<Complex> x(static_cast<std::size_t>(length));
    for (std::int64_t k = 0; k < covered; ++k) {
      const double weight = c.has(kWindow) ? get_f64(c.in(kWindow), k) : 1;
      const std::int64_t from = (first + k) * parts;
      x[static_cast<std::size_t>(k)] = {weight * get_f64(c.in(kSignal), from),
                                        parts == 2 ? weight * get_f64(c.in(kSignal), from + 1) : 0};
    }
    const std::vector<Complex> y = fourier.transform(x);
    for (std::int64_t k = 0; k < out[2]; ++k) {
      put_f64(c.out(0), (i * out[2] + k) * 2, y[static_cast<std::size_t>(k)].re);
      put_f64(c.out(0), (i * out[2] + k) * 2 + 1, y[static_cast<std::size_t>(k)].im);
    }
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) { return work_of({40, n.outputs[0].shape.elements()}); }

constexpr Port kInputs[] = {{"signal"},
                            {"frame_step", kHostRead},
                            {"window", kOptional},
                            {"frame_length", kOptional | kHostRead}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_stft{
    .name = "STFT",
    .doc =
        "The discrete Fourier transforms of frames of a signal, each times the window; a window "
        "shorter than the frame leaves zeros behind it.",
    .since = 17,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<StftAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
