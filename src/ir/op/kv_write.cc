#include "ir/op_util/compose.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/traffic.h"
#include "tensor/block_format.h"

namespace polaris {
namespace {

constexpr DTypeSet kCacheTypes = dtype_set(DType::kF32, DType::kF16);

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kCacheTypes), check_dtype(c, 1, kCacheTypes),
                      check_dtype(c, 2, kFloatTypes), check_same_dtype(c, 2, 3),
                      check_dtype(c, 4, dtype_set(DType::kI32)), check_rank(c, 0, 3, 3),
                      check_rank(c, 1, 3, 3), check_rank(c, 2, 2, 2), check_rank(c, 3, 2, 2),
                      check_rank(c, 4, 1, 1));
      !s) {
    return s;
  }
  for (int i : {0, 1}) {
    const Shape& cache = c.in(i).shape;
    const Shape& rows = c.in(i + 2).shape;
    if (auto s = all_of(check_dims(c, "row size of k or v", rows[1], cache[2]),
                        check_dims(c, "tokens of slots", c.in(4).shape[0], rows[0]));
        !s) {
      return s;
    }
    if (static_cast<std::size_t>(i) < c.outputs.size()) c.out(i) = c.in(i);
  }
  return Status::success();
}

/// One row of floats into row `slot` of a plain or block-encoded cache.
void write_row(RefTensor& cache, std::int64_t slot, const RefTensor& from, std::int64_t row,
               std::int64_t width) {
  if (cache.type.encoding.is_plain()) {
    for (std::int64_t i = 0; i < width; ++i) {
      put_f64(cache, slot * width + i, get_f64(from, row * width + i));
    }
    return;
  }
  const BlockFormatInfo& info = block_format_info(cache.type.encoding.format);
  std::vector<float> values(static_cast<std::size_t>(width));
  for (std::int64_t i = 0; i < width; ++i) {
    values[static_cast<std::size_t>(i)] = static_cast<float>(get_f64(from, row * width + i));
  }
  encode_blocks(cache.type.encoding.format, values.data(), width,
                cache.data + slot * (width / info.block_elements) * info.block_bytes);
}

Status reference(RefContext& c) {
  const Shape& cache = c.in(0).type.shape;
  const std::int64_t slots = cache[0] * cache[1];
  for (std::int64_t t = 0, n = c.in(4).type.shape[0]; t < n; ++t) {
    const std::int64_t slot = get_i64(c.in(4), t);
    if (slot < 0 || slot >= slots) continue;
    write_row(c.out(0), slot, c.in(2), t, cache[2]);
    write_row(c.out(1), slot, c.in(3), t, cache[2]);
  }
  return Status::success();
}

/// Rows go to a flat cache with one row more, where those that are skipped land.
ValueId write_rows(DecomposeContext& d, ValueId cache, ValueId rows, ValueId slots) {
  const TensorType type = d.type(cache);
  const ValueId flat = reshape_to(d, cache, {-1, type.shape[2]});
  const ValueId count = dim_of(d, flat, 0);
  const ValueId spare =
      d.add("Expand", {scalar_constant(d, type.dtype, 0), int64_constant(d, {1, type.shape[2]})});
  const ValueId padded = d.add("Concat", {flat, spare});
  const ValueId slot = cast_to(d, slots, DType::kI64);
  const ValueId valid = d.add("And", {d.add("GreaterOrEqual", {slot, int64_constant(d, {0})}),
                                      d.add("Less", {slot, count})});
  const ValueId to = unsqueeze_at(d, d.add("Where", {valid, slot, count}), {1});
  const ValueId written = d.add("ScatterND", {padded, to, cast_to(d, rows, type.dtype)});
  const ValueId kept = d.add("Slice", {written, int64_constant(d, {0}), unsqueeze_at(d, count, {0}),
                                       int64_constant(d, {0})});
  return d.add("Reshape", {kept, d.add("Shape", {cache})});
}

Status decompose(DecomposeContext& d) {
  for (int i : {0, 1}) {
    const TensorType& type = d.type(d.input(i));
    if (!type.encoding.is_plain() || !is_static_dim(type.shape[2])) {
      return Error::unsupported("[polaris.KvWrite] decomposition of a cache " + type.to_string() +
                                ", wanted plain elements and rows of a fixed size");
    }
    d.set_output(i, write_rows(d, d.input(i), d.input(i + 2), d.input(4)));
  }
  return d.status();
}

std::int64_t flops(const NodeTypes& n) { return 2 * n.inputs[2].shape.elements(); }

/// The rows, as they come and as the caches keep them.
std::int64_t bytes(const NodeTypes& n) {
  const std::int64_t elements = n.inputs[2].shape.elements();
  return 2 * n.inputs[2].bytes().value_or(0) + 2 * bytes_of_elements(n.inputs[0], elements);
}

constexpr Port kInputs[] = {
    {"cache_k", kAcceptsEncoded}, {"cache_v", kAcceptsEncoded}, {"k"}, {"v"}, {"slots"}};
constexpr Port kOutputs[] = {{"cache_k_out"}, {"cache_v_out"}};
constexpr InPlace kInPlace[] = {{0, 0, true}, {1, 1, true}};

}  // namespace

extern constinit const OpDef op_kv_write{
    .name = "KvWrite",
    .domain = "polaris",
    .doc =
        "Writes the rows k[t], v[t] into the paged caches [pages, page_size, W] at slots[t] = "
        "page * page_size + row, encoding them as the caches are; slots outside the cache are "
        "skipped.",
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kStateful,
    .infer = infer,
    .reference = reference,
    .inplace = kInPlace,
    .decompose = decompose,
    .flops = flops,
    .bytes = bytes,
};

}  // namespace polaris
