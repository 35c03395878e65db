#include <algorithm>
#include <string>

#include "backend/vulkan/parts/attention_scores.h"
#include "backend/vulkan/parts/cache_format.h"
#include "base/checked.h"
#include "ir/op_attrs/attention.h"

/// polaris.PagedAttention of many tokens of one sequence, tiles of them at a time
/// (docs/adr/0048). Which kernel a node has follows from the plan's shapes alone.
namespace polaris::vulkan {
namespace {

constexpr std::int64_t kTile = 64;  // tokens and positions, as the shader has them
constexpr std::int64_t kTokensMin = 32;
constexpr std::int64_t kHeadMax = 256;
// With fewer a card is mostly idle, and a workgroup for each token is better.
constexpr std::int64_t kWorkgroupsMin = 16;
constexpr int kSinksPort = 6;

std::uint32_t word(std::int64_t value) { return static_cast<std::uint32_t>(value); }

Status check(const VulkanTarget& target, const NodeDesc& node, std::int64_t head) {
  const Shape& q = node.inputs[0].type.shape;
  const Shape& cache = node.inputs[1].type.shape;
  const Shape& table = node.inputs[3].type.shape;
  if (q[0] < kTokensMin) return refuse(node, "few tokens");
  if (table[0] != 1) return refuse(node, "tokens of several sequences");
  if (head == 0 || head % 4 != 0 || head > kHeadMax) {
    return refuse(node, "heads of " + std::to_string(head) + ", wanted 4 to " +
                            std::to_string(kHeadMax) + " in fours");
  }
  if (cache[0] * cache[1] == 0 || table[1] == 0) return refuse(node, "an empty cache");
  if (table[1] > INT32_MAX / cache[1]) return refuse(node, "a block table of 2^31 positions");
  if (target.group_threads_max < 256) return refuse(node, "workgroups of 256 threads");
  return check_bindings(target, node);
}

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  if (operand_elements(node.outputs[0]) == 0) return refuse(node, "an empty output");
  const Result<CacheFormat> format = cache_format(node, node.inputs[1].type, node.inputs[2].type);
  if (!format) return format.error();
  const std::int64_t rows_as = row_type(node.inputs[0].type.dtype);
  if (rows_as < 0) return refuse(node, "queries of float64");
  const auto& attrs = node.attributes<PagedAttentionAttrs>();
  const Shape& q = node.inputs[0].type.shape;
  const Shape& cache = node.inputs[1].type.shape;
  const std::int64_t columns = node.inputs[3].type.shape[1];
  const std::int64_t head = q[1] / attrs.num_heads;
  if (Status s = check(target, node, head); !s) return s.error();
  const std::int64_t tiles = ceil_div(q[0], kTile);
  if (tiles > target.group_count_max || attrs.num_heads > target.group_count_max) {
    return refuse(node, "too many tokens or heads");
  }
  if (tiles * attrs.num_heads < kWorkgroupsMin) return refuse(node, "few tiles");
  const bool sinks = has_input(node, kSinksPort);
  auto kernel = std::make_shared<VulkanKernel>("prompt_attention_" + std::string(format->name));
  kernel->report_text = "no page for some position of a token";
  Dispatch d;
  d.shader = format->prompt_read;
  d.constants = {word(head), word(rows_as), float_bits(attrs.softcap > 0 ? attrs.softcap : 0),
                 sinks ? 1u : 0u};
  d.push = {word(attrs.num_heads),
            word(attrs.num_heads / attrs.num_kv_heads),
            word(cache[2]),
            word(cache[0] * cache[1]),
            word(cache[1]),
            word(columns),
            float_bits(score_scale(node, head)),
            word(q[0]),
            score_window(node)};
  for (int i = 0; i < kSinksPort; ++i) d.operands.push_back(Operand::input(i));
  d.operands.push_back(Operand::output(0));
  d.operands.push_back(Operand::status());
  d.operands.push_back(Operand::input(sinks ? kSinksPort : 5));
  d.grid = {word(tiles), word(attrs.num_heads), 1};
  d.barrier_before = false;
  d.loop_rounds = kTile + ceil_div(columns * cache[1], kTile) * (2 * kTile + head);
  // As for one token at a time, but what a tile reads it reads once.
  const std::int64_t positions = columns * cache[1] / 2;
  d.estimate_us = model_us(2 * positions * attrs.num_kv_heads * head * 2,
                           2 * q[0] * positions * attrs.num_heads * head);
  kernel->dispatches.push_back(std::move(d));
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all;
  constexpr std::string_view kRowNames[] = {"", " f16 rows", " bf16 rows"};
  for (const CacheFormat& format : cache_formats()) {
    const auto add = [&](std::uint32_t head, std::uint32_t rows, float cap, bool sinks) {
      std::string name = std::string(format.prompt_read) + " d" + std::to_string(head) +
                         std::string(kRowNames[rows]);
      if (cap > 0) name += " capped";
      if (sinks) name += " sinks";
      all.push_back({std::move(name),
                     format.prompt_read,
                     {head, rows, float_bits(cap), sinks ? 1u : 0u},
                     9,
                     36,
                     256});
    };
    for (const std::uint32_t head : {64u, 80u, 128u, 256u}) add(head, 0, 0, false);
    for (const std::uint32_t rows : {1u, 2u}) add(128, rows, 0, false);
    for (const std::uint32_t head : {128u, 256u}) add(head, 0, 50.0f, false);
    add(64, 0, 0, true);
  }
  return all;
}

constexpr std::string_view kOps[] = {"polaris.PagedAttention"};

}  // namespace

extern const KernelFamily family_prompt_attention;
const KernelFamily family_prompt_attention{{"prompt_attention", kOps, one_kernel<select>},
                                           variants};

}  // namespace polaris::vulkan
