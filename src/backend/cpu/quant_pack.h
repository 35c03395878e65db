#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "backend/cpu/simd/affine_panels.h"
#include "ir/constant.h"
#include "tensor/block_format.h"

namespace polaris::cpu {

/// What panels hold: a block format's weights, or affine ones.
struct PanelFormat {
  PanelFormat(BlockFormat format) : blocks(format) {}  // NOLINT: one is the other
  explicit PanelFormat(AffinePanels panels) : affine(panels) {}

  BlockFormat blocks = BlockFormat::kQ8_0;  // where affine is kNone
  AffinePanels affine = AffinePanels::kNone;
};

/// How panels hold a constant affine matrix [n, k]; kNone where they cannot.
AffinePanels affine_panels(const Constant& weight);
/// "affine4", with a minimum for each 16 "affine4_16" and so on.
std::string_view affine_panels_name(AffinePanels panels);
void affine_pack(AffinePanels panels, const Constant& weight, std::span<std::byte> out);

/// Whether weights of the format are packed in panels of 16 rows (simd/quant_layout.h). Those that
/// are entries of codebooks stay as they are in the file, and are decoded as they are used.
bool quant_packs(PanelFormat format);

/// Where the panel of 16 rows of `k` has its scales (first) and its codes, and where it ends.
std::int64_t quant_scale_bytes(PanelFormat format, std::int64_t k);
std::int64_t quant_code_bytes(PanelFormat format);  // of 32 k
std::int64_t quant_panel_bytes(PanelFormat format, std::int64_t k);

std::int64_t quant_packed_bytes(PanelFormat format, std::int64_t n, std::int64_t k);
/// Rows [n][k] as they are in a file, as so many bytes.
void quant_pack(BlockFormat format, std::int64_t n, std::int64_t k, const std::byte* from,
                std::span<std::byte> out);

}  // namespace polaris::cpu
