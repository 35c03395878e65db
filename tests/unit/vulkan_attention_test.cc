#include <doctest/doctest.h>

#include <cstring>

#include "ir/op_attrs/attention.h"
#include "support/node_run.h"

using namespace polaris;
using namespace polaris::test;

namespace {

enum class Cache { kF32, kF16, kQ8_0, kQ4_0 };
constexpr Cache kCaches[] = {Cache::kF32, Cache::kF16, Cache::kQ8_0, Cache::kQ4_0};

Tensor cache(Random& random, Cache kind, const Shape& shape) {
  switch (kind) {
    case Cache::kF32: return random_floats(random, DType::kF32, shape);
    case Cache::kF16: return random_floats(random, DType::kF16, shape);
    case Cache::kQ8_0: return random_blocks(random, BlockFormat::kQ8_0, shape);
    case Cache::kQ4_0: break;
  }
  return random_blocks(random, BlockFormat::kQ4_0, shape);
}

struct Heads {
  std::int64_t heads, kv_heads, size;
};

/// Tokens of two sequences and one padding token over pages in no order.
NodeCase attention(Cache kind, const Heads& h, const std::vector<std::int64_t>& positions) {
  const std::int64_t pages = 48;
  const std::int64_t page_size = 16;
  const auto tokens = static_cast<std::int64_t>(positions.size());
  Random random(static_cast<unsigned>(h.heads * 100 + h.size));
  NodeCase node;
  node.op = &find_op("PagedAttention", "polaris");
  auto attrs = std::make_shared<PagedAttentionAttrs>();
  attrs->num_heads = h.heads;
  attrs->num_kv_heads = h.kv_heads;
  node.attrs = attrs;
  std::vector<std::int64_t> table;
  for (std::int64_t i = 0; i < 2 * pages; ++i) table.push_back(i * 29 % pages);
  std::vector<std::int64_t> sequences;
  for (std::int64_t t = 0; t < tokens; ++t) {
    sequences.push_back(positions[static_cast<std::size_t>(t)] < 0 ? -1 : t % 2);
  }
  const Shape shape{pages, page_size, h.kv_heads * h.size};
  node.inputs = {random_floats(random, DType::kF32, {tokens, h.heads * h.size}, -2, 2),
                 cache(random, kind, shape),
                 cache(random, kind, shape),
                 of_ints(DType::kI32, {2, pages}, table),
                 of_ints(DType::kI32, {tokens}, sequences),
                 of_ints(DType::kI32, {tokens}, positions)};
  return node;
}

}  // namespace

TEST_CASE("vulkan PagedAttention over every cache, head size and grouping") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  const Heads heads[] = {{8, 4, 8}, {4, 1, 64}, {6, 2, 80}, {2, 2, 128}, {8, 1, 32}, {2, 1, 256}};
  for (const Cache kind : kCaches) {
    for (const Heads& h : heads) {
      if (kind >= Cache::kQ8_0 && h.kv_heads * h.size % 32 != 0) continue;
      CAPTURE(static_cast<int>(kind));
      CAPTURE(h.size);
      check_node(*device, attention(kind, h, {0}));
      check_node(*device, attention(kind, h, {300}));
      check_node(*device, attention(kind, h, {0, 15, 16, 255, 256, 257, -1, 700, 31, 3}));
    }
  }
}

TEST_CASE("a token of vulkan PagedAttention is bit-equal whatever its place and neighbours") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  const Heads h{8, 2, 64};
  const std::size_t width = static_cast<std::size_t>(h.heads * h.size);
  NodeCase base = attention(Cache::kF16, h, {290, 0, 0, 0, 0, 0, 0, 0});
  const Tensor q = base.inputs[0];
  std::vector<std::byte> first;
  for (std::int64_t at = 0; at < 8; ++at) {
    std::vector<std::int64_t> positions(8, 17 + at);
    positions[static_cast<std::size_t>(at)] = 290;
    NodeCase node = attention(Cache::kF16, h, positions);
    Random random(static_cast<unsigned>(at));
    Tensor moved = random_floats(random, DType::kF32, {8, h.heads * h.size});
    std::memcpy(moved.mutable_data<float>() + static_cast<std::size_t>(at) * width, q.data<float>(),
                width * 4);
    node.inputs[0] = moved;
    node.inputs[4] = of_ints(DType::kI32, {8}, std::vector<std::int64_t>(8, 0));
    auto y = run_device(*device, node);
    REQUIRE_MESSAGE(y.ok(), y.error().message());
    const auto row = (*y)[0].bytes().subspan(static_cast<std::size_t>(at) * width * 4, width * 4);
    if (at == 0) first.assign(row.begin(), row.end());
    CHECK(std::equal(row.begin(), row.end(), first.begin()));
  }
}

