#include <algorithm>
#include <bit>
#include <string>

#include "backend/vulkan/parts/attention_scores.h"
#include "backend/vulkan/parts/cache_format.h"
#include "backend/vulkan/parts/kernel_util.h"
#include "base/checked.h"
#include "ir/op_attrs/attention.h"

/// polaris.KvWrite and polaris.PagedAttention over plain and block-encoded caches. Where a plan has
/// few tokens, their positions are dealt in spans over workgroups (docs/adr/0009).
namespace polaris::vulkan {
namespace {

/// Fours of values that a thread takes; of several heads it has no registers for two.
std::uint32_t parts_of(const CacheFormat& format, std::int64_t head, std::int64_t together) {
  const std::int64_t aligned = format.unit > 1 ? format.unit : 8;
  const bool wide = format.name != "f32" && head % aligned == 0 && together == 1;
  return wide ? 2 : 1;
}

std::uint32_t word(std::int64_t value) { return static_cast<std::uint32_t>(value); }

KernelResult select_write(const VulkanTarget& target, const NodeDesc& node) {
  const TensorType& cache = node.inputs[0].type;
  const Result<CacheFormat> format = cache_format(node, cache, node.inputs[1].type);
  if (!format) return format.error();
  const std::int64_t rows_as = row_type(node.inputs[2].type.dtype);
  if (rows_as < 0) return refuse(node, "rows of float64");
  if (Status s = check_bindings(target, node); !s) return s.error();
  const std::int64_t width = cache.shape[2];
  const std::int64_t tokens = node.inputs[2].type.shape[0];
  if (width == 0 || width % format->unit != 0) return refuse(node, "rows of no whole blocks");
  if (tokens > target.group_count_max) return refuse(node, "too many tokens");
  const std::int64_t units = width / format->unit;
  auto kernel = std::make_shared<VulkanKernel>("kv_write_" + std::string(format->name));
  Dispatch d;
  d.shader = format->write;
  d.constants = {word(rows_as)};
  d.push = {word(units), word(cache.shape[0] * cache.shape[1]), 0};
  d.operands = {Operand::input(2), Operand::input(3), Operand::input(4), Operand::output(0),
                Operand::output(1)};
  d.grid = {word(ceil_div(width / format->each, 64)), word(tokens), 2};
  d.barrier_before = false;
  d.estimate_us = model_us(tokens * width * 12, tokens * width * 8);
  kernel->dispatches.push_back(std::move(d));
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

/// What an attention is over, and how its workgroups share it: by the plan's shapes only, so that
/// a token comes out the same whatever stands beside it.
struct Problem {
  std::int64_t tokens = 0, heads = 0, kv_heads = 0, head = 0;
  std::int64_t reach = 0;     // positions of a block table row
  std::int64_t threads = 0;   // of a workgroup, and positions that it takes at a time
  std::int64_t together = 1;  // query heads of a workgroup
  std::int64_t span = 0;      // positions of a workgroup
  std::int64_t spans = 1;     // of the reach; 1: not split

  std::int64_t groups() const { return heads / together; }
  std::int64_t ratio() const { return heads / kv_heads; }
  /// Sums of the spans, each with its maximum and total.
  std::int64_t partial_bytes() const {
    return spans == 1 ? 0 : tokens * heads * spans * (head + 2) * 4;
  }
};

constexpr std::int64_t kSpansMax = 32;  // as the shader has them
// An empty workgroup costs a card about a nanosecond, a dispatch more about 8 us: docs/adr/0009.
constexpr std::int64_t kFixedGridMax = 8192;

/// Spans of a whole number of rounds, at most kSpansMax of them.
void split(Problem& p, std::int64_t partial_bytes_max) {
  // A token of a large batch has workgroups enough beside it.
  constexpr std::int64_t kSplitBelow = 1024;
  p.span = p.reach;
  p.spans = 1;
  if (p.groups() * p.tokens >= kSplitBelow) return;
  p.span = round_up(ceil_div(p.reach, kSpansMax), p.threads);
  p.spans = ceil_div(p.reach, p.span);
  if (p.partial_bytes() > partial_bytes_max) {
    p.span = p.reach;
    p.spans = 1;
  }
}

/// Heads of one kv head share what they read, as long as workgroups enough are left.
void share_work(Problem& p, std::int64_t partial_bytes_max) {
  constexpr std::int64_t kWorkgroupsEnough = 128;
  for (p.together = 4; p.together > 1; p.together /= 2) {
    if (p.ratio() % p.together != 0) continue;
    split(p, partial_bytes_max);
    if (p.groups() * p.tokens * p.spans >= kWorkgroupsEnough) return;
  }
  split(p, partial_bytes_max);
}

Result<Problem> read_problem(const VulkanTarget& target, const NodeDesc& node) {
  const TensorType& cache = node.inputs[1].type;
  const Shape& q = node.inputs[0].type.shape;
  const Shape& table = node.inputs[3].type.shape;
  Problem p;
  p.tokens = q[0];
  const auto& attrs = node.attributes<PagedAttentionAttrs>();
  p.heads = attrs.num_heads;
  p.kv_heads = attrs.num_kv_heads;
  p.head = q[1] / p.heads;
  if (cache.shape[0] * cache.shape[1] == 0 || table[0] * table[1] == 0) {
    return refuse(node, "an empty cache");
  }
  if (p.tokens > target.group_count_max || p.heads > target.group_count_max) {
    return refuse(node, "too many tokens or heads");
  }
  p.threads = std::min<std::int64_t>(256, std::bit_floor(target.group_threads_max));
  if (p.head == 0 || p.head > 4 * p.threads) {
    return refuse(node, "heads of " + std::to_string(p.head) + ", wanted 1 to " +
                            std::to_string(4 * p.threads));
  }
  if (table[1] > INT32_MAX / cache.shape[1]) return refuse(node, "a block table of 2^31 positions");
  p.reach = table[1] * cache.shape[1];
  share_work(p, std::min<std::int64_t>(target.binding_bytes_max, std::int64_t{64} << 20));
  return p;
}

/// The dispatch that counts the spans there really are; they follow the partial sums.
Dispatch count_spans(const NodeDesc& node, const Problem& p, const Operand& list) {
  Dispatch d;
  d.shader = "attention_grid";
  d.push = {word(p.tokens), word(p.groups()), word(node.inputs[3].type.shape[0]), word(p.reach),
            word(p.span)};
  d.operands = {Operand::input(4), Operand::input(5), list};
  d.estimate_us = model_us(p.tokens * 12, p.tokens);
  return d;
}

Dispatch attend(const NodeDesc& node, const Problem& p, const CacheFormat& format) {
  const Shape& cache = node.inputs[1].type.shape;
  const Shape& table = node.inputs[3].type.shape;
  Dispatch d;
  d.shader = format.read;
  d.constants = {word(p.head),
                 word(p.together),
                 word(p.threads),
                 p.spans == 1 ? 0u : 1u,
                 word(row_type(node.inputs[0].type.dtype)),
                 parts_of(format, p.head, p.together)};
  const float cap = node.attributes<PagedAttentionAttrs>().softcap;
  const bool sinks = has_input(node, 6);
  if (cap > 0 || sinks) d.constants.push_back(float_bits(cap));
  if (sinks) d.constants.push_back(1);
  d.push = {word(p.heads),  word(p.ratio()), word(cache[2]), word(cache[0] * cache[1]),
            word(cache[1]), word(table[0]),  word(table[1]), float_bits(score_scale(node, p.head)),
            word(p.tokens), word(p.span),    word(p.spans),  score_window(node)};
  for (int i = 0; i < 6; ++i) d.operands.push_back(Operand::input(i));
  d.operands.push_back(Operand::output(0));
  d.operands.push_back(Operand::workspace(0, p.partial_bytes()));
  d.operands.push_back(Operand::params());
  d.operands.push_back(Operand::input(5));  // no list
  d.operands.push_back(Operand::status());
  d.operands.push_back(Operand::input(sinks ? 6 : 5));
  d.grid = {word(p.groups()), word(p.tokens), word(p.spans)};
  d.barrier_before = false;
  // Of a round of positions: itself, the dots, two maxima of 16, and the dealt values.
  const std::int64_t values =
      ceil_div(p.threads, std::int64_t{4} * (p.threads / ceil_div(p.head, 4)));
  d.loop_rounds = ceil_div(p.span, p.threads) * (1 + ceil_div(p.head, 4) + 32 + values);
  // What the context will be is not known; half the table's reach is as good a guess as any.
  const std::int64_t positions = p.reach / 2;
  d.estimate_us = model_us(2 * positions * p.kv_heads * p.head * 2,
                           4 * p.tokens * positions * p.heads * p.head);
  return d;
}

KernelResult select_read(const VulkanTarget& target, const NodeDesc& node) {
  const Result<CacheFormat> format = cache_format(node, node.inputs[1].type, node.inputs[2].type);
  if (!format) return format.error();
  if (row_type(node.inputs[0].type.dtype) < 0) return refuse(node, "queries of float64");
  if (Status s = check_bindings(target, node); !s) return s.error();
  Result<Problem> problem = read_problem(target, node);
  if (!problem) return problem.error();
  const Problem& p = *problem;
  std::string name = "paged_attention_" + std::string(format->name);
  if (p.spans > 1) name += "_split";
  const bool counted = p.groups() * p.tokens * p.spans > kFixedGridMax && p.spans > 1;
  if (counted) name += "_counted";
  auto kernel = std::make_shared<VulkanKernel>(std::move(name));
  kernel->report_text = "no page for some position of a token";
  Dispatch d = attend(node, p, *format);
  kernel->workspace = p.partial_bytes();
  if (p.spans > 1) {
    kernel->params.resize(static_cast<std::size_t>(p.groups() * p.tokens * 4));  // none is done
  }
  if (counted) {
    const std::int64_t at = round_up(p.partial_bytes(), target.alignment_bytes);
    const Operand list = Operand::workspace(at, (p.tokens + 5) * 4);
    kernel->workspace = at + list.bytes;
    kernel->dispatches.push_back(count_spans(node, p, list));
    d.constants[3] = 2;
    d.operands[9] = list;
    d.indirect = Operand::workspace(at, 12);
    d.barrier_before = true;
  }
  kernel->dispatches.push_back(std::move(d));
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  if (operand_elements(node.outputs[0]) == 0) return refuse(node, "an empty output");
  return node.op->name == "KvWrite" ? select_write(target, node) : select_read(target, node);
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all = {{"attention_grid", "attention_grid", {}, 3, 20, 1}};
  constexpr std::string_view kRowNames[] = {"", " f16 rows", " bf16 rows"};
  constexpr std::string_view kModeNames[] = {"", " split", " counted"};
  for (const CacheFormat& format : cache_formats()) {
    for (std::uint32_t rows = 0; rows < 3; ++rows) {
      const std::string name(kRowNames[rows]);
      all.push_back({std::string(format.write) + name,
                     format.write,
                     {rows},
                     5,
                     12,
                     static_cast<std::uint32_t>(format.each)});
    }
    const auto add = [&](std::uint32_t head, std::uint32_t together, std::uint32_t mode,
                         std::uint32_t rows, float cap = 0, bool sinks = false) {
      const std::string shape = " d" + std::to_string(head) + "x" + std::to_string(together);
      ShaderVariant variant{std::string(format.read) + shape + std::string(kModeNames[mode]) +
                                std::string(kRowNames[rows]),
                            format.read,
                            {head, together, 256, mode, rows, parts_of(format, head, together)},
                            12,
                            48,
                            256 * together};
      if (cap > 0) {
        variant.name += " capped";
        variant.constants.push_back(float_bits(cap));
      }
      if (sinks) {
        variant.name += " sinks";
        variant.constants.insert(variant.constants.end(), {float_bits(0.0f), 1u});
      }
      all.push_back(std::move(variant));
    };
    for (const std::uint32_t head : {7u, 8u, 64u, 80u, 128u, 256u}) {
      for (const std::uint32_t together : {1u, 2u, 4u}) {
        add(head, together, 0, 0);
        if (head != 8 && head != 80) add(head, together, 1, 0);
      }
    }
    for (const std::uint32_t together : {1u, 4u}) {
      add(128, together, 2, 0);
      add(128, together, 1, 1);
      add(128, together, 1, 2);
    }
    for (const std::uint32_t head : {128u, 256u}) {
      for (const std::uint32_t together : {1u, 2u}) {
        for (const std::uint32_t mode : {0u, 1u}) add(head, together, mode, 0, 50.0f);
      }
    }
    for (const std::uint32_t together : {1u, 2u, 4u}) {
      for (const std::uint32_t mode : {0u, 1u}) add(64, together, mode, 0, 0, true);
    }
  }
  return all;
}

constexpr std::string_view kOps[] = {"polaris.KvWrite", "polaris.PagedAttention"};

}  // namespace

extern const KernelFamily family_attention;
const KernelFamily family_attention{{"attention", kOps, one_kernel<select>}, variants};

}  // namespace polaris::vulkan
