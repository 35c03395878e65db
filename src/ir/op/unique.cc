#include <algorithm>
#include <numeric>

#include "ir/op_attrs/select.h"
#include "ir/op_util/compare.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/put_all.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  const std::int64_t axis = c.as<UniqueAttrs>().axis;
  if (auto s = check_dtype(c, 0, kAllTypes | kStringTypes); !s) return s;
  Shape shape = c.in(0).shape;
  int at = 0;
  if (axis == kNoAxis) {
    shape = Shape{shape.checked_elements().value_or(kUnknownDim)};
  } else {
    const auto checked = check_axis(c, axis, shape.rank());
    if (!checked) return checked.error();
    at = *checked;
  }
  const Shape all{shape[at]};
  for (std::size_t i = 0; i < c.outputs.size(); ++i) {
    Shape out = i == 0 ? shape : all;
    if (i < c.bounds.size()) c.bounds[i] = out;
    // Each slice has its number among the different ones, however many these are.
    if (i != 2) out[i == 0 ? at : 0] = kUnknownDim;
    set_output(c, static_cast<int>(i), i == 0 ? c.in(0).dtype : DType::kI64, out);
  }
  return Status::success();
}

/// -1, 0 or 1 as slice a stands below, beside or above slice b in their elements' order.
int compare_slices(const RefTensor& x, const AxisSplit& split, std::int64_t a, std::int64_t b) {
  for (std::int64_t outer = 0; outer < split.outer; ++outer) {
    for (std::int64_t inner = 0; inner < split.inner; ++inner) {
      const std::int64_t base = outer * split.size * split.inner + inner;
      const int sign = compare_elements(x, base + a * split.inner, base + b * split.inner);
      if (sign != 0) return sign;
    }
  }
  return 0;
}

/// Slices that are alike, by the number of each group.
struct Groups {
  std::vector<std::int64_t> first;   // the first slice of each
  std::vector<std::int64_t> number;  // of the group of each slice
  std::vector<std::int64_t> count;   // of slices in each
};

Groups group_slices(const RefTensor& x, const AxisSplit& split) {
  // Slices of nothing are all alike, and there may be any number of them.
  if (split.size > 0 && split.outer * split.inner == 0) return {{0}, {}, {split.size}};
  std::vector<std::int64_t> order(static_cast<std::size_t>(split.size));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return compare_slices(x, split, a, b) < 0;
  });
  Groups out;
  out.number.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || compare_slices(x, split, order[i - 1], order[i]) != 0) {
      out.first.push_back(order[i]);
      out.count.push_back(0);
    }
    ++out.count.back();
    out.number[static_cast<std::size_t>(order[i])] =
        static_cast<std::int64_t>(out.first.size()) - 1;
  }
  return out;
}

/// The groups numbered in the order of their first slices.
Groups by_first_place(const Groups& groups) {
  std::vector<std::int64_t> order(groups.first.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  const auto first = [&](std::int64_t g) { return groups.first[static_cast<std::size_t>(g)]; };
  std::sort(order.begin(), order.end(),
            [&](std::int64_t a, std::int64_t b) { return first(a) < first(b); });
  Groups out;
  std::vector<std::int64_t> renamed(order.size());
  for (std::int64_t g : order) {
    renamed[static_cast<std::size_t>(g)] = static_cast<std::int64_t>(out.first.size());
    out.first.push_back(first(g));
    out.count.push_back(groups.count[static_cast<std::size_t>(g)]);
  }
  for (std::int64_t g : groups.number) out.number.push_back(renamed[static_cast<std::size_t>(g)]);
  return out;
}

void put_line(RefContext& c, std::size_t output, const std::vector<std::int64_t>& values) {
  if (!is_wanted(c, output)) return;
  const auto i = static_cast<int>(output);
  c.set_shape(i, Shape{static_cast<std::int64_t>(values.size())});
  for (std::size_t k = 0; k < values.size(); ++k) {
    put_i64(c.out(i), static_cast<std::int64_t>(k), values[k]);
  }
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<UniqueAttrs>();
  const RefTensor& x = c.in(0);
  const bool flat = attrs.axis == kNoAxis;
  Shape shape = flat ? Shape{x.type.shape.elements()} : x.type.shape;
  const int at = flat ? 0 : *normalize_axis(attrs.axis, shape.rank());
  const AxisSplit split = split_at(shape, at);
  Groups groups = group_slices(x, split);
  if (!attrs.sorted) groups = by_first_place(groups);
  shape[at] = static_cast<std::int64_t>(groups.first.size());
  c.set_shape(0, shape);
  std::int64_t to = 0;
  for (std::int64_t outer = 0; shape.elements() > 0 && outer < split.outer; ++outer) {
    for (std::int64_t slice : groups.first) {
      copy_elements(c.out(0), to, x, (outer * split.size + slice) * split.inner, split.inner);
      to += split.inner;
    }
  }
  put_line(c, 1, groups.first);
  if (groups.number.empty() && is_wanted(c, 2)) {
    for (std::int64_t k = 0; k < split.size; ++k) put_i64(c.out(2), k, 0);
  } else {
    put_line(c, 2, groups.number);
  }
  put_line(c, 3, groups.count);
  return Status::success();
}

constexpr Port kInputs[] = {{"X", kStrings}};
constexpr Port kOutputs[] = {
    {"Y"}, {"indices", kOptional}, {"inverse_indices", kOptional}, {"counts", kOptional}};

}  // namespace

extern constinit const OpDef op_unique{
    .name = "Unique",
    .doc =
        "The different slices along an axis, or elements of the flat input, in their order or in "
        "that of their first places; where each stands first, which of them each slice is, and how "
        "often. NaN is above all numbers and one value.",
    .since = 11,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kDataDependent | kPicksElements,
    .make_attrs = make_attrs<UniqueAttrs>,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
