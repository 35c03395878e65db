#include <cmath>

#include "ir/op_util/conv_geometry.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/work.h"

namespace polaris {
namespace {

enum Operand : int { kX, kW, kOffset, kB, kMask };

/// The windows before they are moved.
Result<ConvGeometry> geometry_of(const Shape& x, const Shape& w, const DeformConvAttrs& attrs) {
  ConvAttrs conv;
  conv.dilations = attrs.dilations;
  conv.group = attrs.group;
  conv.kernel_shape = attrs.kernel_shape;
  conv.pads = attrs.pads;
  conv.strides = attrs.strides;
  return conv_geometry(x, w, conv);
}

/// offset and mask hold so many numbers for each tap of each group.
Status check_taps(const InferContext& c, int i, std::string_view name, const ConvGeometry& g,
                  std::int64_t each) {
  if (!c.has(i)) return Status::success();
  if (auto s = check_rank(c, i, 4, 4); !s) return s;
  const Shape& shape = c.in(i).shape;
  const std::string of = " of " + std::string(name);
  const Shape& w = c.in(kW).shape;
  const std::int64_t numbers =
      dim_mul(dim_mul(w[2], w[3]), dim_mul(each, c.as<DeformConvAttrs>().offset_group));
  const Shape out = g.output(w[0]);
  return all_of(check_dims(c, "batch" + of, shape[0], c.in(kX).shape[0]),
                check_dims(c, "dim 1" + of, shape[1], numbers),
                check_dims(c, "height" + of, shape[2], out[2]),
                check_dims(c, "width" + of, shape[3], out[3]));
}

Status infer(InferContext& c) {
  const auto& attrs = c.as<DeformConvAttrs>();
  if (auto s = all_of(check_dtype(c, kX, kFloatTypes), check_same_dtype(c, kX, kW),
                      check_same_dtype(c, kX, kOffset), check_same_dtype(c, kX, kB),
                      check_same_dtype(c, kX, kMask), check_rank(c, kX, 4, 4),
                      check_rank(c, kW, 4, 4), check_rank(c, kB, 1, 1));
      !s) {
    return s;
  }
  const Shape& x = c.in(kX).shape;
  if (attrs.offset_group < 1 || (is_static_dim(x[1]) && x[1] % attrs.offset_group != 0)) {
    return c.fail("offset_group, got " + std::to_string(attrs.offset_group) +
                  ", wanted a divisor of the " + dim_text(x[1]) + " channels");
  }
  const auto g = geometry_of(x, c.in(kW).shape, attrs);
  if (!g) return c.fail(g.error().message());
  if (auto s = all_of(check_taps(c, kOffset, "offset", *g, 2), check_taps(c, kMask, "mask", *g, 1));
      !s) {
    return s;
  }
  if (c.has(kB)) {
    if (auto s = check_dims(c, "size of B", c.in(kB).shape[0], c.in(kW).shape[0]); !s) return s;
  }
  set_output(c, 0, c.in(kX).dtype, g->output(c.in(kW).shape[0]));
  return Status::success();
}

/// The element at a place between elements; outside are zeros.
double interpolated(const RefTensor& x, std::int64_t base, std::int64_t height, std::int64_t width,
                    double row, double column) {
  // What is so far outside, or no number, is nowhere.
  if (!(row > -1 && row < static_cast<double>(height) && column > -1 &&
        column < static_cast<double>(width))) {
    return 0;
  }
  const double top = std::floor(row);
  const double left = std::floor(column);
  double sum = 0;
  for (int k = 0; k < 4; ++k) {
    const double r = top + (k >> 1);
    const double s = left + (k & 1);
    const double weight = (1 - std::fabs(row - r)) * (1 - std::fabs(column - s));
    const auto ri = static_cast<std::int64_t>(r);
    const auto si = static_cast<std::int64_t>(s);
    if (weight == 0 || ri < 0 || ri >= height || si < 0 || si >= width) continue;
    sum += weight * get_f64(x, base + ri * width + si);
  }
  return sum;
}

/// What one output position reads of a channel: each tap moved by its offset and times its mask.
class Taps {
 public:
  Taps(const RefContext& c, const ConvGeometry& g, std::int64_t offset_groups)
      : c_(c), g_(g), groups_(offset_groups), taps_(g.kernel_size()), places_(g.out_size()) {}

