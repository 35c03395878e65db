#include <algorithm>
#include <limits>

#include "ir/op_util/compare.h"
#include "ir/op_util/conv_geometry.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

constexpr DTypeSet kTypes = kFloatTypes | dtype_set(DType::kI8, DType::kU8);

Status infer(InferContext& c) {
  if (auto s = check_dtype(c, 0, kTypes); !s) return s;
  const auto g = pool_geometry(c.in(0).shape, c.as<PoolAttrs>());
  if (!g) return c.fail(g.error().message());
  const Shape out = g->output(c.in(0).shape[1]);
  set_output(c, 0, c.in(0).dtype, out);
  set_output(c, 1, DType::kI64, out);
  return Status::success();
}

/// Offset in a channel counted column by column (storage_order 1).
std::int64_t column_major(const ConvGeometry& g, std::int64_t at) {
  const std::int64_t i2 = at % g.dims[2].in;
  const std::int64_t i1 = at / g.dims[2].in % g.dims[1].in;
  const std::int64_t i0 = at / g.dims[2].in / g.dims[1].in;
  return (i2 * g.dims[1].in + i1) * g.dims[0].in + i0;
}

/// The largest of no elements, as ReduceMax has it: a window may lie in the padding as a whole.
void put_below_all(RefTensor& out, std::int64_t i) {
  switch (out.type.dtype) {
    case DType::kI8: return put_i64(out, i, std::numeric_limits<std::int8_t>::min());
    case DType::kU8: return put_i64(out, i, 0);
    default: return put_f64(out, i, -std::numeric_limits<double>::infinity());
  }
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<PoolAttrs>();
  const auto g = pool_geometry(c.in(0).type.shape, attrs);
  if (!g) return c.fail(g.error().message());
  const std::int64_t planes = g->batch * g->groups;
  const std::int64_t positions = g->out_size();
  const bool indices = c.outputs.size() > 1 && c.out(1).data != nullptr;
  for (std::int64_t i = 0; i < planes * positions; ++i) {
    const std::int64_t base = i / positions * g->in_size();
    std::int64_t best = -1;
    each_tap(*g, i % positions, [&](std::int64_t, std::int64_t at) {
      if (best < 0 || element_beats(c.in(0), base + at, base + best, true)) best = at;
    });
    if (best >= 0) {
      copy_elements(c.out(0), i, c.in(0), base + best);
    } else {
      put_below_all(c.out(0), i);
    }
    if (!indices) continue;
    best = std::max<std::int64_t>(best, 0);
    put_i64(c.out(1), i, base + (attrs.storage_order == 1 ? column_major(*g, best) : best));
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) {
  std::int64_t taps = 1;
  for (std::int64_t k : static_cast<const PoolAttrs&>(*n.attrs).kernel_shape) taps *= k;
  return n.outputs[0].shape.elements() * taps;
}

constexpr Port kInputs[] = {{"X", kSpatial}};
constexpr Port kOutputs[] = {{"Y", kSpatial}, {"Indices", kOptional | kSpatial}};

}  // namespace

extern constinit const OpDef op_max_pool{
    .name = "MaxPool",
    .doc = "Largest element of each window over 1 to 3 spatial dims, and its flat index; NaN wins.",
    .since = 22,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kPicksElements,
    .make_attrs = make_attrs<PoolAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
