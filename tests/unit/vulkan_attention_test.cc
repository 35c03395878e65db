#include <doctest/doctest.h>

#include <cstring>

#include "backend/vulkan/kernel.h"
#include "ir/op_attrs/attention.h"
#include "support/node_run.h"
#include "tensor/element.h"

using namespace polaris;
using namespace polaris::test;

namespace polaris::vulkan {
extern const KernelFamily family_attention;
}

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

constexpr std::int64_t kPages = 48;
constexpr std::int64_t kPageSize = 16;

/// Tokens of two sequences and padding tokens over pages in no order; `columns` of the block table
/// may be more than there are pages.
NodeCase attention(Cache kind, const Heads& h, const std::vector<std::int64_t>& positions,
                   std::int64_t columns = kPages, DType rows = DType::kF32,
                   std::int64_t window = 0) {
  const auto tokens = static_cast<std::int64_t>(positions.size());
  Random random(static_cast<unsigned>(h.heads * 100 + h.size));
  NodeCase node;
  node.op = &find_op("PagedAttention", "polaris");
  auto attrs = std::make_shared<PagedAttentionAttrs>();
  attrs->num_heads = h.heads;
  attrs->num_kv_heads = h.kv_heads;
  attrs->window = window;
  node.attrs = attrs;
  std::vector<std::int64_t> table;
  for (std::int64_t i = 0; i < 2 * columns; ++i) table.push_back(i * 29 % kPages);
  std::vector<std::int64_t> sequences;
  for (std::int64_t t = 0; t < tokens; ++t) {
    sequences.push_back(positions[static_cast<std::size_t>(t)] < 0 ? -1 : t % 2);
  }
  const Shape shape{kPages, kPageSize, h.kv_heads * h.size};
  node.inputs = {random_floats(random, rows, {tokens, h.heads * h.size}, -2, 2),
                 cache(random, kind, shape),
                 cache(random, kind, shape),
                 of_ints(DType::kI32, {2, columns}, table),
                 of_ints(DType::kI32, {tokens}, sequences),
                 of_ints(DType::kI32, {tokens}, positions)};
  return node;
}

/// The kernel that a card of usual limits gets; nothing runs.
std::shared_ptr<const vulkan::VulkanKernel> kernel_of(const NodeCase& node,
                                                      std::int64_t binding_bytes_max) {
  vulkan::VulkanTarget target;
  target.binding_bytes_max = binding_bytes_max;
  std::vector<OperandDesc> inputs;
  for (const Tensor& input : node.inputs) inputs.push_back({input.type()});
  const OperandDesc outputs[] = {{node.inputs[0].type()}};
  const std::vector<const Tensor*> values(inputs.size());
  auto kernel = vulkan::family_attention.candidates(
      target, {node.op, node.attrs.get(), "test", inputs, outputs, values});
  REQUIRE_MESSAGE(kernel.ok(), kernel.error().message());
  return std::static_pointer_cast<const vulkan::VulkanKernel>(kernel->front());
}

/// The bytes of token `at`, whose query is that of `base`'s first token, between others.
std::vector<std::byte> place_token(Device& device, const NodeCase& base, std::int64_t at,
                                   std::int64_t position) {
  const std::int64_t tokens = base.inputs[0].shape()[0];
  const auto width = static_cast<std::size_t>(base.inputs[0].shape()[1]);
  std::vector<std::int64_t> positions(static_cast<std::size_t>(tokens), 17 + at * 40);
  positions[static_cast<std::size_t>(at)] = position;
  NodeCase node = base;
  Random random(static_cast<unsigned>(at));
  Tensor q = random_floats(random, DType::kF32, base.inputs[0].shape());
  std::memcpy(q.mutable_data<float>() + static_cast<std::size_t>(at) * width,
              base.inputs[0].data<float>(), width * 4);
  node.inputs[0] = q;
  node.inputs[4] = of_ints(DType::kI32, {tokens},
                           std::vector<std::int64_t>(static_cast<std::size_t>(tokens), 0));
  node.inputs[5] = of_ints(DType::kI32, {tokens}, positions);
  auto y = run_device(device, node);
  REQUIRE_MESSAGE(y.ok(), y.error().message());
  const auto row = (*y)[0].bytes().subspan(static_cast<std::size_t>(at) * width * 4, width * 4);
  return {row.begin(), row.end()};
}

}  // namespace

