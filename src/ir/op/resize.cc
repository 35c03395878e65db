#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/resample.h"
#include "ir/op_util/work.h"

namespace polaris {
namespace {

enum Operand : int { kX, kRoi, kScales, kSizes };

/// Keeps places in the input far inside what a double counts exactly.
constexpr double kSizeMax = 4294967296.0;

template <std::size_t n>
Status check_word(const InferContext& c, std::string_view what, const std::string& got,
                  const std::string_view (&allowed)[n]) {
  std::string wanted;
  for (std::string_view word : allowed) {
    if (got == word) return Status::success();
    wanted += (wanted.empty() ? "" : ", ") + std::string(word);
  }
  return c.fail(std::string(what) + ", got '" + printable(got) + "', wanted one of " + wanted);
}

constexpr std::string_view kModes[] = {"nearest", "linear", "cubic"};
constexpr std::string_view kPolicies[] = {"stretch", "not_larger", "not_smaller"};
constexpr std::string_view kNearest[] = {"round_prefer_floor", "round_prefer_ceil", "floor",
                                         "ceil"};
constexpr std::string_view kTransforms[] = {
    "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",  "align_corners",
    "asymmetric", "tf_crop_and_resize",   "tf_half_pixel_for_nn"};

Status check_attributes(const InferContext& c, const ResizeAttrs& attrs) {
  if (auto s = all_of(
          check_word(c, "mode", attrs.mode, kModes),
          check_word(c, "keep_aspect_ratio_policy", attrs.keep_aspect_ratio_policy, kPolicies),
          check_word(c, "nearest_mode", attrs.nearest_mode, kNearest),
          check_word(c, "coordinate_transformation_mode", attrs.coordinate_transformation_mode,
                     kTransforms));
      !s) {
    return s;
  }
  if (attrs.mode != "nearest") return check_dtype(c, kX, kAllTypes);
  if (attrs.antialias) return c.fail("antialias, got 1 in mode nearest, wanted linear or cubic");
  return Status::success();
}

/// The axes that scales and sizes are for, counted from the front. Errors: invalid, without a
/// prefix.
Result<std::vector<int>> resized_axes(const ResizeAttrs& attrs, int rank) {
  std::vector<int> out;
  for (int i = 0; attrs.axes.empty() && i < rank; ++i) out.push_back(i);
  for (std::int64_t axis : attrs.axes) {
    const auto at = normalize_axis(axis, rank);
    if (!at || std::find(out.begin(), out.end(), *at) != out.end()) {
      return Error::invalid("axes, got " + std::to_string(axis) +
                            ", wanted each once and of a tensor of rank " + std::to_string(rank));
    }
    out.push_back(*at);
  }
  return out;
}

/// An input that op-sets before 13 leave empty is not there.
bool is_given(const InferContext& c, int i) {
  return c.has(i) && !(c.in(i).shape.rank() == 1 && c.in(i).shape[0] == 0);
}

std::vector<double> numbers_of(const Tensor& tensor) {
  std::vector<double> out;
  for (std::int64_t i = 0; i < tensor.elements(); ++i) out.push_back(element_as_f64(tensor, i));
  return out;
}

/// The size that a scale makes of another. The product is a float's, as ONNX's shape inference and
/// its users have it.
std::int64_t scaled_size(std::int64_t in, double scale) {
  if (!is_static_dim(in)) return scale == 1 ? in : kUnknownDim;
  if (scale == 1) return in;
  const float size = std::floor(static_cast<float>(in) * static_cast<float>(scale));
  return static_cast<double>(size) <= kSizeMax ? static_cast<std::int64_t>(size) : kUnknownDim;
}

/// One scale for all axes, so that none is larger (or smaller) than wanted.
double kept_scale(const Shape& in, const std::vector<int>& axes,
                  const std::vector<std::int64_t>& sizes, bool smallest) {
  double out = 0;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const double scale = static_cast<double>(sizes[i]) / static_cast<double>(in[axes[i]]);
    out = i == 0 ? scale : smallest ? std::min(out, scale) : std::max(out, scale);
  }
  return out;
}

using Plan = std::vector<AxisResize>;  // one for each axis

/// By the scales or, where there are none, by the sizes. Errors: invalid, without a prefix.
Result<Plan> plan_of(const Shape& in, const ResizeAttrs& attrs, const std::vector<double>& scales,
                     const std::vector<std::int64_t>& sizes) {
  const auto axes = resized_axes(attrs, in.rank());
  if (!axes) return axes.error();
  Plan plan(static_cast<std::size_t>(in.rank()));
  for (int d = 0; d < in.rank(); ++d) {
    plan[static_cast<std::size_t>(d)].in = in[d];
    plan[static_cast<std::size_t>(d)].out = in[d];
  }
  const bool stretch = attrs.keep_aspect_ratio_policy == "stretch";
  const double kept =
      scales.empty() && !stretch
          ? kept_scale(in, *axes, sizes, attrs.keep_aspect_ratio_policy == "not_larger")
          : 0;
  for (std::size_t i = 0; i < axes->size(); ++i) {
    AxisResize& axis = plan[static_cast<std::size_t>((*axes)[i])];
    if (!scales.empty()) {
      axis.scale = scales[i];
      axis.out = scaled_size(axis.in, scales[i]);
    } else if (stretch) {
      axis.out = sizes[i];
      axis.scale = static_cast<double>(sizes[i]) / static_cast<double>(axis.in);
    } else {
      axis.scale = kept;
      const double size = std::floor(kept * static_cast<double>(axis.in) + 0.5);
      axis.out = size <= kSizeMax ? static_cast<std::int64_t>(size) : kUnknownDim;
    }
    if (!is_static_dim(axis.out) || static_cast<double>(axis.out) > kSizeMax ||
        (axis.in == 0 && axis.out != 0)) {
      return Error::invalid("size, got more than can be of a dim of " + std::to_string(axis.in));
    }
  }
  return plan;
}

Status check_scales(const InferContext& c, const std::vector<double>& scales) {
  for (double scale : scales) {
    if (!(scale > 0) || std::isinf(scale)) {
      return c.fail("scale, got " + std::to_string(scale) + ", wanted a number above 0");
    }
  }
  return Status::success();
}

/// That the input has one number (roi: two) for each axis.
Status check_count(const InferContext& c, int i, std::string_view what, std::int64_t wanted) {
  if (!is_given(c, i)) return Status::success();
  if (auto s = check_rank(c, i, 1, 1); !s) return s;
  return check_dims(c, "number of " + std::string(what), c.in(i).shape[0], wanted);
}

/// Sizes that are known in part, of an input whose dims may not be.
Status infer_by_sizes(InferContext& c, const ResizeAttrs& attrs, const std::vector<int>& axes,
                      Shape& out) {
  const auto known = c.known_ints(kSizes);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const KnownInt size = known ? (*known)[i] : KnownInt{};
    if (size.is_number() && (size.value < 0 || static_cast<double>(size.value) > kSizeMax)) {
      return c.fail("size, got " + std::to_string(size.value) + ", wanted 0 to 2^32");
    }
    out[axes[i]] = attrs.keep_aspect_ratio_policy == "stretch" ? size.dim() : kUnknownDim;
  }
  return Status::success();
}

