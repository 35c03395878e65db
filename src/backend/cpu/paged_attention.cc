#include "backend/cpu/paged_attention.h"

#include <algorithm>
#include <cmath>

#include "backend/cpu/gemm.h"
#include "base/bytes.h"

namespace polaris::cpu {
namespace {

// Positions that share one rescaling: cut at its multiples, so that the order of every sum follows
// from positions alone.
constexpr std::int64_t kChunk = 64;

/// Scores and sums of all heads and tokens of a tile as products of matrices. A row (one head of
/// one token) reduces over the head's elements, then over positions, in order, one multiply-add
/// each, whatever rows stand beside it.
struct ManyTokens : AttentionTile {
  float* scratch;

  std::int64_t rows() const { return count * a.group; }
  std::int64_t most_rows() const { return kManyTokens * a.group; }
  /// What row r sees of a chunk: [unseen, seen).
  std::int64_t seen(std::int64_t r, std::int64_t start, std::int64_t size) const {
    return std::clamp<std::int64_t>(positions(r / a.group) - start, 0, size);
  }
  std::int64_t unseen(std::int64_t r, std::int64_t start, std::int64_t size) const {
    return std::clamp<std::int64_t>(begin(r / a.group) - start, 0, size);
  }
  float* key_rows() const { return scratch; }                             // [kChunk][padded]
  float* keys() const { return key_rows() + kChunk * a.padded(); }        // panels of 16
  float* values() const { return keys() + kChunk * a.padded(); }          // [kChunk][padded]
  float* queries() const { return values() + kChunk * a.padded(); }       // packed
  float* scores() const { return queries() + most_rows() * a.padded(); }  // [rows][kChunk]
  float* weights() const { return scores() + most_rows() * kChunk; }      // of a block, packed
  float* sums() const { return weights() + kGemmRowsMax * kChunk; }       // [rows][padded]
  float* peaks() const { return sums() + most_rows() * a.padded(); }
  float* totals() const { return peaks() + most_rows(); }

