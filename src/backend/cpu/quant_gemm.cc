#include "backend/cpu/quant_gemm.h"

#include <algorithm>

#include "backend/cpu/gemm.h"
#include "backend/cpu/simd/quant_layout.h"
#include "tensor/block_format.h"

namespace polaris::cpu {
namespace {

constexpr std::int64_t kBlock = kQuantBlock;
constexpr std::int64_t kRowUnit = 8;  // rows are dealt to tasks by so many

QuantKernels kernels_of(const QuantSimd& quant, PanelFormat format) {
  if (format.affine == AffinePanels::kNone) return quant.kernels(format.blocks);
  if (&quant == &kQuantVnni) return affine_vnni(format.affine);
  return &quant == &kQuantAvx2 ? affine_avx2(format.affine) : affine_sse2(format.affine);
}

bool decodes(const QuantSimd& quant, PanelFormat format, std::int64_t rows) {
  return rows >= quant.float_rows || !quant_packs(format);
}

void float_gemm(const Simd& simd, ThreadPool& pool, const QuantCall& call,
                const PanelDecoder& decoder) {
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

void decoded_gemm(const Simd& simd, const QuantSimd& quant, ThreadPool& pool,
                  const QuantCall& call) {
  const std::int64_t panel_bytes = quant_panel_bytes(call.format, call.k);
  const std::int64_t scale_bytes = quant_scale_bytes(call.format, call.k);
  const auto decode = kernels_of(quant, call.format).decode;
  const auto body = [&](std::int64_t p, std::int64_t panels, std::int64_t k0, std::int64_t k,
                        float* out) {
    for (std::int64_t i = 0; i < panels; ++i) {
      const auto* panel = reinterpret_cast<const std::uint8_t*>(call.w + (p + i) * panel_bytes);
      decode(panel, panel + scale_bytes, k0 / kBlock, k / kBlock, out + i * k * kPanel);
    }
  };
  const PanelDecoder decoder(body);
  float_gemm(simd, pool, call, decoder);
}

/// The file's own rows, which no block of the format crosses at a multiple of kBlockElementsMax.
void unpacked_gemm(const Simd& simd, ThreadPool& pool, const QuantCall& call) {
  const BlockFormatInfo& info = block_format_info(call.format.blocks);
  const std::int64_t row_bytes = call.k / info.block_elements * info.block_bytes;
  const auto body = [&](std::int64_t p, std::int64_t panels, std::int64_t k0, std::int64_t k,
                        float* out) {
    alignas(64) float rows[kPanel][kBlockElementsMax];
    const float* pointers[kPanel];
    for (std::int64_t i = 0; i < panels; ++i, out += k * kPanel) {
      const std::int64_t row = (p + i) * kPanel;
      const std::int64_t count = std::min<std::int64_t>(kPanel, call.n - row);
      if (count < kPanel) std::fill_n(out, k * kPanel, 0.0f);
      for (std::int64_t at = 0; at < k; at += kBlockElementsMax) {
        const std::int64_t size = std::min<std::int64_t>(kBlockElementsMax, k - at);
        for (std::int64_t r = 0; r < count; ++r) {
          const std::byte* from =
              call.w + (row + r) * row_bytes + (k0 + at) / info.block_elements * info.block_bytes;
          decode_blocks(call.format.blocks, from, size, rows[r]);
          pointers[r] = rows[r];
        }
        simd.transpose(pointers, count, size, out + at * kPanel, kPanel);
      }
    }
  };
  const PanelDecoder decoder(body);
  float_gemm(simd, pool, call, decoder);
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
  const std::int64_t scale_bytes = quant_scale_bytes(call.format, call.k);
  const auto run = kernels_of(simd, call.format).product;
  const std::int64_t wide = call.m > 1 ? simd.panels : 1;
  const GemmGrid grid{call.m, kRowUnit, kQuantRows, packed_panels(call.n), wide, call.k};
  for_each_task(
      pool, grid, [&](std::int64_t m0, std::int64_t m1, std::int64_t p0, std::int64_t p1, int) {
        QuantTile tile;
        tile.blocks = blocks;
        tile.ldy = call.n;
        tile.panel_bytes = panel_bytes;
        tile.rows = static_cast<int>(m1 - m0);
        tile.x = x + m0 * blocks;
        tile.meta = meta + m0 * blocks;
        for (std::int64_t p = p0; p < p1; p += tile.panels) {
          const auto* panel = reinterpret_cast<const std::uint8_t*>(call.w + p * panel_bytes);
          tile.panels = static_cast<int>(std::min(wide, p1 - p));
          tile.scales = panel;
          tile.codes = panel + scale_bytes;
          tile.columns =
              static_cast<int>(std::min<std::int64_t>(tile.panels * kPanel, call.n - p * kPanel));
          tile.bias = call.bias == nullptr ? nullptr : call.bias + p * kPanel;
          tile.y = call.y + m0 * call.n + p * kPanel;
          run(tile);
        }
      });
}

}  // namespace

std::int64_t quant_scratch_bytes(const QuantSimd& quant, PanelFormat format, std::int64_t m,
                                 std::int64_t k, std::int64_t usual_rows) {
  if (decodes(quant, format, usual_rows > 0 ? usual_rows : m)) return m * k * 4;
  constexpr auto kBytes = static_cast<std::int64_t>(sizeof(QuantBlock) + sizeof(QuantMeta));
  return m * (k / kBlock) * kBytes;
}

void quant_gemm(const Simd& simd, const QuantSimd& quant, ThreadPool& pool, const QuantCall& call) {
  if (!quant_packs(call.format)) {
    unpacked_gemm(simd, pool, call);
  } else if (decodes(quant, call.format, call.usual_rows > 0 ? call.usual_rows : call.m)) {
    decoded_gemm(simd, quant, pool, call);
  } else {
    integer_gemm(quant, pool, call);
  }
}

}  // namespace polaris::cpu