  double read(std::int64_t batch, std::int64_t channel, std::int64_t tap,
              std::int64_t place) const {
    const WindowDim& rows = g_.dims[1];
    const WindowDim& columns = g_.dims[2];
    const std::int64_t channels = g_.groups * g_.group_in;
    const std::int64_t group = channel / (channels / groups_);
    const std::int64_t at = (batch * groups_ + group) * taps_ + tap;
    const double down = get_f64(c_.in(kOffset), (2 * at) * places_ + place);
    const double right = get_f64(c_.in(kOffset), (2 * at + 1) * places_ + place);
    const std::int64_t row =
        place / columns.out * rows.stride - rows.pad_begin + tap / columns.kernel * rows.dilation;
    const std::int64_t column = place % columns.out * columns.stride - columns.pad_begin +
                                tap % columns.kernel * columns.dilation;
    const double x =
        interpolated(c_.in(kX), (batch * channels + channel) * g_.in_size(), rows.in, columns.in,
                     static_cast<double>(row) + down, static_cast<double>(column) + right);
    return c_.has(kMask) ? x * get_f64(c_.in(kMask), at * places_ + place) : x;
  }

 private:
  const RefContext& c_;
  const ConvGeometry& g_;
  std::int64_t groups_;
  std::int64_t taps_;
  std::int64_t places_;
};

Status reference(RefContext& c) {
  if (c.out(0).type.shape.elements() == 0) return Status::success();
  const auto& attrs = c.as<DeformConvAttrs>();
  const auto g = geometry_of(c.in(kX).type.shape, c.in(kW).type.shape, attrs);
  if (!g) return c.fail(g.error().message());
  const std::int64_t places = g->out_size();
  const std::int64_t taps = g->kernel_size();
  const std::int64_t outputs = g->groups * g->group_out;
  const Taps moved(c, *g, attrs.offset_group);
  std::vector<double> column(static_cast<std::size_t>(g->group_in * taps));
  for (std::int64_t i = 0; i < g->batch * g->groups * places; ++i) {
    const std::int64_t place = i % places;
    const std::int64_t group = i / places % g->groups;
    const std::int64_t batch = i / places / g->groups;
    for (std::int64_t k = 0; k < g->group_in * taps; ++k) {
      column[static_cast<std::size_t>(k)] =
          moved.read(batch, group * g->group_in + k / taps, k % taps, place);
    }
    for (std::int64_t m = group * g->group_out; m < (group + 1) * g->group_out; ++m) {
      double sum = c.has(kB) ? get_f64(c.in(kB), m) : 0;
      for (std::int64_t k = 0; k < g->group_in * taps; ++k) {
        sum += get_f64(c.in(kW), m * g->group_in * taps + k) * column[static_cast<std::size_t>(k)];
      }
      put_f64(c.out(0), (batch * outputs + m) * places + place, sum);
    }
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) {
  const Shape& w = n.inputs[kW].shape;
  return work_of({2, n.outputs[0].shape.elements(), w[1], w[2], w[3]});
}

constexpr Port kInputs[] = {{"X"}, {"W"}, {"offset"}, {"B", kOptional}, {"mask", kOptional}};
constexpr Port kOutputs[] = {{"Y"}};

}  // namespace

extern constinit const OpDef op_deform_conv{
    .name = "DeformConv",
    .doc =
        "Convolution over two spatial dims whose taps are moved by offsets and interpolated, each "
        "times its mask.",
    .since = 22,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<DeformConvAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
