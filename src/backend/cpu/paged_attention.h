#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "backend/cpu/kernel.h"
#include "backend/cpu/simd/simd.h"
#include "tensor/block_format.h"

namespace polaris::cpu {

/// How the rows of a cache are stored.
struct CacheFormat {
  enum class Kind : std::uint8_t { kF32, kF16, kBlock };
  Kind kind = Kind::kF32;
  BlockFormat block = BlockFormat::kQ8_0;
  std::int64_t pages = 0, page_size = 0, width = 0;

  std::int64_t rows() const { return pages * page_size; }
  /// Bytes of `elements` elements (whole blocks).
  std::int64_t bytes(std::int64_t elements) const {
    if (kind == Kind::kF32) return elements * 4;
    if (kind == Kind::kF16) return elements * 2;
    const BlockFormatInfo& info = block_format_info(block);
    return elements / info.block_elements * info.block_bytes;
  }
};

struct Attention {
  const Simd* simd = nullptr;
  CacheFormat k, v;
  std::int64_t tokens = 0, kv_heads = 0, group = 0, size = 0;  // size: of a head
  std::int64_t sequences = 0, table = 0;                       // rows, columns of the block table
  std::int64_t window = 0;                                     // positions a token sees; 0: all
  float scale = 0;
  float cap = 0;  // scores s, which come divided by it, become cap * tanh(s); 0: they stay

  std::int64_t padded() const { return (size + 15) / 16 * 16; }
  void cap_scores(float* scores, std::int64_t count) const {
    if (cap == 0.0f) return;
    simd->unary[kOpTanh](scores, scores, count, 0, 0);
    simd->scale(scores, scores, count, cap);
  }
  /// The cache row of a sequence's position; -1 where no page holds it.
  std::int64_t cache_row(const std::int32_t* pages, std::int64_t position) const {
    const std::int64_t in_table = position / k.page_size;
    const std::int64_t page = in_table < table ? pages[in_table] : -1;
    if (page < 0 || page >= k.pages || page >= v.pages) return -1;
    return page * k.page_size + position % k.page_size;
  }
};

/// A head's slice of a cache row as float32: in place or decoded into `buffer`.
const float* read_slice(const Simd& simd, const CacheFormat& cache, const std::byte* rows,
                        std::int64_t row, std::int64_t head, std::int64_t size, float* buffer);

/// One key-value head of tokens [first, first + count), all of one sequence.
struct AttentionTile {
  const Attention& a;
  const Launch& l;
  std::int64_t first, count, head;

  /// How many positions token t of the tile sees.
  std::int64_t positions(std::int64_t t) const {
    return std::int64_t{l.in<std::int32_t>(5)[first + t]} + 1;
  }
  /// The first of them that it sees.
  std::int64_t begin(std::int64_t t) const {
    return a.window > 0 ? std::max<std::int64_t>(0, positions(t) - a.window) : 0;
  }
  /// The first that any token of the tile sees.
  std::int64_t first_seen() const {
    std::int64_t least = begin(0);
    for (std::int64_t t = 1; t < count; ++t) least = std::min(least, begin(t));
    return least;
  }
  std::int64_t row(std::int64_t t, std::int64_t g) const {
    return ((first + t) * a.kv_heads + head) * a.group + g;
  }
  /// What a softmax starts from: nothing, or the head's sink alone.
  float first_peak(std::int64_t g) const {
    return l.in<float>(6) == nullptr ? -INFINITY : l.in<float>(6)[head * a.group + g];
  }
  float first_total(std::int64_t t, std::int64_t g) const {
    const float sink = first_peak(g);
    const bool blind = l.in<std::int32_t>(4)[first] < 0 || positions(t) <= 0;
    return blind || sink == -INFINITY ? 0.0f
                                      : std::exp(sink - sink);  // an infinity is no distribution
  }
  const float* query(std::int64_t t, std::int64_t g) const {
    return l.in<float>(0) + row(t, g) * a.size;
  }
};

/// Launches of so many tokens go by tiles of as many, as matrix products. The threshold is the
/// launch's, so that a token's bits do not follow from its neighbours.
inline constexpr std::int64_t kManyTokens = 16;
std::int64_t many_tokens_scratch(const Attention& a);  // floats
/// False where some position has no page.
bool attend_many(const AttentionTile& tile, float* scratch);

}  // namespace polaris::cpu
