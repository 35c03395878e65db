#include "ir/op_util/reduce.h"

#include "ir/any_rank.h"
#include "ir/op_attrs/reduce.h"
#include "ir/op_util/elements.h"

namespace polaris {

std::optional<ReduceGeometry> reduce_geometry(const Shape& shape,
                                              std::span<const std::int64_t> axes, bool noop) {
  bool drop[kMaxRank] = {};
  for (std::int64_t axis : axes) {
    const auto at = normalize_axis(axis, shape.rank());
    if (!at) return std::nullopt;
    drop[*at] = true;
  }
  const bool all = axes.empty() && !noop;
  const Shape strides = row_major_strides(shape);
  ReduceGeometry g;
  for (int i = 0; i < shape.rank(); ++i) {
    const bool reduced = all || drop[i];
    (reduced ? g.reduced : g.kept).push_back(shape[i]);
    (reduced ? g.reduced_strides : g.kept_strides).push_back(strides[i]);
  }
  g.count = g.reduced.elements();
  return g;
}

Status infer_reduce_in(InferContext& c, DTypeSet allowed) {
  const auto& attrs = c.as<ReduceAttrs>();
  if (auto s = all_of(check_dtype(c, 0, allowed), check_dtype(c, 1, dtype_set(DType::kI64)),
                      check_rank(c, 1, 0, 1));
      !s) {
    return s;
  }
  const Shape& in = c.in(0).shape;
  const auto axes = c.has(1) ? c.ints(1) : std::vector<std::int64_t>{};
  if (!axes) {
    const std::int64_t count = c.in(1).shape.rank() == 0 ? 1 : c.in(1).shape[0];
    if (is_static_dim(count) && count > in.rank()) {
      return c.fail("axes, got " + std::to_string(count) + ", wanted at most the rank, " +
                    std::to_string(in.rank()));
    }
    const bool sure = attrs.keepdims || is_static_dim(count);
    set_output(c, 0, c.in(0).dtype,
               sure ? unknown_shape(attrs.keepdims ? in.rank() : in.rank() - count) : any_rank());
    return Status::success();
  }
  bool drop[kMaxRank] = {};
  for (std::int64_t axis : *axes) {
    auto at = check_axis(c, axis, in.rank());
    if (!at) return at.error();
    drop[*at] = true;
  }
  const bool all = axes->empty() && !attrs.noop_with_empty_axes;
  Shape out;
  for (int i = 0; i < in.rank(); ++i) {
    if (!all && !drop[i]) {
      out.push_back(in[i]);
    } else if (attrs.keepdims) {
      out.push_back(1);
    }
  }
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

namespace {

double real_element(const RefContext& c, const ReduceGeometry& g, std::int64_t base,
                    const ReduceFns& fns) {
  double sum = fns.init;
  Walk walk(g.reduced);
  const int at = walk.add(g.reduced_strides, base);
  for (std::int64_t i = 0; i < g.count; ++i, walk.next()) {
    sum = fns.step(sum, get_f64(c.in(0), walk[at]));
  }
  return fns.finish != nullptr ? fns.finish(sum, g.count) : sum;
}

std::int64_t int_element(const RefContext& c, const ReduceGeometry& g, std::int64_t base,
                         const ReduceFns& fns) {
  const DType dtype = c.in(0).type.dtype;
  std::int64_t sum = fns.int_init(dtype);
  Walk walk(g.reduced);
  const int at = walk.add(g.reduced_strides, base);
  for (std::int64_t i = 0; i < g.count; ++i, walk.next()) {
    sum = fns.int_step(is_signed_integer(dtype), sum, get_i64(c.in(0), walk[at]));
  }
  return sum;
}

}  // namespace

Status reduce_with(RefContext& c, const ReduceFns& fns) {
  const std::vector<std::int64_t> axes = c.has(1) ? read_i64(c.in(1)) : std::vector<std::int64_t>{};
  const auto g =
      reduce_geometry(c.in(0).type.shape, axes, c.as<ReduceAttrs>().noop_with_empty_axes);
  if (!g) return c.fail("axes out of range");
  const bool integers = !is_float(c.in(0).type.dtype) && fns.int_step != nullptr;
  Walk walk(g->kept);
  const int base = walk.add(g->kept_strides);
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
    if (integers) {
      put_i64(c.out(0), i, int_element(c, *g, walk[base], fns));
    } else {
      put_f64(c.out(0), i, real_element(c, *g, walk[base], fns));
    }
  }
  return Status::success();
}

std::int64_t reduce_flops(const NodeTypes& n) { return n.inputs[0].shape.elements(); }

}  // namespace polaris
