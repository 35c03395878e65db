#include "ir/op_attrs/attention.h"

#include <doctest/doctest.h>

#include <cmath>

#include "conformance/suite.h"
#include "tensor/element.h"

namespace polaris::test {
namespace {

/// A cache [pages, page_size, width] of plain elements or blocks.
Tensor cache(DType dtype, std::optional<BlockFormat> format, const Shape& shape) {
  return format ? random_blocks(*format, shape) : random(dtype, shape, -1, 1);
}

Tensor int32s(const Shape& shape, std::vector<std::int64_t> elements) {
  auto out = Tensor::allocate(DType::kI32, shape);
  for (std::size_t i = 0; i < elements.size(); ++i) {
    store_i64(DType::kI32, out->mutable_bytes().data(), static_cast<std::int64_t>(i), elements[i]);
  }
  return out.take();
}

struct CacheKind {
  const char* name;
  DType dtype;
  std::optional<BlockFormat> format;
};
const CacheKind kKinds[] = {{"f32", DType::kF32, {}},
                            {"f16", DType::kF16, {}},
                            {"q8_0", DType::kF32, BlockFormat::kQ8_0},
                            {"q4_0", DType::kF32, BlockFormat::kQ4_0}};

}  // namespace

TEST_CASE("RotaryEmbedding") {
  Suite s("RotaryEmbedding");
  const auto heads = [](int n, bool interleaved, int rotary) {
    return attrs<RotaryEmbeddingAttrs>([=](auto& a) {
      a.num_heads = n, a.interleaved = interleaved;
      a.rotary_embedding_dim = rotary;
    });
  };
  const Tensor table_c = random(DType::kF32, {50, 4}, -1, 1);
  const Tensor table_s = random(DType::kF32, {50, 4}, -1, 1);
  for (const bool interleaved : {false, true}) {
    const std::string kind = interleaved ? " interleaved" : "";
    s.add("rank 3" + kind,
          {random(DType::kF32, {1, 7, 24}), table_c, table_s,
           random_ints(DType::kI64, {1, 7}, 0, 49)},
          heads(3, interleaved, 0), {1, 1, {1, 2}});
    s.add("int32 positions" + kind,
          {random(DType::kF32, {2, 3, 16}), table_c, table_s,
           random_ints(DType::kI32, {2, 3}, 0, 49)},
          heads(2, interleaved, 0), {1, 1, {1, 2}});
    s.add("rank 4" + kind,
          {random(DType::kF32, {2, 3, 5, 8}), table_c, table_s,
           random_ints(DType::kI64, {2, 5}, 0, 49)},
          heads(0, interleaved, 0), {1, 1, {1, 2}});
    s.add("partial" + kind,
          {random(DType::kF32, {1, 5, 2 * 12}), table_c, table_s,
           random_ints(DType::kI64, {1, 5}, 0, 49)},
          heads(2, interleaved, 8), {1, 1, {1, 2}});
    s.add("no positions" + kind,
          {random(DType::kF32, {2, 3, 5, 8}), random(DType::kF32, {2, 5, 4}),
           random(DType::kF32, {2, 5, 4})},
          heads(0, interleaved, 0));
  }
  for (DType d : {DType::kF16, DType::kBF16}) {
    s.add(dtype_name(d),
          {random(d, {1, 7, 24}), random(d, {50, 4}, -1, 1), random(d, {50, 4}, -1, 1),
           random_ints(DType::kI64, {1, 7}, 0, 49)},
          heads(3, false, 0));
    s.add(std::string(dtype_name(d)) + " by f32",
          {random(d, {2, 3, 5, 10}), table_c, table_s, random_ints(DType::kI64, {2, 5}, 0, 49)},
          heads(0, true, 8), {1, 1, {1, 2}});
  }
  s.add("no tokens",
        {random(DType::kF32, {1, 0, 8}), table_c, table_s, random_ints(DType::kI64, {1, 0}, 0, 1)},
        heads(1, false, 0));
  s.fails(
      "heads",
      {random(DType::kF32, {1, 3, 8}), table_c, table_s, random_ints(DType::kI64, {1, 3}, 0, 1)},
      heads(3, false, 0), "num_heads, got 3");
  s.fails("position", {random(DType::kF32, {1, 1, 8}), table_c, table_s, int32s({1, 1}, {50})},
          heads(1, false, 0), "position, got 50");
  s.run();
}

TEST_CASE("KvWrite") {
  Suite s("KvWrite", "polaris");
  for (const CacheKind& kind : kKinds) {
    const Shape shape{5, 4, 64};
    const std::string name = kind.name;
    s.add(name,
          {cache(kind.dtype, kind.format, shape), cache(kind.dtype, kind.format, shape),
           random(DType::kF32, {3, 64}), random(DType::kF32, {3, 64}), int32s({3}, {7, 0, 19})},
          nullptr, {2, 1, {}});
    s.add(name + " padding",
          {cache(kind.dtype, kind.format, shape), cache(kind.dtype, kind.format, shape),
           random(DType::kF32, {4, 64}), random(DType::kF32, {4, 64}),
           int32s({4}, {-1, 20, 3, 1000000})},
          nullptr, {2, 1, {}});
    s.add(name + " zeros",
          {cache(kind.dtype, kind.format, {2, 2, 32}), cache(kind.dtype, kind.format, {2, 2, 32}),
           values(DType::kF32, {1, 32}, {}), values(DType::kF32, {1, 32}, {}), int32s({1}, {1})},
          nullptr, {2, 1, {}});
  }
  for (const DType rows : {DType::kF16, DType::kBF16}) {
    for (const CacheKind& kind : kKinds) {
      s.add(std::string(kind.name) + " from " + std::string(dtype_name(rows)),
            {cache(kind.dtype, kind.format, {2, 2, 32}), cache(kind.dtype, kind.format, {2, 2, 32}),
             random(rows, {3, 32}), random(rows, {3, 32}), int32s({3}, {3, 0, -1})},
            nullptr, {2, 1, {}});
    }
  }
  for (const DType dtype : {DType::kF32, DType::kF16}) {
    s.add("rows of 7 " + std::string(dtype_name(dtype)),
          {random(dtype, {3, 5, 7}), random(dtype, {3, 5, 7}), random(DType::kF32, {3, 7}),
           random(DType::kF32, {3, 7}), int32s({3}, {14, 1, 0})},
          nullptr, {2, 1, {}});
  }
  s.add("no tokens",
        {random(DType::kF32, {2, 2, 32}), random(DType::kF32, {2, 2, 32}),
         random(DType::kF32, {0, 32}), random(DType::kF32, {0, 32}), int32s({0}, {})},
        nullptr, {2, 1, {}});
  s.fails("width",
          {random(DType::kF32, {2, 2, 32}), random(DType::kF32, {2, 2, 32}),
           random(DType::kF32, {1, 31}), random(DType::kF32, {1, 31}), int32s({1}, {0})},
          nullptr, "row size", 2);
  s.run();
}

TEST_CASE("RotaryKvWrite") {
  Suite s("RotaryKvWrite", "polaris");
  const auto turn = [](int heads, int kv, bool interleaved, int rotary) {
    return attrs<RotaryKvWriteAttrs>([=](auto& a) {
      a.num_heads = heads, a.num_kv_heads = kv;
      a.interleaved = interleaved, a.rotary_embedding_dim = rotary;
    });
  };
  const auto add = [&](const std::string& name, const CacheKind& kind, DType rows, DType ids,
                       int heads, int kv, std::int64_t size, bool interleaved, int rotary) {
    const Shape shape{5, 4, kv * size};
    const std::int64_t half = (rotary > 0 ? rotary : size) / 2;
    s.add(name,
          {cache(kind.dtype, kind.format, shape), cache(kind.dtype, kind.format, shape),
           random(rows, {5, heads * size}), random(rows, {5, kv * size}),
           random(rows, {5, kv * size}), random(DType::kF32, {9, half}, -1, 1),
           random(DType::kF32, {9, half}, -1, 1), random_ints(ids, {1, 5}, 0, 8),
           int32s({5}, {7, 0, -1, 20, 19})},
          turn(heads, kv, interleaved, rotary), {3, 1, {5, 6}, 0, 1});
  };
  for (const CacheKind& kind : kKinds) {
    const std::string name = kind.name;
    for (const bool interleaved : {false, true}) {
      const std::string pairs = interleaved ? " interleaved" : "";
      add(name + pairs, kind, DType::kF32, DType::kI32, 4, 2, 32, interleaved, 0);
      add(name + " one head" + pairs, kind, DType::kF32, DType::kI64, 1, 1, 96, interleaved, 0);
      add(name + " partial" + pairs, kind, DType::kF32, DType::kI32, 6, 2, 80, interleaved, 22);
    }
    for (const DType rows : {DType::kF16, DType::kBF16}) {
      add(name + " from " + std::string(dtype_name(rows)), kind, rows, DType::kI32, 2, 1, 64, false,
          0);
    }
  }
  add("heads of 14", kKinds[0], DType::kF32, DType::kI32, 5, 1, 14, false, 6);
  add("heads of 2", kKinds[1], DType::kF32, DType::kI64, 7, 7, 2, true, 0);
  const auto small = [&](Tensor positions, Tensor sines, std::int64_t tokens) {
    return std::vector<Tensor>{
        random(DType::kF32, {2, 2, 8}),
        random(DType::kF32, {2, 2, 8}),
        random(DType::kF32, {tokens, 16}),
        random(DType::kF32, {tokens, 8}),
        random(DType::kF32, {tokens, 8}),
        random(DType::kF32, {6, 4}),
        std::move(sines),
        std::move(positions),
        int32s({tokens}, std::vector<std::int64_t>(static_cast<std::size_t>(tokens), 1))};
  };
  const Tensor sines = random(DType::kF32, {6, 4});
  s.add("no tokens", small(int32s({1, 0}, {}), sines, 0), turn(2, 1, false, 0), {3, 1, {}});
  s.fails("position", small(int32s({1, 2}, {5, 6}), sines, 2), turn(2, 1, false, 0),
          "position, got 6", 3);
  s.fails("negative position", small(int32s({1, 2}, {-3, 0}), sines, 2), turn(2, 1, false, 0),
          "position, got -3", 3);
  s.fails("heads", small(int32s({1, 1}, {0}), sines, 1), turn(3, 1, false, 0), "heads, got 3", 3);
  s.fails("head sizes", small(int32s({1, 1}, {0}), sines, 1), turn(1, 1, false, 0),
          "head size of k", 3);
  s.fails("tables", small(int32s({1, 1}, {0}), random(DType::kF32, {5, 4}), 1),
          turn(2, 1, false, 0), "rows of the sines", 3);
  s.fails("positions", small(int32s({1, 3}, {0, 0, 0}), sines, 2), turn(2, 1, false, 0),
          "tokens of position_ids", 3);
  s.run();
}

TEST_CASE("PagedAttention") {
  Suite s("PagedAttention", "polaris");
  const auto heads = [](int h, int kv, float scale) {
    return attrs<PagedAttentionAttrs>(
        [=](auto& a) { a.num_heads = h, a.num_kv_heads = kv, a.scale = scale; });
  };
  const Tensor table = int32s({3, 4}, {6, 2, 0, 5, 1, 3, 7, 4, 2, 0, -1, -1});
  for (const CacheKind& kind : kKinds) {
    const Shape shape{8, 8, 64};
    const Tensor k = cache(kind.dtype, kind.format, shape);
    const Tensor v = cache(kind.dtype, kind.format, shape);
    const std::string name = kind.name;
    s.add(name + " decode",
          {random(DType::kF32, {3, 128}, -1, 1), k, v, table, int32s({3}, {0, 1, 2}),
           int32s({3}, {31, 17, 0})},
          heads(4, 2, 0));
    s.add(name + " prompt",
          {random(DType::kF32, {7, 64}, -1, 1), k, v, table, int32s({7}, {1, 1, 1, 1, 1, 1, 1}),
           int32s({7}, {9, 10, 11, 12, 13, 14, 15})},
          heads(2, 2, 0));
    s.add(name + " mixed",
          {random(DType::kF32, {5, 256}, -1, 1), k, v, table, int32s({5}, {2, -1, 0, 2, -1}),
           int32s({5}, {14, 0, 8, 15, 99})},
          heads(8, 2, 0.25f));
  }
  s.add("one head of 64",
        {random(DType::kF32, {1, 64}), random(DType::kF32, {2, 16, 64}),
         random(DType::kF32, {2, 16, 64}), int32s({1, 2}, {1, 0}), int32s({1}, {0}),
         int32s({1}, {20})},
        heads(1, 1, 0));
  for (const int size : {1, 7, 33, 250}) {
    s.add("heads of " + std::to_string(size),
          {random(DType::kF32, {3, 2 * size}), random(DType::kF16, {4, 8, size}),
           random(DType::kF16, {4, 8, size}), int32s({1, 3}, {1, 0, 3}), int32s({3}, {0, -1, 0}),
           int32s({3}, {22, 1, 7})},
          heads(2, 1, 0));
  }
  for (const DType rows : {DType::kF16, DType::kBF16}) {
    s.add(std::string(dtype_name(rows)) + " queries",
          {random(rows, {2, 64}, -1, 1), random(DType::kF16, {2, 16, 32}),
           random(DType::kF16, {2, 16, 32}), int32s({1, 2}, {1, 0}), int32s({2}, {0, 0}),
           int32s({2}, {30, 7})},
          heads(4, 2, 0));
  }
  s.add("head of 8",
        {random(DType::kF32, {3, 64}), random(DType::kF32, {2, 16, 32}),
         random(DType::kF32, {2, 16, 32}), int32s({1, 2}, {1, 0}), int32s({3}, {0, 0, 0}),
         int32s({3}, {5, 6, 7})},
        heads(8, 4, 0));
  s.add("long",
        {random(DType::kF32, {2, 64}), random(DType::kF32, {40, 16, 64}),
         random(DType::kF32, {40, 16, 64}), random_ints(DType::kI32, {2, 37}, 0, 39),
         int32s({2}, {0, 1}), int32s({2}, {591, 300})},
        heads(2, 2, 0));
  s.add(
      "no tokens",
      {random(DType::kF32, {0, 64}), random(DType::kF32, {2, 16, 64}),
       random(DType::kF32, {2, 16, 64}), int32s({1, 2}, {1, 0}), int32s({0}, {}), int32s({0}, {})},
      heads(1, 1, 0));
  const auto windowed = [](int h, int kv, int window) {
    return attrs<PagedAttentionAttrs>(
        [=](auto& a) { a.num_heads = h, a.num_kv_heads = kv, a.window = window; });
  };
  // Pages behind the windows are none.
  const Tensor behind = int32s({3, 4}, {-1, -1, 0, 5, 1, 3, 7, 4, -1, 0, 6, -1});
  for (const CacheKind& kind : kKinds) {
    const Shape shape{8, 8, 64};
    const Tensor k = cache(kind.dtype, kind.format, shape);
    const Tensor v = cache(kind.dtype, kind.format, shape);
    const std::string name = std::string(kind.name) + " window";
    for (const int window : {1, 5, 8, 11}) {
      s.add(name + " of " + std::to_string(window),
            {random(DType::kF32, {4, 128}, -1, 1), k, v, behind, int32s({4}, {0, 2, -1, 1}),
             int32s({4}, {27, 18, 3, 2})},
            windowed(4, 2, window));
    }
    std::vector<std::int64_t> sequences(21, 1);
    std::vector<std::int64_t> positions(21);
    for (std::int64_t t = 0; t < 21; ++t) positions[static_cast<std::size_t>(t)] = t + 9;
    for (const int window : {3, 14, 100}) {
      s.add(name + " over a prompt, of " + std::to_string(window),
            {random(DType::kF32, {21, 128}, -1, 1), k, v, behind, int32s({21}, sequences),
             int32s({21}, positions)},
            windowed(4, 2, window));
    }
  }
  s.add("long window",
        {random(DType::kF32, {2, 64}), random(DType::kF32, {40, 16, 64}),
         random(DType::kF32, {40, 16, 64}), random_ints(DType::kI32, {2, 37}, 0, 39),
         int32s({2}, {0, 1}), int32s({2}, {591, 300})},
        windowed(2, 2, 170));
  const auto capped = [](int h, int kv, float scale, float cap, int window) {
    return attrs<PagedAttentionAttrs>([=](auto& a) {
      a.num_heads = h, a.num_kv_heads = kv, a.scale = scale;
      a.softcap = cap, a.window = window;
    });
  };
  for (const CacheKind& kind : kKinds) {
    const Tensor k = cache(kind.dtype, kind.format, {8, 8, 64});
    const Tensor v = cache(kind.dtype, kind.format, {8, 8, 64});
    const std::string name = std::string(kind.name) + " capped";
    // Scores of up to some 30: far below the cap, and mostly at it.
    for (const float cap : {0.5f, 5.0f, 50.0f, 3000.0f}) {
      s.add(name + " at " + std::to_string(cap),
            {random(DType::kF32, {3, 128}, -2, 2), k, v, table, int32s({3}, {0, 1, 2}),
             int32s({3}, {31, 17, 0})},
            capped(4, 2, 1, cap, 0));
    }
    std::vector<std::int64_t> positions(21);
    for (std::int64_t t = 0; t < 21; ++t) positions[static_cast<std::size_t>(t)] = t + 9;
    for (const int window : {0, 11}) {
      s.add(name + " over a prompt" + (window > 0 ? " with a window" : ""),
            {random(DType::kF32, {21, 128}, -2, 2), k, v, table,
             int32s({21}, std::vector<std::int64_t>(21, 1)), int32s({21}, positions)},
            capped(4, 2, 1, 3, window));
    }
  }
  s.add("capped far off",
        {random(DType::kF32, {2, 64}, -90, 90), random(DType::kF32, {40, 16, 64}, -90, 90),
         random(DType::kF32, {40, 16, 64}), random_ints(DType::kI32, {2, 37}, 0, 39),
         int32s({2}, {0, 1}), int32s({2}, {591, 300})},
        capped(2, 2, 1, 2, 0));
  for (const float cap : {-1.0f, 1e-31f, 1e31f, INFINITY, NAN}) {
    s.fails("softcap of " + std::to_string(cap),
            {random(DType::kF32, {1, 64}), random(DType::kF32, {2, 16, 64}),
             random(DType::kF32, {2, 16, 64}), int32s({1, 2}, {1, 0}), int32s({1}, {0}),
             int32s({1}, {3})},
            capped(1, 1, 0, cap, 0), "softcap, got ");
  }
  s.fails("window",
          {random(DType::kF32, {1, 64}), random(DType::kF32, {2, 16, 64}),
           random(DType::kF32, {2, 16, 64}), int32s({1, 2}, {1, 0}), int32s({1}, {0}),
           int32s({1}, {3})},
          windowed(1, 1, -1), "window, got -1");
  s.fails("page in the window",
          {random(DType::kF32, {1, 64}), random(DType::kF32, {2, 16, 64}),
           random(DType::kF32, {2, 16, 64}), int32s({1, 2}, {-1, 0}), int32s({1}, {0}),
           int32s({1}, {17})},
          windowed(1, 1, 3), "no page for ");
  s.fails("page",
          {random(DType::kF32, {1, 64}), random(DType::kF32, {2, 16, 64}),
           random(DType::kF32, {2, 16, 64}), int32s({1, 2}, {1, 0}), int32s({1}, {0}),
           int32s({1}, {32})},
          heads(1, 1, 0), "no page for ");
  s.fails("heads",
          {random(DType::kF32, {1, 64}), random(DType::kF32, {2, 16, 64}),
           random(DType::kF32, {2, 16, 64}), int32s({1, 2}, {1, 0}), int32s({1}, {0}),
           int32s({1}, {0})},
          heads(3, 2, 0), "heads, got 3 over 2");
  s.run();
}

TEST_CASE("Attention") {
  constexpr DType kF = DType::kF32;
  Suite s("Attention");
  const auto of = [](auto set) { return attrs<AttentionAttrs>(set); };
  const auto heads = [](auto& a) {
    a.q_num_heads = 4;
    a.kv_num_heads = 2;
  };
  const auto operands = [](std::int64_t kv) {
    return std::vector<Tensor>{random(kF, {2, 4, 3, 6}), random(kF, {2, kv, 5, 6}),
                               random(kF, {2, kv, 5, 7})};
  };
  for (const DType d : {DType::kF32, DType::kF64}) {
    s.add(dtype_name(d),
          {random(d, {2, 3, 2, 4}), random(d, {2, 3, 5, 4}), random(d, {2, 3, 5, 4})});
  }
  s.add("shared heads", operands(2), nullptr, {4, 1, {}});
  s.add("rank 3", {random(kF, {2, 3, 24}), random(kF, {2, 5, 12}), random(kF, {2, 5, 14})},
        of(heads));
  for (std::int64_t mode = 0; mode < 4; ++mode) {
    std::vector<Tensor> all = operands(4);
    all.push_back(random(kF, {2, 1, 3, 7}));
    all.push_back(random(kF, {2, 4, 2, 6}));
    all.push_back(random(kF, {2, 4, 2, 7}));
    s.add("past, mode " + std::to_string(mode), all, of([=](auto& a) {
            a.is_causal = true;
            a.qk_matmul_output_mode = mode;
            a.softcap = 0.5f;
            a.scale = 0.3f;
          }),
          {4, 1, {}});
  }
  std::vector<Tensor> masked = operands(4);
  masked.push_back(values(DType::kBool, {3, 4}, {1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 1}));
  s.add("short bool mask", masked);
  masked[3] = absent();
  masked.insert(masked.end(), {absent(), absent(), int64s({5, 2})});
  s.add("lengths", masked);
  std::vector<Tensor> wrong = operands(3);
  s.fails("heads", wrong, nullptr, "heads of q, got 4");
  wrong = operands(4);
  wrong[1] = random(kF, {2, 4, 5, 5});
  s.fails("head size", wrong, nullptr, "head size of K, got 5, wanted 6");
  wrong = operands(4);
  wrong.push_back(random(kF, {4, 5}));
  s.fails("mask", wrong, nullptr, "attn_mask, got [4, 5]");
  wrong[3] = absent();
  wrong.push_back(random(kF, {2, 4, 2, 6}));
  s.fails("half a past", wrong, nullptr, "past_key and past_value");
  s.fails("no heads", {random(kF, {2, 3, 24}), random(kF, {2, 5, 12}), random(kF, {2, 5, 14})},
          nullptr, "heads, got 0");
  s.fails("mode", operands(4), of([](auto& a) { a.qk_matmul_output_mode = 4; }),
          "qk_matmul_output_mode, got 4");
  s.fails("softcap", operands(4), of([](auto& a) { a.softcap = -1; }), "softcap");
  s.run();
}

/// What a prompt's tile kernels must tell apart: tiles that end early, tokens out of order and of
/// no sequence, windows, pages in no order.
TEST_CASE("PagedAttention of many tokens of one sequence") {
  Suite s("PagedAttention", "polaris");
  struct Heads {
    int count, kv, size;
  };
  const auto given = [](const Heads& h, int window, float cap) {
    return attrs<PagedAttentionAttrs>([=](auto& a) {
      a.num_heads = h.count, a.num_kv_heads = h.kv;
      a.window = window, a.softcap = cap;
    });
  };
  constexpr int kPages = 11;
  std::vector<std::int64_t> pages;
  for (std::int64_t i = 0; i < kPages; ++i) pages.push_back(i * 7 % kPages);
  const Tensor table = int32s({1, kPages}, pages);  // of 16 positions each
  /// Positions from `first` on, or all over the reach; every `none`-th token of no sequence.
  const auto add = [&](const std::string& name, const CacheKind& kind, const Heads& h, int tokens,
                       int first, int none, int window, float cap, bool sinks, DType rows) {
    const Shape shape{kPages, 16, h.kv * h.size};
    std::vector<std::int64_t> positions;
    std::vector<std::int64_t> sequences;
    for (std::int64_t t = 0; t < tokens; ++t) {
      positions.push_back(first >= 0 ? first + t : t * 131 % (kPages * 16));
      sequences.push_back(none > 0 && t % none == none - 1 ? -1 : 0);
    }
    std::vector<Tensor> inputs = {random(rows, {tokens, h.count * h.size}, -1, 1),
                                  cache(kind.dtype, kind.format, shape),
                                  cache(kind.dtype, kind.format, shape),
                                  table,
                                  int32s({tokens}, sequences),
                                  int32s({tokens}, positions)};
    if (sinks) inputs.push_back(random(DType::kF32, {h.count}, -3, 3));
    s.add(std::string(kind.name) + " " + name, std::move(inputs), given(h, window, cap));
  };
  for (const CacheKind& kind : kKinds) {
    add("from the start", kind, {8, 4, 64}, 70, 0, 0, 0, 0, false, DType::kF32);
    add("behind others", kind, {16, 4, 128}, 33, 120, 0, 0, 0, false, DType::kF32);
    add("in no order", kind, {6, 6, 32}, 130, -1, 5, 0, 0, false, DType::kF32);
    add("with a window", kind, {8, 2, 96}, 128, 40, 0, 37, 0, false, DType::kF32);
    add("with a window, in no order", kind, {8, 8, 64}, 65, -1, 9, 20, 0, false, DType::kF32);
    add("capped, with sinks", kind, {18, 6, 32}, 64, 17, 0, 0, 2, true, DType::kF32);
  }
  for (const int size : {4, 8, 36, 80, 132, 256}) {
    add("heads of " + std::to_string(size), kKinds[0], {16, 4, size}, 40, 90, 7, 0, 0, false,
        DType::kF32);
  }
  for (const DType rows : {DType::kF16, DType::kBF16}) {
    add(std::string(dtype_name(rows)) + " queries", kKinds[1], {8, 2, 64}, 65, 3, 0, 0, 0, true,
        rows);
  }
  // A page that no token sees may be none; the last sees position 127.
  const auto paged = [&](std::int64_t page, std::int64_t number, std::int64_t first,
                         std::int64_t sequence) {
    std::vector<std::int64_t> changed = pages;
    changed[static_cast<std::size_t>(page)] = number;
    std::vector<std::int64_t> positions;
    for (std::int64_t t = 0; t < 64; ++t) positions.push_back(first + t);
    std::vector<std::int64_t> sequences(64, 0);
    sequences[40] = sequence;
    return std::vector<Tensor>{random(DType::kF32, {64, 64}),
                               random(DType::kF32, {kPages, 16, 64}),
                               random(DType::kF32, {kPages, 16, 64}),
                               int32s({1, kPages}, changed),
                               int32s({64}, sequences),
                               int32s({64}, positions)};
  };
  s.add("no page that is not seen", paged(8, -1, 64, 0), given({16, 16, 4}, 0, 0));
  s.add("no page before the windows", paged(0, -1, 64, 0), given({16, 16, 4}, 20, 0));
  for (const std::int64_t number : {-1, kPages}) {
    for (const std::int64_t page : {0, 3, 7}) {
      s.fails("page " + std::to_string(page) + " of " + std::to_string(number),
              paged(page, number, 64, 0), given({16, 16, 4}, 0, 0), "no page for ");
    }
  }
  s.fails("position", paged(0, 0, kPages * 16 - 63, 0), given({16, 16, 4}, 0, 0), "no page for ");
  s.fails("sequence", paged(0, 0, 64, 1), given({16, 16, 4}, 0, 0), "no page for ");
  s.run();
}

TEST_CASE("PagedAttention with sinks") {
  Suite s("PagedAttention", "polaris");
  const auto heads = [](int h, int kv, int window, float cap) {
    return attrs<PagedAttentionAttrs>([=](auto& a) {
      a.num_heads = h, a.num_kv_heads = kv;
      a.window = window, a.softcap = cap;
    });
  };
  const Tensor table = int32s({3, 4}, {6, 2, 0, 5, 1, 3, 7, 4, 2, 0, -1, -1});
  // Some that take nearly all, some nearly nothing, some their part.
  const Tensor sinks = values(DType::kF32, {4}, {0.5, 6, -30, 2});
  std::vector<std::int64_t> positions(21);
  for (std::int64_t t = 0; t < 21; ++t) positions[static_cast<std::size_t>(t)] = t;
  for (const CacheKind& kind : kKinds) {
    const Tensor k = cache(kind.dtype, kind.format, {8, 8, 64});
    const Tensor v = cache(kind.dtype, kind.format, {8, 8, 64});
    for (const int window : {0, 5}) {
      const std::string name = std::string(kind.name) + (window > 0 ? " window " : " ");
      s.add(name + "decode",
            {random(DType::kF32, {4, 128}, -2, 2), k, v, table, int32s({4}, {0, 1, -1, 2}),
             int32s({4}, {31, 17, 4, 0}), sinks},
            heads(4, 2, window, 0));
      s.add(name + "prompt",
            {random(DType::kF32, {21, 128}, -2, 2), k, v, table,
             int32s({21}, std::vector<std::int64_t>(21, 1)), int32s({21}, positions), sinks},
            heads(4, 2, window, 0));
    }
  }
  s.add("f16 queries, capped",
        {random(DType::kF16, {2, 128}, -1, 1), random(DType::kF16, {2, 16, 64}),
         random(DType::kF16, {2, 16, 64}), int32s({1, 2}, {1, 0}), int32s({2}, {0, 0}),
         int32s({2}, {30, 7}), sinks},
        heads(4, 2, 0, 3));
  // Spans, of which a window leaves the first without a position.
  for (const int window : {0, 170}) {
    for (const float far : {-300.0f, 1.0f, 300.0f}) {
      s.add("long, sinks of " + std::to_string(far) + ", window " + std::to_string(window),
            {random(DType::kF32, {2, 64}), random(DType::kF32, {40, 16, 64}),
             random(DType::kF32, {40, 16, 64}), random_ints(DType::kI32, {2, 37}, 0, 39),
             int32s({2}, {0, 1}), int32s({2}, {591, 300}),
             values(DType::kF32, {2}, {static_cast<double>(far), 0.25})},
            heads(2, 2, window, 0));
    }
  }
  const Tensor rows = random(DType::kF32, {2, 16, 64});
  const auto inputs = [&](Tensor given) {
    return std::vector<Tensor>{random(DType::kF32, {1, 64}),
                               rows,
                               rows,
                               int32s({1, 2}, {1, 0}),
                               int32s({1}, {0}),
                               int32s({1}, {3}),
                               std::move(given)};
  };
  s.fails("count", inputs(random(DType::kF32, {3})), heads(2, 2, 0, 0), "sinks, got 3, wanted 2");
  s.fails("rank", inputs(random(DType::kF32, {1, 2})), heads(2, 2, 0, 0), "rank");
  s.fails("type", inputs(random(DType::kF16, {2})), heads(2, 2, 0, 0), "wanted float32");
  s.run();
}

}  // namespace polaris::test