/// The output's shape as far as it is known.
Status infer_shape(InferContext& c, const ResizeAttrs& attrs, const std::vector<int>& axes,
                   Shape& out) {
  const bool by_scales = is_given(c, kScales);
  std::vector<double> scales;
  if (by_scales && c.value(kScales) != nullptr) scales = numbers_of(*c.value(kScales));
  if (auto s = check_scales(c, scales); !s) return s;
  if (!by_scales) {
    if (auto s = infer_by_sizes(c, attrs, axes, out); !s) return s;
  }
  const auto sizes = by_scales ? std::nullopt : c.ints(kSizes);
  if (c.in(kX).shape.is_static() && (!scales.empty() || sizes)) {
    const auto plan =
        plan_of(c.in(kX).shape, attrs, scales, sizes.value_or(std::vector<std::int64_t>{}));
    if (!plan) return c.fail(plan.error().message());
    for (int d = 0; d < out.rank(); ++d) out[d] = (*plan)[static_cast<std::size_t>(d)].out;
    return Status::success();
  }
  for (std::size_t i = 0; by_scales && i < axes.size(); ++i) {
    out[axes[i]] = scales.empty() ? kUnknownDim : scaled_size(out[axes[i]], scales[i]);
  }
  return Status::success();
}

Status infer(InferContext& c) {
  const auto& attrs = c.as<ResizeAttrs>();
  if (auto s = all_of(check_attributes(c, attrs), check_dtype(c, kRoi, kFloatTypes),
                      check_dtype(c, kScales, dtype_set(DType::kF32)),
                      check_dtype(c, kSizes, dtype_set(DType::kI64)));
      !s) {
    return s;
  }
  Shape out = c.in(kX).shape;
  const auto axes = resized_axes(attrs, out.rank());
  if (!axes) return c.fail(axes.error().message());
  if (is_given(c, kScales) == is_given(c, kSizes)) {
    return c.fail("scales and sizes, got both or neither, wanted one of them");
  }
  const auto count = static_cast<std::int64_t>(axes->size());
  if (auto s =
          all_of(check_count(c, kScales, "scales", count), check_count(c, kSizes, "sizes", count),
                 check_count(c, kRoi, "values of roi", 2 * count));
      !s) {
    return s;
  }
  if (attrs.coordinate_transformation_mode == "tf_crop_and_resize" && !is_given(c, kRoi)) {
    return c.fail("roi is missing, which tf_crop_and_resize reads");
  }
  if (auto s = infer_shape(c, attrs, *axes, out); !s) return s;
  set_output(c, 0, c.in(kX).dtype, out);
  return Status::success();
}

