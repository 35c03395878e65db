#include "backend/vulkan/conv_geometry.h"

#include <algorithm>

namespace polaris::vulkan {
namespace {

std::int64_t at_or(const std::vector<std::int64_t>& values, std::size_t i, std::int64_t otherwise) {
  return i < values.size() ? values[i] : otherwise;
}

}  // namespace

Result<Window> read_window(const NodeDesc& node, std::span<const std::int64_t> kernel) {
  const Shape& x = node.inputs[0].type.shape;
  const Shape& y = node.outputs[0].type.shape;
  const int spatial = x.rank() - 2;
  if (spatial < 1 || spatial > 2 || y.rank() != x.rank() ||
      static_cast<int>(kernel.size()) != spatial) {
    return refuse(node, "spatial dims other than one or two");
  }
  const std::vector<std::int64_t> strides = attr_ints(node, "strides");
  const std::vector<std::int64_t> dilations = attr_ints(node, "dilations");
  const std::vector<std::int64_t> pads = attr_ints(node, "pads");
  const std::string auto_pad = attr_string(node, "auto_pad", "NOTSET");
  Window w;
  w.batch = x[0];
  w.in_channels = x[1];
  w.out_channels = y[1];
  for (int i = 0; i < spatial; ++i) {
    const auto from = static_cast<std::size_t>(i);
    const auto to = static_cast<std::size_t>(i + 2 - spatial);
    const std::int64_t in = x[i + 2];
    const std::int64_t out = y[i + 2];
    (to == 0 ? w.in_h : w.in_w) = in;
    (to == 0 ? w.out_h : w.out_w) = out;
    w.kernel[to] = kernel[from];
    w.stride[to] = at_or(strides, from, 1);
    w.dilation[to] = at_or(dilations, from, 1);
    if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
      const std::int64_t reach = (kernel[from] - 1) * w.dilation[to] + 1;
      const std::int64_t total = std::max<std::int64_t>(0, (out - 1) * w.stride[to] + reach - in);
      w.pad[to] = auto_pad == "SAME_UPPER" ? total / 2 : total - total / 2;
      w.pad_end[to] = total - w.pad[to];
    } else if (auto_pad != "VALID") {
      w.pad[to] = at_or(pads, from, 0);
      w.pad_end[to] = at_or(pads, from + static_cast<std::size_t>(spatial), 0);
    }
  }
  return w;
}

}  // namespace polaris::vulkan
