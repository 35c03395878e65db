#include <algorithm>
#include <cmath>

#include "ir/op_attrs/resize.h"
#include "ir/op_util/compare.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

constexpr std::int64_t kSizeMax = std::int64_t{1} << 24;

Status infer(InferContext& c) {
  const auto& attrs = c.as<MaxRoiPoolAttrs>();
  if (attrs.pooled_shape.size() != 2) {
    return c.fail("pooled_shape, got " + std::to_string(attrs.pooled_shape.size()) +
                  " values, wanted 2");
  }
  for (std::int64_t size : attrs.pooled_shape) {
    if (size < 1 || size > kSizeMax) {
      return c.fail("pooled_shape, got " + std::to_string(size) + ", wanted 1 to " +
                    std::to_string(kSizeMax));
    }
  }
  if (auto s =
          all_of(check_dtype(c, 0, kFloatTypes), check_same_dtype(c, 0, 1), check_rank(c, 0, 4, 4),
                 check_rank(c, 1, 2, 2), check_dims(c, "last dim of rois", c.in(1).shape[1], 5));
      !s) {
    return s;
  }
  set_output(
      c, 0, c.in(0).dtype,
      Shape{c.in(1).shape[0], c.in(0).shape[1], attrs.pooled_shape[0], attrs.pooled_shape[1]});
  return Status::success();
}

/// Elements [from, to) of a dim.
struct Range {
  std::int64_t from = 0;
  std::int64_t to = 0;
};

/// Bin `bin` of `bins` of the region between two rounded corners, which has one element at least.
Range bin_range(double low, double high, double scale, std::int64_t bin, std::int64_t bins,
                std::int64_t extent) {
  const double start = std::round(low * scale);
  const double size = std::max(std::round(high * scale) - start + 1, 1.0);
  const double each = size / static_cast<double>(bins);
  const auto limit = static_cast<double>(extent);
  const double from = std::floor(static_cast<double>(bin) * each) + start;
  const double to = std::ceil(static_cast<double>(bin + 1) * each) + start;
  if (std::isnan(from) || std::isnan(to)) return {};
  return {static_cast<std::int64_t>(std::clamp(from, 0.0, limit)),
          static_cast<std::int64_t>(std::clamp(to, 0.0, limit))};
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<MaxRoiPoolAttrs>();
  const auto scale = static_cast<double>(attrs.spatial_scale);
  const Shape& x = c.in(0).type.shape;
  Walk walk(c.out(0).type.shape);
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
    const Shape& at = walk.at();
    const auto roi = [&](int k) { return get_f64(c.in(1), at[0] * 5 + k); };
    if (!(roi(0) >= 0 && roi(0) < static_cast<double>(x[0]))) {
      return c.fail("batch index of roi " + std::to_string(at[0]) + ", got " +
                    std::to_string(roi(0)) + ", wanted 0 to " + std::to_string(x[0] - 1));
    }
    const std::int64_t base = (static_cast<std::int64_t>(roi(0)) * x[1] + at[1]) * x[2] * x[3];
    const Range rows = bin_range(roi(2), roi(4), scale, at[2], attrs.pooled_shape[0], x[2]);
    const Range columns = bin_range(roi(1), roi(3), scale, at[3], attrs.pooled_shape[1], x[3]);
    std::int64_t best = -1;
    for (std::int64_t row = rows.from; row < rows.to; ++row) {
      for (std::int64_t column = columns.from; column < columns.to; ++column) {
        const std::int64_t place = base + row * x[3] + column;
        if (best < 0 || element_beats(c.in(0), place, best, true)) best = place;
      }
    }
    if (best < 0) {
      put_f64(c.out(0), i, 0);
    } else {
      copy_elements(c.out(0), i, c.in(0), best);
    }
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"X"}, {"rois"}};
constexpr Port kOutputs[] = {{"Y"}};

}  // namespace

extern constinit const OpDef op_max_roi_pool{
    .name = "MaxRoiPool",
    .doc = "Each region of interest as a map of fixed size, of the largest element of each bin.",
    .since = 22,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<MaxRoiPoolAttrs>,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