TEST_CASE("vulkan KvWrite encodes byte for byte and skips slots outside the cache") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  for (const Cache kind : kCaches) {
    CAPTURE(static_cast<int>(kind));
    Random random(3);
    const Shape shape{4, 16, 192};
    NodeCase node;
    node.op = &find_op("KvWrite", "polaris");
    node.outputs = 2;
    Tensor k = random_floats(random, DType::kF32, {9, 192}, -5, 5);
    Tensor v = random_floats(random, DType::kF32, {9, 192}, -5, 5);
    for (std::int64_t i = 0; i < 192; ++i) {
      // Rows of zeros, of small integers (ties), of tiny and of large values.
      k.mutable_data<float>()[i] = 0;
      k.mutable_data<float>()[192 + i] = static_cast<float>(i % 17 - 8);
      v.mutable_data<float>()[i] *= 1e-6f;
      v.mutable_data<float>()[192 + i] *= 5e3f;
    }
    node.inputs = {cache(random, kind, shape), cache(random, kind, shape), k, v,
                   of_ints(DType::kI32, {9}, {0, 63, 17, -1, 5, 64, 33, 1 << 30, 18})};
    auto want = run_reference(node);
    auto got = run_device(*device, node);
    REQUIRE_MESSAGE(want.ok(), want.error().message());
    REQUIRE_MESSAGE(got.ok(), got.error().message());
    for (std::size_t o = 0; o < 2; ++o) {
      const auto a = (*got)[o].bytes();
      const auto b = (*want)[o].bytes();
      CHECK(std::equal(a.begin(), a.end(), b.begin()));
    }
  }
}

TEST_CASE("vulkan KvWrite rounds many random blocks as the host does") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  for (const Cache kind : {Cache::kQ8_0, Cache::kQ4_0, Cache::kF16}) {
    CAPTURE(static_cast<int>(kind));
    Random random(17);
    const std::int64_t tokens = 256;
    NodeCase node;
    node.op = &find_op("KvWrite", "polaris");
    node.outputs = 2;
    std::vector<std::int64_t> slots;
    for (std::int64_t t = 0; t < tokens; ++t) slots.push_back(t);
    const Shape shape{16, 16, 256};
    node.inputs = {cache(random, kind, shape), cache(random, kind, shape),
                   random_floats(random, DType::kF32, {tokens, 256}, -3, 3),
                   random_floats(random, DType::kF32, {tokens, 256}, -0.01f, 0.01f),
                   of_ints(DType::kI32, {tokens}, slots)};
    auto want = run_reference(node);
    auto got = run_device(*device, node);
    REQUIRE_MESSAGE(want.ok(), want.error().message());
    REQUIRE_MESSAGE(got.ok(), got.error().message());
    for (std::size_t o = 0; o < 2; ++o) {
      const auto a = (*got)[o].bytes();
      const auto b = (*want)[o].bytes();
      const auto at = std::mismatch(a.begin(), a.end(), b.begin()).first - a.begin();
      CHECK(at == static_cast<std::ptrdiff_t>(a.size()));
    }
  }
}

TEST_CASE("vulkan RotaryEmbedding, both ranks, both orders, partial heads") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  for (const bool interleaved : {false, true}) {
    for (const std::int64_t partial : {0, 4}) {
      for (const int form : {0, 1, 2, 3}) {
        CAPTURE(interleaved);
        CAPTURE(partial);
        CAPTURE(form);
        Random random(9);
        const std::int64_t batch = 2, heads = 3, tokens = 5, size = 10;
        const std::int64_t half = (partial != 0 ? partial : size) / 2;
        auto attrs = std::make_shared<RotaryEmbeddingAttrs>();
        attrs->interleaved = interleaved;
        attrs->num_heads = heads;
        attrs->rotary_embedding_dim = partial;
        NodeCase node;
        node.op = &find_op("RotaryEmbedding");
        node.attrs = attrs;
        const Shape x =
            form % 2 == 0 ? Shape{batch, tokens, heads * size} : Shape{batch, heads, tokens, size};
        const Shape table = form < 2 ? Shape{batch, tokens, half} : Shape{20, half};
        node.inputs = {random_floats(random, DType::kF32, x),
                       random_floats(random, DType::kF32, table),
                       random_floats(random, DType::kF32, table)};
        if (form >= 2) {
          node.inputs.push_back(
              random_ints(random, form == 2 ? DType::kI64 : DType::kI32, {batch, tokens}, 0, 19));
        }
        check_node(*device, node);
      }
    }
  }
}
