#include "base/checked.h"
#include "ir/op_attrs/shape.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

/// Elements put before (negative: cut) and after each dim.
struct Pads {
  Shape before;
  Shape after;
};

/// From the inputs `pads` and `axes` (empty: all), or nothing where they contradict the rank.
std::optional<Pads> make_pads(int rank, std::span<const std::int64_t> pads,
                              std::span<const std::int64_t> axes) {
  Pads out{Shape::filled(rank, 0), Shape::filled(rank, 0)};
  const std::size_t n = axes.empty() ? static_cast<std::size_t>(rank) : axes.size();
  if (pads.size() != 2 * n) return std::nullopt;
  for (std::size_t i = 0; i < n; ++i) {
    const auto axis = normalize_axis(axes.empty() ? static_cast<std::int64_t>(i) : axes[i], rank);
    if (!axis) return std::nullopt;
    out.before[*axis] = pads[i];
    out.after[*axis] = pads[n + i];
  }
  return out;
}

/// A dim with its pads; negative pads must not reach dim_add, which takes them for symbols.
std::int64_t padded_dim(std::int64_t dim, std::int64_t before, std::int64_t after) {
  const auto pads = checked_add(before, after);
  if (!pads) return kUnknownDim;
  if (!is_static_dim(dim)) return *pads < 0 ? kUnknownDim : dim_add(dim, *pads);
  const auto size = checked_add(dim, *pads);
  return size && *size >= 0 ? *size : kUnknownDim;
}

Status infer(InferContext& c) {
  const Shape& in = c.in(0).shape;
  const std::string& mode = c.as<PadAttrs>().mode;
  if (mode != "constant" && mode != "reflect" && mode != "edge" && mode != "wrap") {
    return c.fail("mode, got '" + mode + "', wanted constant, reflect, edge or wrap");
  }
  if (auto s = all_of(check_dtype(c, 1, dtype_set(DType::kI64)), check_rank(c, 1, 1, 1),
                      check_same_dtype(c, 0, 2), check_dtype(c, 3, kIndexTypes));
      !s) {
    return s;
  }
  if (c.has(2) && c.in(2).shape.is_static() && c.in(2).shape.checked_elements() != 1) {
    return c.fail("constant value shape, got " + c.in(2).shape.to_string() + ", wanted a scalar");
  }
  const auto values = c.ints(1);
  const auto axes = c.has(3) ? c.ints(3) : std::vector<std::int64_t>{};
  Shape out = Shape::filled(in.rank(), kUnknownDim);
  if (values && axes) {
    const auto pads = make_pads(in.rank(), *values, *axes);
    if (!pads) {
      return c.fail("pads, got " + std::to_string(values->size()) + " for " + in.to_string() +
                    ", wanted two for each of its axes, or of those named");
    }
    for (int i = 0; i < in.rank(); ++i) {
      out[i] = padded_dim(in[i], pads->before[i], pads->after[i]);
      if (is_static_dim(in[i]) && !is_static_dim(out[i])) {
        return c.fail("pads of dim " + std::to_string(i) + " cut more than " + dim_text(in[i]));
      }
      if (mode != "constant" && in[i] == 0 && out[i] != 0) {
        return c.fail("dim " + std::to_string(i) + " is empty and cannot be padded by " + mode);
      }
    }
  }
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

/// Index in [0, size) that position `at` (relative to the input) repeats, or -1 for the constant.
std::int64_t source(std::int64_t at, std::int64_t size, std::string_view mode) {
  if (at >= 0 && at < size) return at;
  if (mode == "constant") return -1;
  if (mode == "edge") return at < 0 ? 0 : size - 1;
  const auto modulo = [](std::int64_t v, std::int64_t n) { return (v % n + n) % n; };
  if (mode == "wrap") return modulo(at, size);
  if (size == 1) return 0;
  const std::int64_t folded = modulo(at, 2 * (size - 1));
  return folded < size ? folded : 2 * (size - 1) - folded;
}

Status reference(RefContext& c) {
  const Shape& in = c.in(0).type.shape;
  const auto pads = make_pads(in.rank(), read_i64(c.in(1)),
                              c.has(3) ? read_i64(c.in(3)) : std::vector<std::int64_t>{});
  if (!pads) return c.fail("pads and axes contradict each other");
  const Shape strides = row_major_strides(in);
  const std::string& mode = c.as<PadAttrs>().mode;
  Walk walk(c.out(0).type.shape);
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
    std::int64_t from = 0;
    bool inside = true;
    for (int d = 0; d < in.rank(); ++d) {
      const std::int64_t at = source(walk.at()[d] - pads->before[d], in[d], mode);
      inside = inside && at >= 0;
      from += at * strides[d];
    }
    if (inside) {
      copy_elements(c.out(0), i, c.in(0), from);
    } else if (c.has(2)) {
      copy_elements(c.out(0), i, c.in(2), 0);
    } else {
      put_i64(c.out(0), i, 0);
    }
  }
  return Status::success();
}

constexpr Port kInputs[] = {
    {"data"}, {"pads", kHostRead}, {"constant_value", kOptional}, {"axes", kOptional | kHostRead}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_pad{
    .name = "Pad",
    .doc = "Elements put before and after each dim (negative: cut off).",
    .since = 24,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .size_rule = SizeRule::kMove,
    .moved = 0b101,
    .make_attrs = make_attrs<PadAttrs>,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