TEST_CASE("vulkan PagedAttention over every cache, head size and grouping") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  const Heads heads[] = {{8, 4, 8}, {4, 1, 64},  {6, 2, 80}, {2, 2, 128}, {8, 1, 32},
                         {3, 1, 7}, {32, 32, 5}, {2, 2, 33}, {1, 1, 320}};
  for (const Cache kind : kCaches) {
    for (const Heads& h : heads) {
      if (kind >= Cache::kQ8_0 && h.kv_heads * h.size % 32 != 0) continue;
      CAPTURE(static_cast<int>(kind));
      CAPTURE(h.size);
      check_node(*device, attention(kind, h, {300}));
      check_node(*device, attention(kind, h, {0, 15, 16, 255, 256, 257, -1, 700, 31, 3}));
    }
  }
}

TEST_CASE("vulkan PagedAttention and KvWrite take rows of 16-bit floats") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  for (const DType rows : {DType::kF16, DType::kBF16}) {
    // The tolerances are float16's; bfloat16 has three bits less.
    const double slack = rows == DType::kF16 ? 1 : 8;
    for (const Cache kind : kCaches) {
      CAPTURE(static_cast<int>(kind));
      check_node(*device, attention(kind, {4, 2, 64}, {3, 700, -1}, kPages, rows), slack);
      Random random(5);
      NodeCase node;
      node.op = &find_op("KvWrite", "polaris");
      node.outputs = 2;
      const Shape shape{2, 16, 96};
      node.inputs = {cache(random, kind, shape), cache(random, kind, shape),
                     random_floats(random, rows, {3, 96}), random_floats(random, rows, {3, 96}),
                     of_ints(DType::kI32, {3}, {30, -1, 2})};
      check_node(*device, node);
    }
    check_node(*device, attention(Cache::kF16, {3, 1, 7}, {3, 700, -1}, kPages, rows), slack);
  }
}

TEST_CASE("vulkan PagedAttention keeps NaN and infinities of every operand and position") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  for (const Cache kind : {Cache::kF32, Cache::kF16}) {
    for (const std::int64_t columns : {kPages, std::int64_t{4}}) {  // split, and not
      for (const std::int64_t position : {0, 2, 44, 63, 300}) {
        if (position >= columns * kPageSize) continue;
        const NodeCase base = attention(kind, {2, 1, 32}, {position}, columns);
        for (const int input : {0, 1, 2}) {
          for (const float value : {NAN, INFINITY, -INFINITY}) {
            CAPTURE(position);
            CAPTURE(input);
            CAPTURE(value);
            NodeCase node = base;
            auto x = Tensor::from_bytes(base.inputs[static_cast<std::size_t>(input)].type(),
                                        base.inputs[static_cast<std::size_t>(input)].bytes());
            REQUIRE(x.ok());
            const std::int64_t page = position / kPageSize * 29 % kPages;
            const std::int64_t row = input == 0 ? 0 : page * kPageSize + position % kPageSize;
            store_f64(x->dtype(), x->mutable_bytes().data(), row * 32 + 5,
                      static_cast<double>(value));
            node.inputs[static_cast<std::size_t>(input)] = x.take();
            check_node(*device, node);
          }
        }
        // Scores that are all -infinity, and finite ones below what a maximum may start from.
        for (const float q : {-INFINITY, -3.3e38f}) {
          NodeCase node = base;
          std::vector<float> ones(static_cast<std::size_t>(kPages * kPageSize * 32), 1.0f);
          std::vector<float> low(64, 0.0f);
          low[3] = low[35] = q * 0.99f;
          auto k = Tensor::from_bytes({DType::kF32, {kPages, kPageSize, 32}, {}},
                                      std::as_bytes(std::span(ones)));
          auto x = Tensor::from_bytes({DType::kF32, {1, 64}, {}}, std::as_bytes(std::span(low)));
          REQUIRE(k.ok());
          REQUIRE(x.ok());
          auto attrs = std::make_shared<PagedAttentionAttrs>();
          attrs->num_heads = 2;
          attrs->num_kv_heads = 1;
          attrs->scale = 1;
          node.attrs = attrs;
          node.inputs[0] = x.take();
          node.inputs[1] = k.take();
          node.inputs[2] = node.inputs[1];
          check_node(*device, node);
        }
      }
    }
  }
}

TEST_CASE("vulkan PagedAttention splits long caches, and again with each run") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  for (const Cache kind : kCaches) {
    CAPTURE(static_cast<int>(kind));
    // 33 spans would be one too many: spans are two rounds long.
    const NodeCase node = attention(kind, {4, 1, 32}, {8447, 511, 512, -1, 0, 1023}, 528);
    const auto kernel = kernel_of(node, INT32_MAX);
    REQUIRE(kernel->dispatches.size() == 1);
    CHECK(kernel->dispatches[0].grid[2] == 17);
    check_node(*device, node);
    auto want = run_device(*device, node);
    auto got = run_device(*device, node, 3);
    REQUIRE_MESSAGE(want.ok(), want.error().message());
    REQUIRE_MESSAGE(got.ok(), got.error().message());
    const auto a = (*got)[0].bytes();
    CHECK(std::equal(a.begin(), a.end(), (*want)[0].bytes().begin()));
  }
}