  bool run() const;
  void start_rows() const;
  bool read_chunk(const std::int32_t* pages, std::int64_t start, std::int64_t from,
                  std::int64_t size) const;
  void absorb(std::int64_t from, std::int64_t count, std::int64_t start, std::int64_t size) const;
  void soften(std::int64_t r, std::int64_t from, std::int64_t size) const;
  void weigh_alone(std::int64_t r, std::int64_t from, std::int64_t to) const;
  void product(GemmTile tile, std::int64_t rows, std::int64_t columns) const;
};

/// Cuts a product of one depth into the panels that a tile takes.
void ManyTokens::product(GemmTile tile, std::int64_t tile_rows, std::int64_t columns) const {
  const GemmTile all = tile;
  for (std::int64_t c = 0; c < columns;) {
    const std::int64_t panels = columns - c > kPanel ? a.simd->gemm_panels : 1;
    tile.b = static_cast<const float*>(all.b) + c / kPanel * all.b_stride;
    tile.c = all.c + c;
    tile.columns = std::min(columns - c, panels * kPanel);
    a.simd->gemm_f32(tile, static_cast<int>(tile_rows), static_cast<int>(panels));
    c += panels * kPanel;
  }
}

/// Queries scaled and packed, sums and totals zero.
void ManyTokens::start_rows() const {
  const auto scale = a.simd->scale;
  for (std::int64_t r = 0; r < rows(); ++r) {
    scale(query(r / a.group, r % a.group), sums() + r * a.padded(), a.size, a.scale);
  }
  GemmCall call;
  call.a = sums();
  call.lda = a.padded();
  call.m = rows();
  call.k = a.size;
  pack_rows(*a.simd, call, 0, rows(), queries());
  std::fill_n(sums(), rows() * a.padded(), 0.0f);
  for (std::int64_t r = 0; r < rows(); ++r) {
    totals()[r] = first_total(r / a.group, r % a.group);
    peaks()[r] = first_peak(r % a.group);
  }
}

/// Positions [start + from, start + size); what stands before them is zeros, which no row takes.
bool ManyTokens::read_chunk(const std::int32_t* pages, std::int64_t start, std::int64_t from,
                            std::int64_t size) const {
  const float* rows_of_keys[kChunk];
  for (std::int64_t p = 0; p < from; ++p) {
    std::fill_n(key_rows() + p * a.padded(), a.size, 0.0f);
    rows_of_keys[p] = key_rows() + p * a.padded();
  }
  for (std::int64_t p = from; p < size; ++p) {
    const std::int64_t at = a.cache_row(pages, start + p);
    if (at < 0) return false;
    float* value = values() + p * a.padded();
    rows_of_keys[p] =
        read_slice(*a.simd, a.k, l.inputs[1], at, head, a.size, key_rows() + p * a.padded());
    const float* read = read_slice(*a.simd, a.v, l.inputs[2], at, head, a.size, value);
    if (read != value) copy_bytes(value, read, static_cast<std::size_t>(a.size) * 4);
  }
  for (std::int64_t p = 0; p < size; p += kPanel) {
    a.simd->transpose(rows_of_keys + p, std::min<std::int64_t>(kPanel, size - p), a.size,
                      keys() + p * a.size, kPanel);
  }
  return true;
}

/// Scores [from, from + size) of row r to weights under its running peak.
void ManyTokens::soften(std::int64_t r, std::int64_t from, std::int64_t size) const {
  float* score = scores() + r * kChunk + from;
  a.cap_scores(score, size);
  float& peak = peaks()[r];
  float& total = totals()[r];
  const float top = std::max(peak, a.simd->max(score, size));
  if (top > peak) {
    const float shrink = std::exp(peak - top);
    float* sum = sums() + r * a.padded();
    a.simd->scale(sum, sum, a.size, shrink);
    total *= shrink;
    peak = top;
  }
  total += a.simd->exp_sum(score, top, score, size);
}

/// Adds the values of positions [from, to) of the chunk to one row.
void ManyTokens::weigh_alone(std::int64_t r, std::int64_t from, std::int64_t to) const {
  if (from >= to) return;
  GemmTile sum;
  sum.a = scores() + r * kChunk + from;
  sum.b = values() + from * a.padded();
  sum.b_step = a.padded();
  sum.b_stride = kPanel;
  sum.c = sums() + r * a.padded();
  sum.ldc = a.padded();
  sum.k = to - from;
  sum.accumulate = true;
  product(sum, 1, a.size);
}

/// Takes the chunk into rows [from, from + block), at most one tile's.
void ManyTokens::absorb(std::int64_t from, std::int64_t block, std::int64_t start,
                        std::int64_t size) const {
  // All rows see [low, least), none sees what lies behind `most`.
  std::int64_t low = 0;
  std::int64_t least = size;
  std::int64_t most = 0;
  for (std::int64_t r = from; r < from + block; ++r) {
    low = std::max(low, unseen(r, start, size));
    least = std::min(least, seen(r, start, size));
    most = std::max(most, seen(r, start, size));
  }
  if (most == 0) return;
  low = std::min(low, least);
  GemmTile score;
  score.a = queries() + from * a.size;
  score.b = keys();
  score.b_stride = a.size * kPanel;
  score.c = scores() + from * kChunk;
  score.ldc = kChunk;
  score.k = a.size;
  product(score, block, most);
  // What only some rows see is summed apart: a weight of zero would not do, the value may be
  // infinite. In the order of positions, whichever rows stand beside.
  const float* weights_of[kGemmRowsMax];
  for (std::int64_t r = 0; r < block; ++r) {
    weights_of[r] = scores() + (from + r) * kChunk + low;
    const std::int64_t first_of = unseen(from + r, start, size);
    const std::int64_t length = seen(from + r, start, size) - first_of;
    if (length > 0) soften(from + r, first_of, length);
    weigh_alone(from + r, first_of, std::min(low, seen(from + r, start, size)));
  }
  if (least > low) {
    GemmTile sum;
    a.simd->transpose(weights_of, block, least - low, weights(), block);
    sum.a = weights();
    sum.b = values() + low * a.padded();
    sum.b_step = a.padded();
    sum.b_stride = kPanel;
    sum.c = sums() + from * a.padded();
    sum.ldc = a.padded();
    sum.k = least - low;
    sum.accumulate = true;
    product(sum, block, a.size);
  }
  for (std::int64_t r = from; r < from + block; ++r) {
    weigh_alone(r, std::max(least, unseen(r, start, size)), seen(r, start, size));
  }
}

bool ManyTokens::run() const {
  const std::int64_t sequence = l.in<std::int32_t>(4)[first];
  if (sequence >= a.sequences) return false;
  std::int64_t longest = 0;
  for (std::int64_t t = 0; t < count; ++t) longest = std::max(longest, positions(t));
  if (sequence < 0) longest = 0;
  start_rows();
  const std::int32_t* pages = l.in<std::int32_t>(3) + std::max<std::int64_t>(sequence, 0) * a.table;
  const std::int64_t unit = rows_of_block(*a.simd, rows());
  const std::int64_t least = first_seen();
  for (std::int64_t start = least / kChunk * kChunk; start < longest; start += kChunk) {
    const std::int64_t size = std::min(kChunk, longest - start);
    const std::int64_t from = std::max<std::int64_t>(0, least - start);
    if (!read_chunk(pages, start, from, size)) return false;
    for (std::int64_t r = 0; r < rows(); r += unit) {
      absorb(r, std::min(unit, rows() - r), start, size);
    }
  }
  for (std::int64_t r = 0; r < rows(); ++r) {
    // A token that sees nothing gives zeros.
    const float total = totals()[r];
    a.simd->scale(sums() + r * a.padded(), l.out<float>(0) + row(r / a.group, r % a.group) * a.size,
                  a.size, total == 0.0f ? 0.0f : 1.0f / total);
  }
  return true;
}

}  // namespace

const float* read_slice(const Simd& simd, const CacheFormat& cache, const std::byte* rows,
                        std::int64_t row, std::int64_t head, std::int64_t size, float* buffer) {
  const std::byte* from = rows + row * cache.bytes(cache.width);
  switch (cache.kind) {
    case CacheFormat::Kind::kF32: return reinterpret_cast<const float*>(from) + head * size;
    case CacheFormat::Kind::kF16:
      simd.widen_f16(reinterpret_cast<const std::uint16_t*>(from) + head * size, buffer, size);
      return buffer;
    case CacheFormat::Kind::kBlock: break;
  }
  simd.block_decoder(cache.block)(from + cache.bytes(head * size), buffer, size);
  return buffer;
}

std::int64_t many_tokens_scratch(const Attention& a) {
  const std::int64_t rows = kManyTokens * a.group;
  return 3 * kChunk * a.padded() + 2 * rows * a.padded() + rows * (kChunk + 2) +
         kGemmRowsMax * kChunk;
}

bool attend_many(const AttentionTile& tile, float* scratch) {
  return ManyTokens{tile, scratch}.run();
}

}  // namespace polaris::cpu
