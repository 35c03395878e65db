// polaris.KvWrite and polaris.PagedAttention over float32, float16, q8_0 and q4_0 caches.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "backend/cpu/kernel.h"
#include "backend/cpu/paged_attention.h"
#include "backend/cpu/rows.h"
#include "backend/cpu/run_error.h"
#include "backend/cpu/simd/simd.h"
#include "backend/cpu/widened.h"
#include "base/bytes.h"
#include "ir/op_attrs/attention.h"
#include "tensor/block_format.h"

namespace polaris::cpu {
namespace {

CacheFormat cache_format(const TensorType& type) {
  CacheFormat out;
  out.kind = type.encoding.is_block()    ? CacheFormat::Kind::kBlock
             : type.dtype == DType::kF16 ? CacheFormat::Kind::kF16
                                         : CacheFormat::Kind::kF32;
  out.block = type.encoding.format;
  out.pages = type.shape[0];
  out.page_size = type.shape[1];
  out.width = type.shape[2];
  return out;
}

std::string format_name(const CacheFormat& cache) {
  if (cache.kind == CacheFormat::Kind::kF32) return "f32";
  if (cache.kind == CacheFormat::Kind::kF16) return "f16";
  return std::string(block_format_info(cache.block).name);
}

bool takes(const TensorType& type) {
  const bool plain = type.encoding.is_plain();
  return (plain && (type.dtype == DType::kF32 || type.dtype == DType::kF16)) ||
         (type.encoding.is_block() && type.dtype == DType::kF32);
}

void write_row(const Simd& simd, const CacheFormat& cache, const float* from, std::byte* to) {
  switch (cache.kind) {
    case CacheFormat::Kind::kF32:
      copy_bytes(to, from, static_cast<std::size_t>(cache.width) * 4);
      return;
    case CacheFormat::Kind::kF16:
      simd.narrow_f16(from, reinterpret_cast<std::uint16_t*>(to), cache.width);
      return;
    case CacheFormat::Kind::kBlock: encode_blocks(cache.block, from, cache.width, to);
  }
}

KernelResult select_write(const CpuTarget& target, const NodeDesc& node) {
  for (std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    if (!takes(node.inputs[i].type) || node.inputs[i + 2].type.dtype != DType::kF32) {
      return unsupported(node, "cache and row types");
    }
  }
  const CacheFormat k = cache_format(node.inputs[0].type);
  const CacheFormat v = cache_format(node.inputs[1].type);
  const std::int64_t tokens = node.inputs[4].type.shape[0];
  return KernelResult(make_kernel("kv_write_" + format_name(k), [simd = target.simd, k, v,
                                                                 tokens](const Launch& l) {
    const auto* slots = l.in<std::int32_t>(4);
    parallel_rows(*l.pool, tokens, 2 * k.width, [&](std::int64_t from, std::int64_t to, int) {
      for (std::int64_t t = from; t < to; ++t) {
        const std::int64_t slot = slots[t];
        if (slot >= 0 && slot < k.rows()) {
          write_row(*simd, k, l.in<float>(2) + t * k.width, l.outputs[0] + slot * k.bytes(k.width));
        }
        if (slot >= 0 && slot < v.rows()) {
          write_row(*simd, v, l.in<float>(3) + t * v.width, l.outputs[1] + slot * v.bytes(v.width));
        }
      }
    });
  }));
}

// Positions that share one rescaling. The order of every sum follows from positions alone.
constexpr std::int64_t kChunk = 32;
// Neighbouring tokens of one sequence that share the decoding of keys and values.
constexpr std::int64_t kTokens = 8;
constexpr std::int64_t kTaskWork = 32768;

/// Floats of one worker: decoded keys and values of a chunk, scores of one head, then for every
/// token and head of the group its sums, peak and total.
std::int64_t few_scratch(const Attention& a) {
  return 2 * kChunk * a.padded() + kChunk + kTokens * a.group * (a.padded() + 2);
}

/// Few tokens: one dot product a position.
struct Tile : AttentionTile {
  float* scratch;

  float* key_buffer(std::int64_t p) const { return scratch + p * a.padded(); }
  float* value_buffer(std::int64_t p) const { return key_buffer(kChunk + p); }
  float* scores() const { return key_buffer(2 * kChunk); }
  float* sums(std::int64_t t, std::int64_t g) const {
    return scores() + kChunk + (t * a.group + g) * (a.padded() + 2);
  }