TEST_CASE("vulkan PagedAttention sees a window, whichever spans lie behind it") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  for (const Cache kind : kCaches) {
    CAPTURE(static_cast<int>(kind));
    for (const std::int64_t window : {1, 300, 512, 5000, 9000}) {
      CAPTURE(window);
      const std::vector<std::int64_t> positions = {8447, 511, 512, -1, 0, 1023};
      check_node(*device, attention(kind, {4, 1, 32}, positions, 528, DType::kF32, window));
      check_node(*device, attention(kind, {4, 2, 64}, {37, 2, 18}, kPages, DType::kF32, window));
    }
    const std::vector<std::int64_t> counted = {5000, 2, -1, 255, 256, 0, 700, 31};
    check_node(*device, attention(kind, {64, 64, 8}, counted, 512, DType::kF32, 290));
  }
}

TEST_CASE("vulkan PagedAttention takes heads of one kv head together where there are many") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  std::vector<std::int64_t> prompt;
  for (std::int64_t t = 0; t < 520; ++t) prompt.push_back(t % 40);
  prompt[7] = 600;
  for (const Cache kind : kCaches) {
    CAPTURE(static_cast<int>(kind));
    const NodeCase split = attention(kind, {16, 2, 64}, {8447, 511, 512, -1, 0, 1023}, 528);
    CHECK(kernel_of(split, INT32_MAX)->dispatches[0].grid[0] == 4);
    CHECK(kernel_of(split, INT32_MAX)->workspace > 0);
    check_node(*device, split);
    const NodeCase whole = attention(kind, {8, 2, 32}, prompt);
    CHECK(kernel_of(whole, INT32_MAX)->dispatches[0].grid[0] == 2);
    CHECK(kernel_of(whole, INT32_MAX)->workspace == 0);
    check_node(*device, whole);
  }
}

TEST_CASE("vulkan PagedAttention counts spans on the device where a grid would be mostly empty") {
  const std::vector<std::int64_t> positions = {5000, 2, -1, 255, 256, 0, 700, 31};
  const Heads h{64, 64, 8};
  const NodeCase node = attention(Cache::kF16, h, positions, 512);
  const auto kernel = kernel_of(node, INT32_MAX);
  REQUIRE(kernel->dispatches.size() == 2);
  CHECK(kernel->dispatches[1].indirect.has_value());
  // One token with the same reach, and a table of few pages, are not worth a dispatch.
  CHECK(kernel_of(attention(Cache::kF16, h, {5000}, 512), INT32_MAX)->dispatches.size() == 1);
  CHECK(kernel_of(attention(Cache::kF16, h, {3}, 16), INT32_MAX)->workspace == 0);
  // Where the sums of the spans do not fit a binding there is no split.
  const NodeCase many = attention(Cache::kF16, h, std::vector<std::int64_t>(15, 0), 512);
  CHECK(kernel_of(many, INT32_MAX)->workspace > 1 << 20);
  CHECK(kernel_of(many, 1 << 20)->workspace == 0);
  Device* device = software_vulkan();
  if (device == nullptr) return;
  for (const Cache kind : kCaches) {
    CAPTURE(static_cast<int>(kind));
    check_node(*device, attention(kind, h, positions, 512));
  }
  check_node(*device, attention(Cache::kF32, {48, 48, 3}, positions, 512));
}

TEST_CASE("a token of vulkan PagedAttention is bit-equal whatever its place and neighbours") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  struct Plan {
    Heads heads;
    std::int64_t columns;
    std::int64_t position;
  };
  // Not split, split, split with a counted grid.
  const Plan plans[] = {{{8, 2, 64}, 16, 130}, {{8, 2, 64}, kPages, 700}, {{64, 64, 8}, 512, 3000}};
  for (const Plan& plan : plans) {
    CAPTURE(plan.columns);
    const NodeCase base =
        attention(Cache::kF16, plan.heads, std::vector<std::int64_t>(8, 0), plan.columns);
    const std::vector<std::byte> first = place_token(*device, base, 0, plan.position);
    for (std::int64_t at = 1; at < 8; ++at) {
      CHECK(place_token(*device, base, at, plan.position) == first);
    }
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
