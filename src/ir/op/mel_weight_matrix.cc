#include <cmath>

#include "ir/op_attrs/signal.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/known_count.h"

namespace polaris {
namespace {

enum Operand : int { kBins, kLength, kRate, kLow, kHigh };

Status infer(InferContext& c) {
  const DType dtype = c.as<MelWeightMatrixAttrs>().output_datatype;
  if (!contains(kNumericTypes, dtype)) {
    return c.fail("output_datatype, got " + std::string(dtype_name(dtype)) + ", wanted a number");
  }
  const auto bins = known_count(c, kBins, "num_mel_bins", 0);
  if (!bins) return bins.error();
  const auto length = known_count(c, kLength, "dft_length", 0);
  if (!length) return length.error();
  const auto rate = known_count(c, kRate, "sample_rate", 1);
  if (!rate) return rate.error();
  for (int i : {kLow, kHigh}) {
    if (auto s = all_of(check_dtype(c, i, kFloatTypes), check_rank(c, i, 0, 1)); !s) return s;
    for (std::int64_t dim : c.in(i).shape) {
      if (auto s = check_dims(c, "size of an edge", dim, 1); !s) return s;
    }
  }
  const std::int64_t rows = length->is_number() ? length->value / 2 + 1 : kUnknownDim;
  set_output(c, 0, dtype, Shape{rows, bins->dim()});
  return Status::success();
}

double to_mel(double hertz) { return 2595 * std::log10(1 + hertz / 700); }
double to_hertz(double mel) { return 700 * (std::pow(10, mel / 2595) - 1); }

/// The weight of a row of the spectrum in the triangle of a bin between three rows.
double weight(std::int64_t row, std::int64_t left, std::int64_t center, std::int64_t right) {
  if (row == center && left == center) return 1;
  if (row >= left && row <= center) {
    // Where the triangle falls from its middle on, that is 1 too.
    return static_cast<double>(row - left) / static_cast<double>(center - left);
  }
  if (row < center || row >= right) return 0;
  return static_cast<double>(right - row) / static_cast<double>(right - center);
}

Status reference(RefContext& c) {
  const Shape& out = c.out(0).type.shape;
  const auto length = static_cast<double>(get_i64(c.in(kLength), 0));
  const auto rate = static_cast<double>(get_i64(c.in(kRate), 0));
  if (rate < 1) return c.fail("sample_rate, got " + std::to_string(rate) + ", wanted 1 or more");
  const double low = to_mel(get_f64(c.in(kLow), 0));
  const double step = (to_mel(get_f64(c.in(kHigh), 0)) - low) / static_cast<double>(out[1] + 2);
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < out[1] + 2; ++i) {
    const double row =
        std::floor((length + 1) * to_hertz(static_cast<double>(i) * step + low) / rate);
    if (!(row >= 0 && row < static_cast<double>(out[0]))) {
      return c.fail("edges, got row " + std::to_string(row) + " of a spectrum of " +
                    std::to_string(out[0]));
    }
    rows.push_back(static_cast<std::int64_t>(row));
  }
  for (std::int64_t i = 0; i < out[0] * out[1]; ++i) {
    const auto bin = static_cast<std::size_t>(i % out[1]);
    put_f64(c.out(0), i, weight(i / out[1], rows[bin], rows[bin + 1], rows[bin + 2]));
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"num_mel_bins", kHostRead},
                            {"dft_length", kHostRead},
                            {"sample_rate", kHostRead},
                            {"lower_edge_hertz", kHostRead},
                            {"upper_edge_hertz", kHostRead}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_mel_weight_matrix{
    .name = "MelWeightMatrix",
    .doc =
        "[rows of a spectrum, mel bins]: triangles between edges that are even on the mel scale.",
    .since = 17,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<MelWeightMatrixAttrs>,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
