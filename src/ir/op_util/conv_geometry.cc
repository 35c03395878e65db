#include "ir/op_util/conv_geometry.h"

#include <algorithm>

namespace polaris {
namespace {

// Keeps every product of the index arithmetic far inside int64.
constexpr std::int64_t kAttributeMax = std::int64_t{1} << 31;

std::string list_text(std::span<const std::int64_t> values) {
  std::string out = "[";
  for (std::int64_t v : values) out += (out.size() > 1 ? ", " : "") + std::to_string(v);
  return out + "]";
}

/// Pads for which the output has in / stride positions, rounded up.
void pad_same(WindowDim& d, bool upper) {
  d.out = (d.in + d.stride - 1) / d.stride;
  const std::int64_t extent = (d.kernel - 1) * d.dilation + 1;
  const std::int64_t total = std::max<std::int64_t>(0, (d.out - 1) * d.stride + extent - d.in);
  d.pad_begin = upper ? total / 2 : total - total / 2;
  d.pad_end = total - d.pad_begin;
}

/// A pool's window may be larger than the padded input, which then holds no window: its output is
/// empty, or with ceil_mode the one window that starts there, as the formula of ONNX says. Where
/// that is below 0 the window does not fit.
Status place_window(WindowDim& d, const WindowAttrs& attrs) {
  const bool ceil_mode = attrs.ceil_mode;
  const std::int64_t extent = (d.kernel - 1) * d.dilation + 1;
  const std::int64_t room = d.in + d.pad_begin + d.pad_end - extent;
  const std::int64_t least = ceil_mode ? 1 - 2 * d.stride : -d.stride;
  if (room < (attrs.pool ? least : 0)) {
    return Error::invalid("kernel, got an extent of " + std::to_string(extent) +
                          ", wanted at most the padded input of " + std::to_string(room + extent));
  }
  // One more than the quotient, so that what is not negative is rounded.
  d.out = (room + d.stride + (ceil_mode ? d.stride - 1 : 0)) / d.stride;
  // The last window starts inside the input or its padding in front.
  if (ceil_mode && (d.out - 1) * d.stride >= d.in + d.pad_begin) --d.out;
  return Status::success();
}

Status check_auto_pad(const std::string& mode) {
  if (mode == "NOTSET" || mode == "SAME_UPPER" || mode == "SAME_LOWER" || mode == "VALID" ||
      mode.empty()) {
    return Status::success();
  }
  return Error::invalid("auto_pad, got '" + mode +
                        "', wanted NOTSET, SAME_UPPER, SAME_LOWER or VALID");
}

/// With a kernel whose size is not known yet nothing is known of its windows but their number.
Result<ConvGeometry> unknown_windows(ConvGeometry g, std::size_t spatial) {
  if (spatial < 1 || spatial > static_cast<std::size_t>(kSpatialMax)) {
    return Error::invalid("spatial dims, got " + std::to_string(spatial) + ", wanted 1 to 3");
  }
  g.spatial = static_cast<int>(spatial);
  for (std::size_t i = 0; i < spatial; ++i) {
    WindowDim& d = g.dims[static_cast<std::size_t>(kSpatialMax) - spatial + i];
    d.in = d.out = kUnknownDim;
  }
  return g;
}

bool is_same(const std::string& mode) { return mode == "SAME_UPPER" || mode == "SAME_LOWER"; }

}  // namespace

Status check_list(std::string_view name, std::span<const std::int64_t> values, std::size_t count,
                  std::int64_t low) {
  if (!values.empty() && values.size() != count) {
    return Error::invalid(std::string(name) + ", got " + list_text(values) + ", wanted " +
                          std::to_string(count) + " values");
  }
  for (std::int64_t v : values) {
    if (v < low || v > kAttributeMax) {
      return Error::invalid(std::string(name) + ", got " + list_text(values) + ", wanted " +
                            std::to_string(low) + " or more");
    }
  }
  return Status::success();
}

Shape ConvGeometry::output(std::int64_t channels) const {
  Shape out{batch, channels};
  for (int i = kSpatialMax - spatial; i < kSpatialMax; ++i) out.push_back(dims[i].out);
  return out;
}

Status make_window(std::span<const std::int64_t> in, std::span<const std::int64_t> kernel,
                   const WindowAttrs& attrs, ConvGeometry& g) {
  const std::size_t n = in.size();
  if (n < 1 || n > static_cast<std::size_t>(kSpatialMax)) {
    return Error::invalid("spatial dims, got " + std::to_string(n) + ", wanted 1 to 3");
  }
  if (auto s = check_list("kernel_shape", kernel, n, 1); !s) return s;
  if (kernel.empty()) return Error::invalid("kernel_shape is missing");
  if (auto s = check_list("strides", attrs.strides, n, 1); !s) return s;
  if (auto s = check_list("dilations", attrs.dilations, n, 1); !s) return s;
  if (auto s = check_list("pads", attrs.pads, 2 * n, 0); !s) return s;
  if (auto s = check_auto_pad(attrs.auto_pad); !s) return s;
  const bool same = is_same(attrs.auto_pad);
  const bool use_pads = !same && attrs.auto_pad != "VALID" && !attrs.pads.empty();
  g.spatial = static_cast<int>(n);
  for (std::size_t i = 0; i < n; ++i) {
    WindowDim& d = g.dims[static_cast<std::size_t>(kSpatialMax) - n + i];
    d.in = in[i];
    d.kernel = kernel[i];
    d.stride = attrs.strides.empty() ? 1 : attrs.strides[i];
    d.dilation = attrs.dilations.empty() ? 1 : attrs.dilations[i];
    d.pad_begin = use_pads ? attrs.pads[i] : 0;
    d.pad_end = use_pads ? attrs.pads[n + i] : 0;
    if (d.in > kAttributeMax) return Error::invalid("spatial dim, got " + std::to_string(d.in));
    if (!is_static_dim(d.in)) {
      d.out = kUnknownDim;
    } else if (same) {
      pad_same(d, attrs.auto_pad == "SAME_UPPER");
    } else if (auto s = place_window(d, attrs); !s) {
      return s;
    }
  }
  return Status::success();
}

Result<ConvGeometry> conv_geometry(const Shape& x, const Shape& w, const ConvAttrs& attrs) {
  if (x.rank() < 3 || w.rank() != x.rank()) {
    return Error::invalid("ranks, got X " + x.to_string() + " and W " + w.to_string() +
                          ", wanted equal ranks of 3 to 5");
  }
  ConvGeometry g;
  g.batch = x[0];
  g.groups = attrs.group;
  g.group_in = w[1];
  const bool channels_known = is_static_dim(x[1]) && is_static_dim(w[1]);
  const bool group_known = is_static_dim(w[0]) && attrs.group > 0;
  if (attrs.group < 1 || attrs.group > kAttributeMax ||
      (channels_known && x[1] != w[1] * attrs.group) || (group_known && w[0] % attrs.group != 0)) {
    return Error::invalid("channels, got X " + x.to_string() + " and W " + w.to_string() + " in " +
                          std::to_string(attrs.group) + " groups");
  }
  g.group_out = group_known ? w[0] / attrs.group : kUnknownDim;
  const auto kernel = w.dims().subspan(2);
  if (!std::all_of(kernel.begin(), kernel.end(), is_static_dim)) {
    return unknown_windows(g, static_cast<std::size_t>(x.rank() - 2));
  }
  if (!attrs.kernel_shape.empty() &&
      !std::equal(kernel.begin(), kernel.end(), attrs.kernel_shape.begin(),
                  attrs.kernel_shape.end())) {
    return Error::invalid("kernel_shape, got " + list_text(attrs.kernel_shape) + " for W " +
                          w.to_string());
  }
  const WindowAttrs window{attrs.auto_pad, attrs.dilations, attrs.pads, attrs.strides};
  if (auto s = make_window(x.dims().subspan(2), kernel, window, g); !s) return s.error();
  return g;
}

Result<ConvGeometry> pool_geometry(const Shape& x, const PoolAttrs& attrs) {
  if (x.rank() < 3) return Error::invalid("X rank, got " + x.to_string() + ", wanted 3 to 5");
  ConvGeometry g;
  g.batch = x[0];
  g.groups = x[1];
  const WindowAttrs window{attrs.auto_pad, attrs.dilations, attrs.pads,
                           attrs.strides,  attrs.ceil_mode, true};
  if (auto s = make_window(x.dims().subspan(2), attrs.kernel_shape, window, g); !s) {
    return s.error();
  }
  return g;
}

namespace {

/// The output size and pads of one dim of a ConvTranspose, from the attributes.
Status place_transposed(WindowDim& d, const ConvTransposeAttrs& attrs, std::size_t i,
                        std::size_t n) {
  const std::int64_t extra = attrs.output_padding.empty() ? 0 : attrs.output_padding[i];
  const std::int64_t full =
      (d.out - 1) * d.stride + extra + (d.kernel - 1) * d.dilation + 1;  // without pads
  const bool same = is_same(attrs.auto_pad);
  if (attrs.output_shape.empty() && !same) {
    if (attrs.auto_pad != "VALID" && !attrs.pads.empty()) {
      d.pad_begin = attrs.pads[i];
      d.pad_end = attrs.pads[n + i];
    }
    d.in = full - d.pad_begin - d.pad_end;
  } else {
    // With an explicit output shape only the last `spatial` entries count.
    d.in = attrs.output_shape.empty() ? d.out * d.stride
                                      : attrs.output_shape[attrs.output_shape.size() - n + i];
    const std::int64_t total = std::max<std::int64_t>(0, full - d.in);
    d.pad_begin = attrs.auto_pad == "SAME_UPPER" ? total / 2 : total - total / 2;
    d.pad_end = total - d.pad_begin;
  }
  if (d.in < 0) return Error::invalid("output size, got " + std::to_string(d.in));
  return Status::success();
}

}  // namespace

Result<ConvGeometry> conv_transpose_geometry(const Shape& x, const Shape& w,
                                             const ConvTransposeAttrs& attrs) {
  const auto n = static_cast<std::size_t>(std::max(x.rank() - 2, 0));
  if (n < 1 || n > static_cast<std::size_t>(kSpatialMax) || w.rank() != x.rank()) {
    return Error::invalid("ranks, got X " + x.to_string() + " and W " + w.to_string() +
                          ", wanted equal ranks of 3 to 5");
  }
  const bool known = is_static_dim(x[1]) && is_static_dim(w[0]);
  if (attrs.group < 1 || attrs.group > kAttributeMax || (known && x[1] != w[0]) ||
      (is_static_dim(w[0]) && w[0] % attrs.group != 0)) {
    return Error::invalid("channels, got X " + x.to_string() + " and W " + w.to_string() + " in " +
                          std::to_string(attrs.group) + " groups");
  }
  ConvGeometry g;
  g.spatial = static_cast<int>(n);
  g.batch = x[0];
  g.groups = attrs.group;
  g.group_out = is_static_dim(w[0]) ? w[0] / attrs.group : kUnknownDim;
  g.group_in = w[1];
  const auto kernel = w.dims().subspan(2);
  if (!std::all_of(kernel.begin(), kernel.end(), is_static_dim)) return unknown_windows(g, n);
  if (auto s = check_list("kernel", kernel, n, 1); !s) return s.error();
  if (auto s = check_list("strides", attrs.strides, n, 1); !s) return s.error();
  if (auto s = check_list("dilations", attrs.dilations, n, 1); !s) return s.error();
  if (auto s = check_list("pads", attrs.pads, 2 * n, 0); !s) return s.error();
  if (auto s = check_list("output_padding", attrs.output_padding, n, 0); !s) return s.error();
  if (auto s = check_auto_pad(attrs.auto_pad); !s) return s.error();
  const std::size_t shape_size = attrs.output_shape.size();
  if (shape_size != 0 && shape_size != n && shape_size != n + 2) {
    return Error::invalid("output_shape, got " + list_text(attrs.output_shape));
  }
  if (auto s = check_list("output_shape", attrs.output_shape, shape_size, 0); !s) return s.error();
  for (std::size_t i = 0; i < n; ++i) {
    WindowDim& d = g.dims[static_cast<std::size_t>(kSpatialMax) - n + i];
    d.out = x[static_cast<int>(i) + 2];
    d.kernel = kernel[i];
    d.stride = attrs.strides.empty() ? 1 : attrs.strides[i];
    d.dilation = attrs.dilations.empty() ? 1 : attrs.dilations[i];
    if (!is_static_dim(d.out)) {
      d.in = kUnknownDim;
    } else if (d.out > kAttributeMax) {
      return Error::invalid("input size, got " + x.to_string());
    } else if (auto s = place_transposed(d, attrs, i, n); !s) {
      return s.error();
    }
  }
  return g;
}

}  // namespace polaris