  bool run() const;
  bool chunk(const std::int32_t* pages, std::int64_t start, std::int64_t from,
             std::int64_t size) const;
  void absorb(std::int64_t t, std::int64_t g, const float* const* keys, const float* const* values,
              std::int64_t size) const;
};

/// Takes `size` positions into the running softmax of one head of one token.
void Tile::absorb(std::int64_t t, std::int64_t g, const float* const* keys,
                  const float* const* values, std::int64_t size) const {
  const Simd& simd = *a.simd;
  float* sum = sums(t, g);
  float& peak = sum[a.padded()];
  float& total = sum[a.padded() + 1];
  simd.dots(query(t, g), keys, size, a.size, a.scale, scores());
  a.cap_scores(scores(), size);
  const float top = std::max(peak, simd.max(scores(), size));
  if (top > peak) {
    const float shrink = std::exp(peak - top);
    simd.scale(sum, sum, a.size, shrink);
    total *= shrink;
    peak = top;
  }
  total += simd.exp_sum(scores(), top, scores(), size);
  simd.weigh(scores(), values, size, a.size, sum);
}

/// Positions [start + from, start + size), of which every token takes those that it sees.
bool Tile::chunk(const std::int32_t* pages, std::int64_t start, std::int64_t from,
                 std::int64_t size) const {
  const float* keys[kChunk];
  const float* values[kChunk];
  for (std::int64_t p = from; p < size; ++p) {
    const std::int64_t at = a.cache_row(pages, start + p);
    if (at < 0) return false;
    keys[p] = read_slice(*a.simd, a.k, l.inputs[1], at, head, a.size, key_buffer(p));
    values[p] = read_slice(*a.simd, a.v, l.inputs[2], at, head, a.size, value_buffer(p));
  }
  for (std::int64_t t = 0; t < count; ++t) {
    const std::int64_t low = std::max(from, begin(t) - start);
    const std::int64_t seen = std::min(size, positions(t) - start) - low;
    if (seen <= 0) continue;
    for (std::int64_t g = 0; g < a.group; ++g) absorb(t, g, keys + low, values + low, seen);
  }
  return true;
}

bool Tile::run() const {
  const std::int64_t sequence = l.in<std::int32_t>(4)[first];
  std::int64_t longest = 0;
  for (std::int64_t t = 0; t < count; ++t) longest = std::max(longest, positions(t));
  if (sequence < 0) longest = 0;
  if (sequence >= a.sequences) return false;
  for (std::int64_t i = 0; i < count * a.group; ++i) {
    float* sum = sums(0, i);
    std::fill_n(sum, a.padded(), 0.0f);
    sum[a.padded()] = first_peak(i % a.group);
    sum[a.padded() + 1] = first_total(i / a.group, i % a.group);
  }
  const std::int32_t* pages = l.in<std::int32_t>(3) + std::max<std::int64_t>(sequence, 0) * a.table;
  const std::int64_t least = first_seen();
  for (std::int64_t start = least / kChunk * kChunk; start < longest; start += kChunk) {
    const std::int64_t from = std::max<std::int64_t>(0, least - start);
    if (!chunk(pages, start, from, std::min(kChunk, longest - start))) return false;
  }
  for (std::int64_t t = 0; t < count; ++t) {
    for (std::int64_t g = 0; g < a.group; ++g) {
      const float* sum = sums(t, g);
      const float total = sum[a.padded() + 1];
      // A token that sees nothing gives zeros.
      a.simd->scale(sum, l.out<float>(0) + row(t, g) * a.size, a.size,
                    total == 0.0f ? 0.0f : 1.0f / total);
    }
  }
  return true;
}

/// Tokens from `first` on that make one tile: those of its sequence up to `end`.
std::int64_t tile_tokens(const Launch& l, std::int64_t first, std::int64_t end) {
  const auto* sequences = l.in<std::int32_t>(4);
  std::int64_t t = first + 1;
  while (t < end && sequences[t] == sequences[first]) ++t;
  return t - first;
}

/// Heads of one task: enough work to be worth a thread.
std::int64_t heads_per_task(const Attention& a, const Launch& l, std::int64_t tasks) {
  std::int64_t positions = 0;
  for (std::int64_t t = 0; t < a.tokens; ++t) {
    const std::int64_t seen = std::max<std::int64_t>(0, std::int64_t{l.in<std::int32_t>(5)[t]} + 1);
    positions += a.window > 0 ? std::min(seen, a.window) : seen;
  }
  const std::int64_t work = positions * a.group * a.size / std::max<std::int64_t>(tasks, 1);
  return std::clamp<std::int64_t>(kTaskWork / std::max<std::int64_t>(work, 1), 1, 64);
}

Status attend(const Attention& a, const Launch& l) {
  RunError error;
  const bool many = a.tokens >= kManyTokens;
  const std::int64_t most = many ? kManyTokens : kTokens;
  const std::int64_t tiles = (a.tokens + most - 1) / most;
  const std::int64_t worker_floats = many ? many_tokens_scratch(a) : few_scratch(a);
  l.pool->parallel_for(
      tiles * a.kv_heads, heads_per_task(a, l, tiles),
      [&](std::int64_t from, std::int64_t to, int worker) {
        float* scratch = reinterpret_cast<float*>(l.workspace) + worker * worker_floats;
        for (std::int64_t i = from; i < to; ++i) {
          const std::int64_t begin = i / a.kv_heads * most;
          const std::int64_t end = std::min(a.tokens, begin + most);
          for (std::int64_t t = begin; t < end;) {
            const AttentionTile tile{a, l, t, tile_tokens(l, t, end), i % a.kv_heads};
            const bool done = many ? attend_many(tile, scratch) : Tile{tile, scratch}.run();
            if (!done) error.set(t, l.in<std::int32_t>(5)[t]);
            t += tile.count;
          }
        }
      });
  return error.status("[polaris.PagedAttention] no page for some position up to",
                      a.table * a.k.page_size);
}

KernelResult select_attention(const CpuTarget& target, const NodeDesc& node) {
  const auto& attrs = node.attributes<PagedAttentionAttrs>();
  const TensorType& q = node.inputs[0].type;
  if (q.dtype != DType::kF32) return unsupported(node, "q is not float32");
  if (!takes(node.inputs[1].type) || !takes(node.inputs[2].type)) {
    return unsupported(node, "cache type");
  }
  Attention a;
  a.simd = target.simd;
  a.k = cache_format(node.inputs[1].type);
  a.v = cache_format(node.inputs[2].type);
  a.tokens = q.shape[0];
  a.kv_heads = attrs.num_kv_heads;
  a.group = attrs.num_heads / attrs.num_kv_heads;
  a.size = q.shape[1] / attrs.num_heads;
  a.sequences = node.inputs[3].type.shape[0];
  a.table = node.inputs[3].type.shape[1];
  a.window = attrs.window;
  a.scale = attrs.scale != 0.0f ? attrs.scale : 1.0f / std::sqrt(static_cast<float>(a.size));
  a.cap = attrs.softcap;
  if (a.cap > 0.0f) a.scale /= a.cap;
  for (const CacheFormat* cache : {&a.k, &a.v}) {
    if (cache->kind != CacheFormat::Kind::kBlock) continue;
    if (a.size % block_format_info(cache->block).block_elements != 0) {
      return unsupported(node, "a head is no whole number of cache blocks");
    }
  }
  if (a.k.page_size != a.v.page_size) return unsupported(node, "page sizes differ");
  auto kernel = make_kernel("paged_attention_" + format_name(a.k),
                            [a](const Launch& l) { return attend(a, l); });
  const std::int64_t floats = a.tokens >= kManyTokens ? many_tokens_scratch(a) : few_scratch(a);
  kernel->set_workspace(target.threads * floats * 4);
  return KernelResult(std::move(kernel));
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  if (node.op->name == "KvWrite") return select_write(target, node);
  const DType q = node.inputs[0].type.dtype;
  if (q != DType::kF16 && q != DType::kBF16) return select_attention(target, node);
  // The queries of a step are few, what a cache holds is much: it is widened as it is read.
  constexpr std::uint64_t kCaches = 1u << 1 | 1u << 2;
  return select_widened(target, node, select_attention, kCaches);
}

constexpr std::string_view kOps[] = {"polaris.KvWrite", "polaris.PagedAttention"};

}  // namespace

extern const KernelFamily family_paged_attention;
constinit const KernelFamily family_paged_attention{"paged_attention", kOps, one_kernel<select>};

}  // namespace polaris::cpu
