#include "ir/op_util/slice.h"

#include <algorithm>

namespace polaris {

SliceDim slice_dim(std::int64_t dim, std::int64_t start, std::int64_t end, std::int64_t step) {
  // Bounded first, so that adding a size to INT64_MIN and the like cannot overflow.
  const auto place = [dim](std::int64_t v, std::int64_t low, std::int64_t high) {
    if (v < 0) v = std::max(v, -dim - 1) + dim;
    return std::clamp(v, low, high);
  };
  SliceDim out;
  if (step > 0) {
    out.start = place(start, 0, dim);
    const std::int64_t length = place(end, 0, dim) - out.start;
    out.size = length > 0 ? (length - 1) / step + 1 : 0;
    return out;
  }
  out.start = place(start, 0, dim - 1);
  const std::int64_t length = out.start - place(end, -1, dim - 1);
  // -(step + 1) + 1 would overflow for INT64_MIN only, where one element is all that is left.
  out.size = length > 0 ? (step == INT64_MIN ? 1 : (length - 1) / -step + 1) : 0;
  if (dim == 0) out = {0, 0};
  return out;
}

std::optional<SliceGeometry> slice_geometry(const Shape& shape,
                                            std::span<const std::int64_t> starts,
                                            std::span<const std::int64_t> ends,
                                            std::span<const std::int64_t> axes,
                                            std::span<const std::int64_t> steps) {
  SliceGeometry g{Shape::filled(shape.rank(), 0), Shape::filled(shape.rank(), 1), shape};
  const std::size_t n = starts.size();
  if (ends.size() != n || (!axes.empty() && axes.size() != n) ||
      (!steps.empty() && steps.size() != n) || n > static_cast<std::size_t>(shape.rank())) {
    return std::nullopt;
  }
  bool seen[kMaxRank] = {};
  for (std::size_t i = 0; i < n; ++i) {
    const auto axis =
        normalize_axis(axes.empty() ? static_cast<std::int64_t>(i) : axes[i], shape.rank());
    const std::int64_t step = steps.empty() ? 1 : steps[i];
    if (!axis || step == 0 || seen[*axis]) return std::nullopt;
    seen[*axis] = true;
    g.steps[*axis] = step;
    if (!is_static_dim(shape[*axis])) {
      const bool all = starts[i] == 0 && ends[i] == INT64_MAX && step == 1;
      if (!all) g.sizes[*axis] = kUnknownDim;
      continue;
    }
    const SliceDim d = slice_dim(shape[*axis], starts[i], ends[i], step);
    g.starts[*axis] = d.start;
    g.sizes[*axis] = d.size;
  }
  return g;
}

std::optional<std::int64_t> contiguous_offset(const TensorType& whole, const Shape& starts,
                                              const Shape& sizes) {
  if (!whole.encoding.is_plain()) return std::nullopt;
  const Shape strides = row_major_strides(whole.shape);
  std::int64_t offset = 0;
  bool cut = false;  // from the back: once a dim is not whole, those before it must have size 1
  for (int i = whole.shape.rank() - 1; i >= 0; --i) {
    if (cut && sizes[i] != 1) return std::nullopt;
    cut = cut || sizes[i] != whole.shape[i];
    offset += starts[i] * strides[i];
  }
  const std::int64_t count = sizes.elements();
  if (count == 0) offset = 0;
  // A run of packed elements shares no byte with its neighbours.
  if (!fills_bytes(whole.dtype, offset)) return std::nullopt;
  if (!fills_bytes(whole.dtype, count) && count != whole.shape.elements()) return std::nullopt;
  return bytes_of(whole.dtype, offset);
}

}  // namespace polaris