/// The plan of a node that runs, with what it crops.
Result<Plan> running_plan(const RefContext& c, const ResizeAttrs& attrs) {
  const Shape& in = c.in(kX).type.shape;
  const bool by_scales = c.has(kScales) && c.in(kScales).type.shape.elements() > 0;
  auto plan = plan_of(in, attrs, by_scales ? read_f64(c.in(kScales)) : std::vector<double>{},
                      by_scales ? std::vector<std::int64_t>{} : read_i64(c.in(kSizes)));
  if (!plan || attrs.coordinate_transformation_mode != "tf_crop_and_resize") return plan;
  const auto axes = resized_axes(attrs, in.rank());
  const std::vector<double> roi = read_f64(c.in(kRoi));
  for (std::size_t i = 0; i < axes->size(); ++i) {
    AxisResize& axis = (*plan)[static_cast<std::size_t>((*axes)[i])];
    axis.roi_start = roi[i];
    axis.roi_end = roi[axes->size() + i];
  }
  return plan;
}

/// Integers are rounded half to even, and saturate.
void put_rounded(RefTensor& to, std::int64_t i, double value) {
  put_f64(to, i, is_float(to.type.dtype) ? value : std::nearbyint(value));
}

void copy_nearest(RefContext& c, const std::vector<AxisTaps>& taps, double outside_value) {
  const Shape strides = row_major_strides(c.in(kX).type.shape);
  Walk walk(c.out(0).type.shape);
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
    std::int64_t from = 0;
    bool outside = false;
    for (int d = 0; d < strides.rank(); ++d) {
      const AxisTaps& axis = taps[static_cast<std::size_t>(d)];
      const std::int64_t at = walk.at()[d];
      const bool kept = axis.first.empty();
      outside = outside || (!kept && axis.outside(at));
      if (outside) break;
      from += strides[d] * (kept ? at : axis.taps[axis.first[static_cast<std::size_t>(at)]].index);
    }
    if (outside) {
      put_rounded(c.out(0), i, outside_value);
    } else {
      copy_elements(c.out(0), i, c.in(kX), from);
    }
  }
}

