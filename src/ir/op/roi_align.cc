#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "ir/op_attrs/resize.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/work.h"

namespace polaris {
namespace {

constexpr std::int64_t kSizeMax = std::int64_t{1} << 24;
constexpr std::int64_t kSamplesMax = 4096;  // of a bin, along each dim

Status check_attributes(const InferContext& c, const RoiAlignAttrs& attrs) {
  if (attrs.mode != "avg" && attrs.mode != "max") {
    return c.fail("mode, got '" + printable(attrs.mode) + "', wanted avg or max");
  }
  if (attrs.coordinate_transformation_mode != "half_pixel" &&
      attrs.coordinate_transformation_mode != "output_half_pixel") {
    return c.fail("coordinate_transformation_mode, got '" +
                  printable(attrs.coordinate_transformation_mode) +
                  "', wanted half_pixel or output_half_pixel");
  }
  if (attrs.sampling_ratio < 0 || attrs.sampling_ratio > kSamplesMax) {
    return c.fail("sampling_ratio, got " + std::to_string(attrs.sampling_ratio) + ", wanted 0 to " +
                  std::to_string(kSamplesMax));
  }
  for (std::int64_t size : {attrs.output_height, attrs.output_width}) {
    if (size < 1 || size > kSizeMax) {
      return c.fail("output size, got " + std::to_string(size) + ", wanted 1 to " +
                    std::to_string(kSizeMax));
    }
  }
  return Status::success();
}

Status infer(InferContext& c) {
  const auto& attrs = c.as<RoiAlignAttrs>();
  if (auto s = all_of(check_attributes(c, attrs), check_dtype(c, 0, kFloatTypes),
                      check_same_dtype(c, 0, 1), check_dtype(c, 2, dtype_set(DType::kI64)),
                      check_rank(c, 0, 4, 4), check_rank(c, 1, 2, 2), check_rank(c, 2, 1, 1),
                      check_dims(c, "last dim of rois", c.in(1).shape[1], 4),
                      check_dims(c, "number of batch_indices", c.in(2).shape[0], c.in(1).shape[0]));
      !s) {
    return s;
  }
  const std::int64_t rois = is_static_dim(c.in(1).shape[0]) ? c.in(1).shape[0] : c.in(2).shape[0];
  set_output(c, 0, c.in(0).dtype,
             Shape{rois, c.in(0).shape[1], attrs.output_height, attrs.output_width});
  return Status::success();
}

/// A sample's two elements along a dim, and the second's share.
struct Sample {
  std::int64_t low = 0;
  std::int64_t high = 0;
  double share = 0;
};

/// The samples of a bin along one dim that lie on the map; `count` counts those beside it too.
struct BinSamples {
  std::vector<Sample> inside;
  double count = 0;
};

/// A region along one dim: `count` samples in each of its bins, which are `bin` long.
struct RoiDim {
  double start = 0;
  double bin = 0;
  double count = 0;  // samples in a bin
};

/// The samples of a bin, those off the map left out before they are visited, as there may be any
/// number of them.
BinSamples samples_of(const RoiDim& dim, std::int64_t bin, std::int64_t extent) {
  const double count = dim.count;
  const double start = dim.start + static_cast<double>(bin) * dim.bin;
  BinSamples out{{}, std::max(count, 0.0)};
  if (extent == 0 || !(count >= 1) || !std::isfinite(start) || !std::isfinite(dim.bin)) return out;
  const double step = dim.bin / count;
  const auto limit = static_cast<double>(extent);
  double from = 0;
  double to = count - 1;
  if (step != 0) {
    const double one = (-1 - start) / step - 0.5;
    const double other = (limit - start) / step - 0.5;
    from = std::max(from, std::floor(std::min(one, other)));
    to = std::min(to, std::ceil(std::max(one, other)));
  }
  const auto count_inside = to < from ? 0 : static_cast<std::int64_t>(to - from) + 1;
  for (std::int64_t i = 0; i < count_inside; ++i) {
    double x = start + (from + static_cast<double>(i) + 0.5) * step;
    if (!(x >= -1 && x <= limit)) continue;
    x = std::max(x, 0.0);
    Sample sample;
    sample.low = std::min(static_cast<std::int64_t>(x), extent - 1);
    sample.high = std::min(sample.low + 1, extent - 1);
    sample.share = sample.high == sample.low ? 0 : x - static_cast<double>(sample.low);
    out.inside.push_back(sample);
  }
  return out;
}

RoiDim roi_dim(double low, double high, std::int64_t bins, const RoiAlignAttrs& attrs) {
  const bool half = attrs.coordinate_transformation_mode == "half_pixel";
  const auto scale = static_cast<double>(attrs.spatial_scale);
  RoiDim out;
  out.start = low * scale - (half ? 0.5 : 0);
  double size = (high - low) * scale;
  if (!half) size = std::max(size, 1.0);
  out.bin = size / static_cast<double>(bins);
  out.count =
      attrs.sampling_ratio > 0 ? static_cast<double>(attrs.sampling_ratio) : std::ceil(out.bin);
  return out;
}

/// One bin of one channel. The largest is that of the weighted elements, as ONNX's tests have it.
double pool(const RefTensor& x, std::int64_t base, std::int64_t width, const BinSamples& rows,
            const BinSamples& columns, bool largest) {
  double out = 0;
  bool first = true;
  for (const Sample& row : rows.inside) {
    for (const Sample& column : columns.inside) {
      const double parts[] = {
          (1 - row.share) * (1 - column.share) * get_f64(x, base + row.low * width + column.low),
          (1 - row.share) * column.share * get_f64(x, base + row.low * width + column.high),
          row.share * (1 - column.share) * get_f64(x, base + row.high * width + column.low),
          row.share * column.share * get_f64(x, base + row.high * width + column.high)};
      for (double part : parts) {
        if (!largest) {
          out += part;
        } else if (first || !(part <= out)) {
          out = part;
        }
        first = false;
      }
    }
  }
  if (!largest) return out / std::max(rows.count * columns.count, 1.0);
  // A sample beside the map is a zero.
  const auto seen = static_cast<double>(rows.inside.size() * columns.inside.size());
  return seen < rows.count * columns.count ? std::max(out, 0.0) : out;
}

Status reference(RefContext& c) {
  if (c.out(0).type.shape.elements() == 0) return Status::success();
  const auto& attrs = c.as<RoiAlignAttrs>();
  const Shape& x = c.in(0).type.shape;
  const Shape& out = c.out(0).type.shape;
  for (std::int64_t r = 0; r < out[0]; ++r) {
    const std::int64_t batch = get_i64(c.in(2), r);
    if (batch < 0 || batch >= x[0]) {
      return c.fail("batch_indices, got " + std::to_string(batch) + ", wanted 0 to " +
                    std::to_string(x[0] - 1));
    }
    const auto corner = [&](int k) { return get_f64(c.in(1), r * 4 + k); };
    const RoiDim across = roi_dim(corner(0), corner(2), out[3], attrs);
    const RoiDim down = roi_dim(corner(1), corner(3), out[2], attrs);
    for (std::int64_t place = 0; place < out[2] * out[3]; ++place) {
      const std::int64_t row = place / out[3];
      const std::int64_t column = place % out[3];
      const BinSamples rows = samples_of(down, row, x[2]);
      const BinSamples columns = samples_of(across, column, x[3]);
      for (std::int64_t channel = 0; channel < out[1]; ++channel) {
        const std::int64_t base = (batch * x[1] + channel) * x[2] * x[3];
        put_f64(c.out(0), (r * out[1] + channel) * out[2] * out[3] + place,
                pool(c.in(0), base, x[3], rows, columns, attrs.mode == "max"));
      }
    }
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) {
  const std::int64_t ratio =
      std::max<std::int64_t>(static_cast<const RoiAlignAttrs&>(*n.attrs).sampling_ratio, 2);
  return work_of({8, ratio, ratio, n.outputs[0].shape.elements()});
}

constexpr Port kInputs[] = {{"X"}, {"rois"}, {"batch_indices"}};
constexpr Port kOutputs[] = {{"Y"}};

}  // namespace

extern constinit const OpDef op_roi_align{
    .name = "RoiAlign",
    .doc =
        "Each region of interest as a map of fixed size: the mean, or the largest, of samples of "
        "each bin, interpolated; what lies beside the map is zero.",
    .since = 22,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<RoiAlignAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
