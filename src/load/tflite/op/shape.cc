// Operators that change shapes or say what they are.
#include <algorithm>
#include <utility>

#include "load/tflite/importer.h"

namespace polaris::tflite {
namespace {

constexpr std::int64_t kAxis0 = 0;

/// The shape that a Reshape asks for: input 1, or in older files an option.
ValueId new_shape(OperatorImport& o) {
  Builder& b = o.builder();
  if (o.has(1) && b.rank(o.raw(1)) == 1) return o.index(1);
  const auto dims = o.def().options.scalars<std::int32_t>(0);
  std::vector<std::int64_t> wide(dims.begin(), dims.end());
  // A scalar, as files from before there were scalars write it.
  if (wide.size() == 1 && wide[0] == 0) wide.clear();
  if (o.has(1) && wide.empty() && b.data(o.raw(1)) == nullptr) {
    o.unsupported("shape, wanted a list");
  }
  return b.ints(wide);
}

/// An axis that an option says, of a value of `rank` axes.
std::int64_t axis_of(OperatorImport& o, std::int64_t axis, int rank) {
  const auto at = normalize_axis(axis, std::max(rank, 0));
  if (!at) o.fail("axis, got " + std::to_string(axis) + " of rank " + std::to_string(rank));
  return at.value_or(0);
}

std::int64_t constant_axis(OperatorImport& o, std::size_t i, int rank) {
  const auto axis = o.needed_ints(i);
  if (axis.size() != 1) {
    o.fail("axis, wanted one number");
    return 0;
  }
  return axis_of(o, axis[0], rank);
}

void give_parts(OperatorImport& o, const std::vector<ValueId>& parts) {
  for (std::size_t i = 0; i < parts.size(); ++i) o.give_moved(i, parts[i]);
}

}  // namespace

void reshape(OperatorImport& o) {
  const ValueId shape = new_shape(o);
  const Tensor* known = o.builder().data(shape);
  bool empty = false;
  for (std::int64_t i = 0; known != nullptr && i < known->elements(); ++i) {
    empty = empty || element_as_i64(*known, i) == 0;
  }
  o.give_moved(0, o.add("Reshape", {o.moved(0), shape}, {{"allowzero", empty}}));
}

void squeeze(OperatorImport& o) {
  const auto dims = o.def().options.scalars<std::int32_t>(0);
  const std::vector<std::int64_t> axes(dims.begin(), dims.end());
  const ValueId x = o.moved(0);
  o.give_moved(
      0, axes.empty() ? o.add("Squeeze", {x}) : o.add("Squeeze", {x, o.builder().ints(axes)}));
}

void expand_dims(OperatorImport& o) {
  const auto axis = o.needed_ints(1);
  if (axis.size() != 1) return o.fail("axis, wanted one number");
  o.give_moved(0, o.add("Unsqueeze", {o.moved(0), o.builder().ints(axis)}));
}

void pack(OperatorImport& o) {
  Builder& b = o.builder();
  std::vector<ValueId> parts;
  const std::int64_t axis = axis_of(o, o.option(1), o.rank(0) + 1);
  for (std::size_t i = 0; i < o.input_count(); ++i) {
    parts.push_back(o.add("Unsqueeze", {o.moved(i), b.ints({axis})}));
  }
  o.give_moved(0, o.add("Concat", std::move(parts), {{"axis", axis}}));
}

void unpack(OperatorImport& o) {
  Builder& b = o.builder();
  const std::int64_t axis = axis_of(o, o.option(1), o.rank(0));
  const auto count = static_cast<std::int64_t>(o.output_count());
  if (!o.ok()) return;
  const ValueId x = o.moved(0);
  if (b.dim(x, static_cast<int>(axis)) != count) {
    return o.fail("outputs, got " + std::to_string(count) + ", wanted one for each index of axis " +
                  std::to_string(axis));
  }
  auto parts =
      b.add_all("Split", {x}, static_cast<int>(count), {{"axis", axis}, {"num_outputs", count}});
  for (ValueId& part : parts) part = o.add("Squeeze", {part, b.ints({axis})});
  give_parts(o, parts);
}

void concatenation(OperatorImport& o) {
  std::vector<ValueId> parts;
  for (std::size_t i = 0; i < o.input_count(); ++i) parts.push_back(o.moved(i));
  const std::int64_t axis = axis_of(o, o.option(0), o.rank(0));
  const ValueId y = o.add("Concat", std::move(parts), {{"axis", axis}});
  if (o.byte_option(1) != 0) return o.give_activated(y, o.byte_option(1));
  o.give_moved(0, y);
}

// Inputs: axis, x.
void split(OperatorImport& o) {
  const auto count = static_cast<std::int64_t>(o.output_count());
  const std::int64_t axis = constant_axis(o, 0, o.rank(1));
  if (o.option(0) != count) {
    return o.fail("outputs, got " + std::to_string(count) + ", wanted " +
                  std::to_string(o.option(0)));
  }
  give_parts(o, o.builder().add_all("Split", {o.moved(1)}, static_cast<int>(count),
                                    {{"axis", axis}, {"num_outputs", count}}));
}

// Inputs: x, sizes, axis. One size may be -1: what is left.
void split_v(OperatorImport& o) {
  Builder& b = o.builder();
  auto sizes = o.needed_ints(1);
  const std::int64_t axis = constant_axis(o, 2, o.rank(0));
  if (!o.ok()) return;
  if (sizes.size() != o.output_count()) return o.fail("sizes, wanted one for each output");
  const auto open = std::find(sizes.begin(), sizes.end(), -1);
  if (open != sizes.end()) {
    std::int64_t left = b.dim(o.raw(0), static_cast<int>(axis));
    if (left < 0) return o.unsupported("size -1 of an axis whose size is not known");
    for (const std::int64_t size : sizes)
      left -= size == -1 ? 0 : std::clamp<std::int64_t>(size, 0, left);
    *open = left;
  }
  give_parts(o, b.add_all("Split", {o.moved(0), b.ints(sizes)}, static_cast<int>(o.output_count()),
                          {{"axis", axis}}));
}

void transpose(OperatorImport& o) {
  o.give_moved(0, o.builder().transpose(o.moved(0), o.needed_ints(1)));
}

void tile(OperatorImport& o) { o.give_moved(0, o.add("Tile", {o.moved(0), o.index(1)})); }
void broadcast_to(OperatorImport& o) { o.give_moved(0, o.add("Expand", {o.moved(0), o.index(1)})); }
// Inputs: dims, value.
void fill(OperatorImport& o) { o.give_moved(0, o.add("Expand", {o.moved(1), o.index(0)})); }

void zeros_like(OperatorImport& o) {
  Builder& b = o.builder();
  const ValueId zero = b.number(0, o.out_dtype());
  o.give_raw(0, o.add("Expand", {zero, o.add("Shape", {o.raw(0)})}));
}

void shape(OperatorImport& o) {
  o.give_raw(0, o.builder().cast(o.add("Shape", {o.raw(0)}), o.out_dtype()));
}

void rank(OperatorImport& o) {
  const ValueId dims = o.add("Shape", {o.add("Shape", {o.raw(0)})});
  o.give_raw(0, o.builder().cast(o.builder().reshape(dims, std::initializer_list<std::int64_t>{}),
                                 o.out_dtype()));
}

void range(OperatorImport& o) { o.give_raw(0, o.add("Range", {o.raw(0), o.raw(1), o.raw(2)})); }

// The shape that two shapes broadcast to: the shorter gets ones in front, and a one gives way.
void broadcast_args(OperatorImport& o) {
  Builder& b = o.builder();
  ValueId dims[2] = {o.raw(0), o.raw(1)};
  const std::int64_t counts[2] = {b.dim(dims[0], 0), b.dim(dims[1], 0)};
  if (!o.ok()) return;
  if (std::min(counts[0], counts[1]) < 0) return o.unsupported("ranks are not known");
  const std::int64_t count = std::max(counts[0], counts[1]);
  if (count > kMaxRank) return o.unsupported("rank, got " + std::to_string(count));
  const ValueId one = b.number(1, o.dtype(0));
  for (int i = 0; i < 2; ++i) {
    const std::int64_t missing = count - counts[i];
    if (missing == 0) continue;
    const ValueId ones = o.add("Expand", {one, b.ints({missing})});
    dims[i] = o.add("Concat", {ones, dims[i]}, {{"axis", kAxis0}});
  }
  o.give_raw(0, o.add("Where", {o.add("Equal", {dims[0], one}), dims[1], dims[0]}));
}

void reverse_v2(OperatorImport& o) {
  Builder& b = o.builder();
  const auto axes = o.needed_ints(1);
  const std::vector<std::int64_t> last(axes.size(), -1);
  const std::vector<std::int64_t> first(axes.size(), INT64_MIN);
  o.give_moved(
      0, o.add("Slice", {o.moved(0), b.ints(last), b.ints(first), b.ints(axes), b.ints(last)}));
}

void reverse_sequence(OperatorImport& o) {
  Builder& b = o.builder();
  const int rank = o.rank(0);
  const std::int64_t time = axis_of(o, o.option(0), rank);
  const std::int64_t batch = axis_of(o, o.option(1), rank);
  if (!o.ok()) return;
  if (time == batch) return o.fail("axes of batch and sequence, got one for both");
  // Ours has both in front.
  std::vector<std::int64_t> perm{batch, time};
  for (std::int64_t i = 0; i < rank; ++i) {
    if (i != batch && i != time) perm.push_back(i);
  }
  std::vector<std::int64_t> back(perm.size());
  for (std::size_t i = 0; i < perm.size(); ++i) {
    back[static_cast<std::size_t>(perm[i])] = static_cast<std::int64_t>(i);
  }
  const ValueId turned = b.add("ReverseSequence", {b.transpose(o.moved(0), perm), o.index(1)},
                               {{"batch_axis", std::int64_t{0}}, {"time_axis", std::int64_t{1}}});
  o.give_moved(0, b.transpose(turned, back));
}

void space_to_depth(OperatorImport& o) {
  Builder& b = o.builder();
  const ValueId x = b.transpose(o.moved(0), {0, 3, 1, 2});
  const ValueId y = b.add("SpaceToDepth", {x}, {{"blocksize", o.option(0)}});
  o.give_moved(0, b.transpose(y, {0, 2, 3, 1}));
}

void depth_to_space(OperatorImport& o) {
  Builder& b = o.builder();
  const ValueId x = b.transpose(o.moved(0), {0, 3, 1, 2});
  const ValueId y = b.add("DepthToSpace", {x}, {{"blocksize", o.option(0)}});
  o.give_moved(0, b.transpose(y, {0, 2, 3, 1}));
}

}  // namespace polaris::tflite
