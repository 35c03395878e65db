#include "ir/op_util/cache_rows.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/traffic.h"

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
    if (auto s = all_of(check_writable_cache(c, i),
                        check_dims(c, "row size of k or v", rows[1], cache[2]),
                        check_dims(c, "tokens of slots", c.in(4).shape[0], rows[0]));
        !s) {
      return s;
    }
    if (static_cast<std::size_t>(i) < c.outputs.size()) c.out(i) = c.in(i);
  }
  return Status::success();
}

Status reference(RefContext& c) {
  const Shape& cache = c.in(0).type.shape;
  const std::int64_t slots = cache[0] * cache[1];
  for (std::int64_t t = 0, n = c.in(4).type.shape[0]; t < n; ++t) {
    const std::int64_t slot = get_i64(c.in(4), t);
    if (slot < 0 || slot >= slots) continue;
    write_cache_row(c.out(0), slot, c.in(2), t);
    write_cache_row(c.out(1), slot, c.in(3), t);
  }
  return Status::success();
}

Status decompose(DecomposeContext& d) {
  for (int i : {0, 1}) {
    const ValueId written = write_cache_rows(d, d.input(i), d.input(i + 2), d.input(4));
    if (written.valid()) d.set_output(i, written);
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
