#include "backend/cpu/quant_gemm.h"

#include <algorithm>
#include <cstring>

#include "backend/cpu/gemm.h"
#include "base/checked.h"
#include "tensor/encoding.h"

namespace polaris::cpu {
namespace {

constexpr std::int64_t kBlock = 32;
// Activations of one task: 64 rows of 4096 are half a megabyte.
constexpr std::int64_t kRowsMax = 64;

std::int64_t scale_bytes(std::int64_t k) { return round_up(k / kBlock * kPanel * 2, 64); }
std::int64_t block_quants(BlockFormat format) {
  switch (format) {
    case BlockFormat::kQ4_0: return kBlock * kPanel / 2;
    case BlockFormat::kQ8_0: return kBlock * kPanel;
  }
  return 0;
}

/// One block of row `r` of a panel.
void pack_block(BlockFormat format, const std::byte* from, std::int64_t r, std::byte* scales,
                std::byte* quants) {
  std::memcpy(scales + 2 * r, from, 2);
  // Of q4_0 byte i holds elements i (low) and i + 16 (high), which are groups j and j + 4 here too.
  const std::int64_t words = block_quants(format) / kPanel / 4;
  for (std::int64_t j = 0; j < words; ++j) {
    std::memcpy(quants + 64 * j + 4 * r, from + 2 + 4 * j, 4);
  }
}

}  // namespace

std::int64_t quant_panel_bytes(BlockFormat format, std::int64_t k) {
  return scale_bytes(k) + k / kBlock * block_quants(format);
}
std::int64_t quant_packed_bytes(BlockFormat format, std::int64_t n, std::int64_t k) {
  return packed_panels(n) * quant_panel_bytes(format, k);
}

void quant_pack(const Constant& weight, std::span<std::byte> out) {
  const TensorType& type = weight.data.type();
  const BlockFormat format = type.encoding.format;
  const std::int64_t n = type.shape[0];
  const std::int64_t k = type.shape[1];
  const std::int64_t blocks = k / kBlock;
  const std::int64_t block_bytes = block_format_info(format).block_bytes;
  const std::int64_t panel_bytes = quant_panel_bytes(format, k);
  if (n % kPanel != 0 || scale_bytes(k) != blocks * kPanel * 2) {
    std::memset(out.data(), 0, static_cast<std::size_t>(quant_packed_bytes(format, n, k)));
  }
  const std::byte* from = weight.data.bytes().data();
  for (std::int64_t row = 0; row < n; ++row) {
    std::byte* panel = out.data() + row / kPanel * panel_bytes;
    for (std::int64_t b = 0; b < blocks; ++b, from += block_bytes) {
      pack_block(format, from, row % kPanel, panel + b * kPanel * 2,
                 panel + scale_bytes(k) + b * block_quants(format));
    }
  }
}

std::int64_t quant_scratch_bytes(const QuantSimd& quant, std::int64_t m, std::int64_t k) {
  if (m >= quant.float_rows) return m * k * 4;
  constexpr auto kBytes = static_cast<std::int64_t>(sizeof(QuantBlock) + sizeof(QuantMeta));
  return m * (k / kBlock) * kBytes;
}

namespace {

void decoded_gemm(const Simd& simd, const QuantSimd& quant, ThreadPool& pool,
                  const QuantCall& call) {
  const std::int64_t panel_bytes = quant_panel_bytes(call.format, call.k);
  const auto decode = quant.kernels(call.format).decode;
  const auto body = [&](std::int64_t p, std::int64_t panels, std::int64_t k0, std::int64_t k,
                        float* out) {
    for (std::int64_t i = 0; i < panels; ++i) {
      const std::byte* panel = call.w + (p + i) * panel_bytes;
      const std::byte* quants =
          panel + scale_bytes(call.k) + k0 / kBlock * block_quants(call.format);
      decode(reinterpret_cast<const std::uint16_t*>(panel) + k0 / kBlock * kPanel,
             reinterpret_cast<const std::uint8_t*>(quants), k / kBlock, out + i * k * kPanel);
    }
  };
  const PanelDecoder decoder(body);
  GemmCall product;
  product.a = call.x;
  product.lda = call.k;
  product.c = call.y;
  product.ldc = call.n;
  product.m = call.m;
  product.k = call.k;
  product.n = call.n;
  product.bias = call.bias;
  product.scratch = reinterpret_cast<float*>(call.scratch);
  product.decode = &decoder;
  gemm(simd, pool, product);
}

void integer_gemm(const QuantSimd& simd, ThreadPool& pool, const QuantCall& call) {
  const std::int64_t blocks = call.k / kBlock;
  auto* x = reinterpret_cast<QuantBlock*>(call.scratch);
  auto* meta = reinterpret_cast<QuantMeta*>(
      call.scratch + call.m * blocks * static_cast<std::int64_t>(sizeof(QuantBlock)));
  const std::int64_t grain = std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(call.k, 1));
  pool.parallel_for(call.m, grain, [&](std::int64_t from, std::int64_t to, int) {
    for (std::int64_t r = from; r < to; ++r) {
      simd.quantize(call.x + r * call.k, call.k, x + r * blocks, meta + r * blocks);
    }
  });
  const std::int64_t panel_bytes = quant_panel_bytes(call.format, call.k);
  const auto run = simd.kernels(call.format).product;
  const std::int64_t wide = call.m > 1 ? simd.panels : 1;
  const GemmGrid grid{call.m, kQuantRows, kRowsMax, packed_panels(call.n), wide, call.k};
  for_each_task(
      pool, grid, [&](std::int64_t m0, std::int64_t m1, std::int64_t p0, std::int64_t p1, int) {
        QuantTile tile;
        tile.blocks = blocks;
        tile.ldy = call.n;
        tile.panel_bytes = panel_bytes;
        for (std::int64_t p = p0; p < p1; p += tile.panels) {
          const std::byte* panel = call.w + p * panel_bytes;
          tile.panels = static_cast<int>(std::min(wide, p1 - p));
          tile.scales = reinterpret_cast<const std::uint16_t*>(panel);
          tile.quants = reinterpret_cast<const std::uint8_t*>(panel + scale_bytes(call.k));
          tile.columns =
              static_cast<int>(std::min<std::int64_t>(tile.panels * kPanel, call.n - p * kPanel));
          tile.bias = call.bias == nullptr ? nullptr : call.bias + p * kPanel;
          for (std::int64_t r = m0; r < m1; r += kQuantRows) {
            tile.rows = static_cast<int>(std::min<std::int64_t>(kQuantRows, m1 - r));
            tile.x = x + r * blocks;
            tile.meta = meta + r * blocks;
            tile.y = call.y + r * call.n + p * kPanel;
            run(tile);
          }
        }
      });
}

}  // namespace

void quant_gemm(const Simd& simd, const QuantSimd& quant, ThreadPool& pool, const QuantCall& call) {
  if (call.m >= quant.float_rows) {
    decoded_gemm(simd, quant, pool, call);
  } else {
    integer_gemm(quant, pool, call);
  }
}

}  // namespace polaris::cpu
