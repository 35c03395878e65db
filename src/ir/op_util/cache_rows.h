#pragma once
#include <cstdint>

#include "ir/decompose.h"
#include "ir/op_def.h"

/// Rows of the paged caches [pages, page_size, W], as polaris.KvWrite and its kin write them.
namespace polaris {

/// Refuses blocks of a format that can only be read. Errors: invalid argument.
Status check_writable_cache(const InferContext& c, int input);

/// Row `row` of `from`, floats [rows, W], into row `slot` of a plain or block-encoded cache.
void write_cache_row(RefTensor& cache, std::int64_t slot, const RefTensor& from, std::int64_t row);

/// A plain cache with `rows` [T, W] at their slots [T], those outside of it skipped. kNoValue where
/// the context has failed. Errors: unsupported, kept in the context.
ValueId write_cache_rows(DecomposeContext& d, ValueId cache, ValueId rows, ValueId slots);

}  // namespace polaris
