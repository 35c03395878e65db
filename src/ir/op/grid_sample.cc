#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/resample.h"
#include "ir/op_util/work.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  const auto& attrs = c.as<GridSampleAttrs>();
  if (attrs.mode != "nearest" && attrs.mode != "linear" && attrs.mode != "cubic") {
    return c.fail("mode, got '" + printable(attrs.mode) + "', wanted nearest, linear or cubic");
  }
  if (attrs.padding_mode != "zeros" && attrs.padding_mode != "border" &&
      attrs.padding_mode != "reflection") {
    return c.fail("padding_mode, got '" + printable(attrs.padding_mode) +
                  "', wanted zeros, border or reflection");
  }
  const Shape& x = c.in(0).shape;
  if (auto s = all_of(check_dtype(c, 0, kAllTypes), check_dtype(c, 1, kFloatTypes),
                      check_rank(c, 0, 3), check_rank(c, 1, x.rank(), x.rank()));
      !s) {
    return s;
  }
  const Shape& grid = c.in(1).shape;
  if (auto s = all_of(check_dims(c, "batch of grid", grid[0], x[0]),
                      check_dims(c, "last dim of grid", grid.back(), x.rank() - 2));
      !s) {
    return s;
  }
  Shape out{x[0], x[1]};
  for (int d = 1; d + 1 < grid.rank(); ++d) out.push_back(grid[d]);
  for (int d = 2; d < x.rank(); ++d) {
    if (x[d] == 0 && out.is_static() && out.checked_elements() != 0) {
      return c.fail("X, got " + x.to_string() + ", of which nothing can be sampled");
    }
  }
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

/// One spatial dim and what lies beyond its ends.
struct Line {
  double size = 1;
  bool align = false;
  std::string_view padding;

  double low() const { return align ? 0 : -0.5; }
  double high() const { return align ? size - 1 : size - 0.5; }
  /// A place beyond the ends thrown back by them.
  double reflect(double x) const {
    const double range = high() - low();
    const double turn = std::fmod(x < low() ? low() - x : x - high(), 2 * range);
    if (!(turn >= 0)) return std::max(low(), 0.0);  // the line is a point, or the place infinite
    const double along = turn < range ? turn : 2 * range - turn;
    return x < low() ? low() + along : high() - along;
  }
  /// The place that -1 to 1 stand for. NaN counts as -1, as PyTorch has it.
  double place(double normal, bool whole) const {
    if (std::isnan(normal)) normal = -1;
    double x = align ? (normal + 1) / 2 * (size - 1) : ((normal + 1) * size - 1) / 2;
    if (whole) x = std::nearbyint(x);
    if (x < low() || x > high()) {
      if (padding == "border") x = std::clamp(x, 0.0, size - 1);
      if (padding == "reflection") x = reflect(x);
    }
    return std::clamp(x, -4.0, size + 4);  // of what is so far outside there is nothing
  }
  /// The element at a whole place, or -1 for a zero.
  std::int64_t element(double x) const {
    const double last = size - 1;
    if (x >= 0 && x <= last) return static_cast<std::int64_t>(x);
    if (padding == "zeros") return -1;
    if (padding == "border") return static_cast<std::int64_t>(std::clamp(x, 0.0, last));
    return static_cast<std::int64_t>(std::clamp(reflect(x), 0.0, last));
  }
};

/// What one dim of a place is made of; index -1 is a zero.
struct DimTaps {
  Tap taps[4];
  int count = 0;
};

DimTaps taps_of(const Line& line, double normal, const std::string& mode) {
  DimTaps out;
  const double x = line.place(normal, mode == "nearest");
  const double floor = std::floor(x);
  const auto add = [&](double offset, double weight) {
    out.taps[out.count++] = {line.element(floor + offset), weight};
  };
  if (mode == "nearest") {
    add(0, 1);
  } else if (mode == "linear") {
    add(0, 1 - (x - floor));
    add(1, x - floor);
  } else {
    const auto weights = cubic_weights(x - floor, -0.75);
    for (int k = 0; k < 4; ++k) add(k - 1, weights[static_cast<std::size_t>(k)]);
  }
  return out;
}

/// The offset in a channel and the weight of each combination of the dims' taps; an element of no
/// weight is left out, whatever it is.
void combine(const std::vector<DimTaps>& dims, const Shape& x, std::vector<Tap>& out) {
  out.assign(1, Tap{0, 1});
  for (std::size_t d = 0; d < dims.size(); ++d) {
    std::vector<Tap> next;
    for (const Tap& before : out) {
      for (int k = 0; k < dims[d].count; ++k) {
        const Tap& tap = dims[d].taps[k];
        if (tap.index < 0 || tap.weight == 0) continue;
        next.push_back(
            {before.index * x[static_cast<int>(d) + 2] + tap.index, before.weight * tap.weight});
      }
    }
    out = std::move(next);
  }
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<GridSampleAttrs>();
  const Shape& x = c.in(0).type.shape;
  const int spatial = x.rank() - 2;
  const Shape& out = c.out(0).type.shape;
  const std::int64_t places = out.elements_between(2, out.rank());
  const std::int64_t plane = x.elements_between(2, x.rank());
  std::vector<DimTaps> dims(static_cast<std::size_t>(spatial));
  std::vector<Tap> taps;
  if (out.elements() == 0) return Status::success();
  for (std::int64_t i = 0; i < x[0] * places; ++i) {
    for (int d = 0; d < spatial; ++d) {
      const Line line{static_cast<double>(x[d + 2]), attrs.align_corners, attrs.padding_mode};
      // The grid counts the dims from the last one.
      const double normal = get_f64(c.in(1), i * spatial + spatial - 1 - d);
      dims[static_cast<std::size_t>(d)] = taps_of(line, normal, attrs.mode);
    }
    combine(dims, x, taps);
    for (std::int64_t channel = 0; channel < x[1]; ++channel) {
      const std::int64_t from = (i / places * x[1] + channel) * plane;
      const std::int64_t to = (i / places * x[1] + channel) * places + i % places;
      if (attrs.mode == "nearest" && !taps.empty()) {
        copy_elements(c.out(0), to, c.in(0), from + taps[0].index);
        continue;
      }
      double sum = 0;
      for (const Tap& tap : taps) sum += tap.weight * get_f64(c.in(0), from + tap.index);
      put_f64(c.out(0), to, sum);
    }
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) {
  const auto& attrs = static_cast<const GridSampleAttrs&>(*n.attrs);
  const std::int64_t each = attrs.mode == "nearest" ? 1 : attrs.mode == "linear" ? 2 : 4;
  std::int64_t out = work_of({2, n.outputs[0].shape.elements()});
  for (int d = 2; d < n.inputs[0].shape.rank(); ++d) out = work_of({out, each});
  return out;
}

constexpr Port kInputs[] = {{"X"}, {"grid"}};
constexpr Port kOutputs[] = {{"Y"}};

}  // namespace

extern constinit const OpDef op_grid_sample{
    .name = "GridSample",
    .doc =
        "The input at the places of a grid, -1 and 1 being its ends: the nearest element, or "
        "linear "
        "or cubic interpolation; beyond the ends are zeros, the edge or the input mirrored.",
    .since = 22,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<GridSampleAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
