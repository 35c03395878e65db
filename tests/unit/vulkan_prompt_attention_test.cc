// PagedAttention by tiles of tokens.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "backend/vulkan/select.h"
#include "ir/op_attrs/attention.h"
#include "sim/sim_device.h"
#include "support/node_run.h"

using namespace polaris;
using namespace polaris::test;

namespace {

constexpr std::int64_t kHeads = 16;
constexpr std::int64_t kSize = 16;
constexpr std::int64_t kPages = 16;
constexpr std::int64_t kPageSize = 16;
constexpr std::int64_t kWidth = kHeads * kSize;

/// Tokens at positions of sequence 0, or of none where one is negative.
NodeCase attention(const std::vector<std::int64_t>& positions, std::int64_t sequences = 1,
                   std::int64_t heads = kHeads) {
  const auto tokens = static_cast<std::int64_t>(positions.size());
  Random random(7);
  NodeCase node;
  node.op = &find_op("PagedAttention", "polaris");
  auto attrs = std::make_shared<PagedAttentionAttrs>();
  attrs->num_heads = heads;
  attrs->num_kv_heads = heads;
  node.attrs = attrs;
  std::vector<std::int64_t> table;
  for (std::int64_t i = 0; i < sequences * kPages; ++i) table.push_back(i * 5 % kPages);
  std::vector<std::int64_t> ids;
  for (const std::int64_t position : positions) ids.push_back(position < 0 ? -1 : 0);
  const Shape shape{kPages, kPageSize, kWidth};
  node.inputs = {random_floats(random, DType::kF32, {tokens, kWidth}, -2, 2),
                 random_floats(random, DType::kF32, shape),
                 random_floats(random, DType::kF32, shape),
                 of_ints(DType::kI32, {sequences, kPages}, table),
                 of_ints(DType::kI32, {tokens}, ids),
                 of_ints(DType::kI32, {tokens}, positions)};
  return node;
}

std::vector<std::int64_t> rising(std::int64_t tokens, std::int64_t first) {
  std::vector<std::int64_t> out;
  for (std::int64_t t = 0; t < tokens; ++t) out.push_back(first + t);
  return out;
}

std::string kernel_of(const NodeCase& node) {
  std::vector<OperandDesc> inputs;
  for (const Tensor& input : node.inputs) inputs.push_back({input.type()});
  const OperandDesc outputs[] = {{node.inputs[0].type()}};
  const std::vector<const Tensor*> values(inputs.size());
  const auto kernel = vulkan::select_kernel(
      gcn::polaris_target(), {node.op, node.attrs.get(), "test", inputs, outputs, values});
  REQUIRE(kernel);
  return std::string((*kernel)->name());
}

/// Element of the cache's row that holds a position.
std::int64_t row_at(std::int64_t position) {
  return position / kPageSize * 5 % kPages * kPageSize + position % kPageSize;
}

}  // namespace

TEST_CASE("vulkan prompt attention: chosen for many tokens of one sequence, by shapes alone") {
  CHECK(kernel_of(attention(rising(64, 0))) == "prompt_attention_f32");
  CHECK(kernel_of(attention(rising(32, 0))) == "prompt_attention_f32");
  CHECK(kernel_of(attention(rising(31, 0))).starts_with("paged_attention_f32"));
  CHECK(kernel_of(attention(rising(64, 0), 2)).starts_with("paged_attention_f32"));
  // Few workgroups of tiles.
  CHECK(kernel_of(attention(rising(64, 0), 1, 8)).starts_with("paged_attention_f32"));
  CHECK(kernel_of(attention(rising(65, 0), 1, 8)) == "prompt_attention_f32");
}

TEST_CASE("a token of vulkan prompt attention is bit-equal whatever its place and neighbours") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  const NodeCase base = attention(rising(1, 0));
  constexpr std::int64_t kTokens = 96;
  for (const std::int64_t position : {0, 63, 64, 140}) {
    std::vector<std::byte> first;
    for (const std::int64_t at : {0, 17, 63, 64, 95}) {
      CAPTURE(position);
      CAPTURE(at);
      std::vector<std::int64_t> positions;
      for (std::int64_t t = 0; t < kTokens; ++t) {
        positions.push_back((t * 37 + at * 11) % 257 - 1);  // some of no sequence
      }
      positions[static_cast<std::size_t>(at)] = position;
      NodeCase node = attention(positions);
      const auto row = static_cast<std::size_t>(at * kWidth);
      std::memcpy(node.inputs[0].mutable_data<float>() + row, base.inputs[0].data<float>(),
                  kWidth * 4);
      const auto y = run_device(*device, node);
      REQUIRE_MESSAGE(y.ok(), y.error().message());
      const auto bytes = (*y)[0].bytes().subspan(row * 4, kWidth * 4);
      const std::vector<std::byte> got(bytes.begin(), bytes.end());
      if (first.empty()) first = got;
      CHECK(got == first);
    }
  }
}

TEST_CASE("vulkan prompt attention keeps what no token sees out of every sum") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  for (const float wild :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    NodeCase node = attention(rising(70, 0));
    for (const std::int64_t position : {70, 71, 100, 255}) {
      for (const int input : {1, 2}) {
        float* row = node.inputs[static_cast<std::size_t>(input)].mutable_data<float>() +
                     row_at(position) * kWidth;
        std::fill_n(row, kWidth, wild);
      }
    }
    check_node(*device, node);
    // Seen by those from 40 on, who give what it gives them.
    float* row = node.inputs[2].mutable_data<float>() + row_at(40) * kWidth;
    std::fill_n(row, kWidth, wild);
    check_node(*device, node);
    const auto y = run_device(*device, node);
    REQUIRE_MESSAGE(y.ok(), y.error().message());
    CHECK(std::isfinite((*y)[0].data<float>()[39 * kWidth]));
    CHECK_FALSE(std::isfinite((*y)[0].data<float>()[40 * kWidth]));
  }
}
