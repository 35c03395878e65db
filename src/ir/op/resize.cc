#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/resize_plan.h"
#include "ir/op_util/work.h"

namespace polaris {
namespace {

enum Operand : int { kX, kRoi, kScales, kSizes };

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

/// An input that op-sets before 13 leave empty is not there.
bool is_given(const InferContext& c, int i) {
  return c.has(i) && !(c.in(i).shape.rank() == 1 && c.in(i).shape[0] == 0);
}

std::vector<double> numbers_of(const Tensor& tensor) {
  std::vector<double> out;
  for (std::int64_t i = 0; i < tensor.elements(); ++i) out.push_back(element_as_f64(tensor, i));
  return out;
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
    if (size.is_number() && (size.value < 0 || static_cast<double>(size.value) > kResizedMax)) {
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
    const auto plan = plan_resize(c.in(kX).shape, attrs,
                                  {{}, scales, sizes.value_or(std::vector<std::int64_t>{})});
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

ResizeValues values_of(const RefContext& c) {
  ResizeValues out;
  if (c.has(kRoi)) out.roi = read_f64(c.in(kRoi));
  if (c.has(kScales)) out.scales = read_f64(c.in(kScales));
  if (out.scales.empty()) out.sizes = read_i64(c.in(kSizes));
  return out;
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
  const auto plan = plan_resize(c.in(kX).type.shape, attrs, values_of(c));
  if (!plan) return c.fail(plan.error().message());
  if (c.out(0).type.shape.elements() == 0) return Status::success();
  const std::vector<AxisTaps> taps = resize_taps(*plan, attrs);
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