/// `data` of `shape` resized along axis d; a weight of 0 leaves its element out, whatever it is.
std::vector<double> resize_axis(const std::vector<double>& data, Shape& shape, int d,
                                const AxisTaps& axis, double outside_value) {
  const AxisSplit split = split_at(shape, d);
  shape[d] = static_cast<std::int64_t>(axis.first.size()) - 1;
  std::vector<double> out(static_cast<std::size_t>(shape.elements()), 0.0);
  for (std::int64_t outer = 0; outer < split.outer; ++outer) {
    for (std::int64_t o = 0; o < shape[d]; ++o) {
      double* to = out.data() + (outer * shape[d] + o) * split.inner;
      if (axis.outside(o)) std::fill(to, to + split.inner, outside_value);
      for (std::size_t k = axis.first[static_cast<std::size_t>(o)];
           k < axis.first[static_cast<std::size_t>(o) + 1]; ++k) {
        const Tap& tap = axis.taps[k];
        const double* from = data.data() + (outer * split.size + tap.index) * split.inner;
        for (std::int64_t i = 0; tap.weight != 0 && i < split.inner; ++i) {
          to[i] += tap.weight * from[i];
        }
      }
    }
  }
  return out;
}

/// Axis by axis, one slab of what stays in front at a time.
void interpolate(RefContext& c, const std::vector<AxisTaps>& taps, double outside_value) {
  const Shape& in = c.in(kX).type.shape;
  int front = 0;
  while (front < in.rank() && taps[static_cast<std::size_t>(front)].first.empty()) ++front;
  const std::int64_t slabs = in.elements_between(0, front);
  const Shape slab_shape(in.dims().subspan(static_cast<std::size_t>(front)));
  const std::int64_t size = slab_shape.elements();
  for (std::int64_t slab = 0; slab < slabs; ++slab) {
    std::vector<double> data(static_cast<std::size_t>(size));
    for (std::int64_t i = 0; i < size; ++i) {
      data[static_cast<std::size_t>(i)] = get_f64(c.in(kX), slab * size + i);
    }
    Shape shape = slab_shape;
    for (int d = 0; d < shape.rank(); ++d) {
      const AxisTaps& axis = taps[static_cast<std::size_t>(front + d)];
      if (!axis.first.empty()) data = resize_axis(data, shape, d, axis, outside_value);
    }
    const auto count = static_cast<std::int64_t>(data.size());
    for (std::int64_t i = 0; i < count; ++i) {
      put_rounded(c.out(0), slab * count + i, data[static_cast<std::size_t>(i)]);
    }
  }
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<ResizeAttrs>();
  const auto plan = running_plan(c, attrs);
  if (!plan) return c.fail(plan.error().message());
  if (c.out(0).type.shape.elements() == 0) return Status::success();
  std::vector<AxisTaps> taps;
  for (const AxisResize& axis : *plan) {
    taps.push_back(is_kept(axis, attrs) ? AxisTaps{} : make_taps(axis, attrs));
  }
  const auto outside_value = static_cast<double>(attrs.extrapolation_value);
  if (attrs.mode == "nearest") {
    copy_nearest(c, taps, outside_value);
  } else {
    interpolate(c, taps, outside_value);
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) {
  const auto& attrs = static_cast<const ResizeAttrs&>(*n.attrs);
  const std::int64_t taps = attrs.mode == "nearest" ? 1 : attrs.mode == "linear" ? 4 : 16;
  return work_of({taps, n.outputs[0].shape.elements()});
}

constexpr Port kInputs[] = {{"X", kStrings},
                            {"roi", kOptional | kHostRead},
                            {"scales", kOptional | kHostRead},
                            {"sizes", kOptional | kHostRead}};
constexpr Port kOutputs[] = {{"Y"}};

}  // namespace

extern constinit const OpDef op_resize{
    .name = "Resize",
    .doc =
        "The input at another size, by scales or sizes: the nearest element, or linear or cubic "
        "interpolation along each axis; integers are rounded half to even.",
    .since = 19,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<ResizeAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
