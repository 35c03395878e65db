#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "tensor/block_format.h"

namespace polaris::cpu {

/// Whether weights of the format are packed in panels of 16 rows (simd/quant_layout.h). Those that
/// are entries of codebooks stay as they are in the file, and are decoded as they are used.
bool quant_packs(BlockFormat format);

/// Where the panel of 16 rows of `k` has its scales (first) and its codes, and where it ends.
std::int64_t quant_scale_bytes(BlockFormat format, std::int64_t k);
std::int64_t quant_code_bytes(BlockFormat format);  // of 32 k
std::int64_t quant_panel_bytes(BlockFormat format, std::int64_t k);

std::int64_t quant_packed_bytes(BlockFormat format, std::int64_t n, std::int64_t k);
/// Rows [n][k] as they are in a file, as so many bytes.
void quant_pack(BlockFormat format, std::int64_t n, std::int64_t k, const std::byte* from,
                std::span<std::byte> out);

}  // namespace polaris::cpu
