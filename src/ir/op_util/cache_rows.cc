#include "ir/op_util/cache_rows.h"

#include <string>
#include <vector>

#include "ir/op_util/compose.h"
#include "ir/op_util/elements.h"
#include "tensor/block_format.h"

namespace polaris {

Status check_writable_cache(const InferContext& c, int input) {
  const Encoding& encoding = c.in(input).encoding;
  if (!encoding.is_block() || encodes(encoding.format)) return Status::success();
  return c.fail("cache, got " + std::string(block_format_info(encoding.format).name) +
                ", wanted a format that can be written, such as q8_0");
}

void write_cache_row(RefTensor& cache, std::int64_t slot, const RefTensor& from, std::int64_t row) {
  const std::int64_t width = cache.type.shape[2];
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

// Rows go to a flat cache with one row more, where those that are skipped land.
ValueId write_cache_rows(DecomposeContext& d, ValueId cache, ValueId rows, ValueId slots) {
  const TensorType type = d.type(cache);
  if (!type.encoding.is_plain() || !is_static_dim(type.shape[2])) {
    d.fail(Error::unsupported("[paged cache] decomposition of a cache " + type.to_string() +
                              ", wanted plain elements and rows of a fixed size"));
    return kNoValue;
  }
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

}  // namespace polaris
