#include "backend/node_resize.h"

#include <algorithm>
#include <utility>

#include "backend/kernel_family.h"
#include "ir/op_util/resize_plan.h"
#include "tensor/element.h"

namespace polaris {
namespace {

// Longer tables are not worth their memory.
constexpr std::int64_t kPlacesMax = std::int64_t{1} << 22;

enum Operand : std::size_t { kX, kRoi, kScales, kSizes };

/// The numbers of a known operand, none of an absent one; nothing where it is not known.
std::optional<std::vector<double>> known_numbers(const NodeDesc& node, std::size_t i) {
  if (!has_input(node, i) || node.inputs[i].type.shape.elements() == 0)
    return std::vector<double>{};
  const Tensor* value = i < node.values.size() ? node.values[i] : nullptr;
  if (value == nullptr && node.inputs[i].constant != nullptr)
    value = &node.inputs[i].constant->data;
  if (value == nullptr) return std::nullopt;
  std::vector<double> out;
  for (std::int64_t k = 0; k < value->elements(); ++k) out.push_back(element_as_f64(*value, k));
  return out;
}

std::optional<ResizeValues> known_values(const NodeDesc& node) {
  auto roi = known_numbers(node, kRoi);
  auto scales = known_numbers(node, kScales);
  const auto sizes = known_ints(node, kSizes);
  if (!roi || !scales || (scales->empty() && !sizes)) return std::nullopt;
  ResizeValues out{std::move(*roi), std::move(*scales), {}};
  if (out.scales.empty()) out.sizes = *sizes;
  return out;
}

/// As many taps for each output: those that lack some get weights of 0.
ResizeLoop resized(const AxisTaps& axis, const AxisResize& sizes, std::int64_t step) {
  const std::int64_t size = sizes.out;
  ResizeLoop out{.size = size, .in = sizes.in, .step = step};
  for (std::int64_t o = 0; o < size; ++o) {
    const auto at = static_cast<std::size_t>(o);
    out.taps = std::max(out.taps, static_cast<std::int64_t>(axis.first[at + 1] - axis.first[at]));
  }
  out.taps = std::max<std::int64_t>(out.taps, 1);
  for (std::int64_t o = 0; o < size; ++o) {
    const auto at = static_cast<std::size_t>(o);
    const std::int64_t filler = axis.outside(o) ? -1 : axis.taps[axis.first[at]].index * step;
    for (std::size_t k = 0; k < static_cast<std::size_t>(out.taps); ++k) {
      const bool there = axis.first[at] + k < axis.first[at + 1];
      const Tap tap = there ? axis.taps[axis.first[at] + k] : Tap{0, 0};
      out.from.push_back(there ? tap.index * step : filler);
      out.weights.push_back(static_cast<float>(tap.weight));
    }
  }
  return out;
}

}  // namespace

std::optional<std::vector<ResizeLoop>> node_resize(const NodeDesc& node) {
  const auto values = known_values(node);
  if (!values || !node.inputs[kX].type.encoding.is_plain()) return std::nullopt;
  const auto& attrs = node.attributes<ResizeAttrs>();
  const Shape& in = node.inputs[kX].type.shape;
  // Beside a dim of 0 others may be of any size: nothing is made of them.
  if (in.checked_elements().value_or(0) == 0 ||
      node.outputs[0].type.shape.checked_elements().value_or(0) == 0) {
    return std::nullopt;
  }
  const auto plan = plan_resize(in, attrs, *values);
  if (!plan) return std::nullopt;
  std::int64_t places = 0;
  for (const AxisResize& axis : *plan) places += is_kept(axis, attrs) ? 0 : axis.out;
  if (places > kPlacesMax) return std::nullopt;
  const std::vector<AxisTaps> taps = resize_taps(*plan, attrs);
  const Shape steps = row_major_strides(in);
  std::vector<ResizeLoop> out;
  for (int d = 0; d < in.rank(); ++d) {
    const AxisTaps& axis = taps[static_cast<std::size_t>(d)];
    if (!axis.first.empty()) {
      out.push_back(resized(axis, (*plan)[static_cast<std::size_t>(d)], steps[d]));
    } else if (!out.empty() && out.back().taps == 0) {
      out.back().size *= in[d];
      out.back().in *= in[d];
      out.back().step = steps[d];
    } else {
      out.push_back({.size = in[d], .in = in[d], .step = steps[d]});
    }
  }
  return out;
}

}  // namespace polaris
