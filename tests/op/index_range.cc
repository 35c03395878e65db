// Indices at the ends of their range and beyond, in every op that takes them at run time.

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "conformance/suite.h"
#include "ir/op_attrs/attention.h"
#include "ir/op_attrs/gather.h"

namespace polaris::test {
namespace {

/// Five indices of dim `size`, one of them `value`, in shape `shape`.
Tensor indices(DType dtype, std::int64_t value, const Shape& shape) {
  std::vector<std::int64_t> list = {1, 0, value, 2, 1};
  if (dtype == DType::kI64) return Tensor::from<std::int64_t>(dtype, shape, list).take();
  const std::vector<std::int32_t> narrow(list.begin(), list.end());
  return Tensor::from<std::int32_t>(dtype, shape, narrow).take();
}

Tensor int32s(const Shape& shape, const std::vector<std::int32_t>& list) {
  return Tensor::from<std::int32_t>(DType::kI32, shape, list).take();
}

using Inputs = std::function<std::vector<Tensor>(DType, std::int64_t)>;

/// Samples of a dim of `size`: its ends run, what is beyond them is an error that says `what` and
/// the number.
void sweep(Suite& s, const std::string& name, const Inputs& inputs, std::int64_t size,
           const std::string& what, bool from_end, const std::shared_ptr<const Attrs>& attrs,
           const std::vector<int>& weights = {}) {
  for (const DType d : {DType::kI32, DType::kI64}) {
    const std::string kind = name + " " + std::string(dtype_name(d)) + " ";
    for (const std::int64_t good : {std::int64_t{0}, size - 1, -std::int64_t{1}, -size}) {
      if (good >= 0 || from_end)
        s.add(kind + std::to_string(good), inputs(d, good), attrs, {1, 1, weights});
    }
    const std::int64_t lowest = from_end ? -size - 1 : -1;
    for (const std::int64_t bad :
         {size, lowest, std::int64_t{INT32_MAX}, std::int64_t{INT32_MIN}}) {
      s.fails(kind + std::to_string(bad), inputs(d, bad), attrs,
              what + ", got " + std::to_string(bad), 1, weights);
    }
    if (d == DType::kI32) continue;
    // Of 64 bits: those whose low word alone would be in range, and the ends.
    for (const std::int64_t bad :
         {std::int64_t{1} << 32, -(std::int64_t{1} << 32), INT64_MAX, INT64_MIN}) {
      s.fails(kind + std::to_string(bad), inputs(d, bad), attrs, what + ", got ", 1, weights);
    }
  }
}

std::shared_ptr<const Attrs> axis(std::int64_t value) {
  return attrs<GatherAttrs>([=](auto& a) { a.axis = value; });
}

}  // namespace

TEST_CASE("indices out of range are an error: Gather") {
  Suite s("Gather");
  for (const DType data : {DType::kU8, DType::kF16, DType::kF32, DType::kI64}) {
    sweep(
        s, std::string(dtype_name(data)),
        [=](DType d, std::int64_t i) {
          return std::vector<Tensor>{random(data, {7, 3}), indices(d, i, {5})};
        },
        7, "index", true, axis(0));
  }
  sweep(
      s, "wide rows",
      [](DType d, std::int64_t i) {
        return std::vector<Tensor>{random(DType::kF32, {7, 64}), indices(d, i, {5, 1})};
      },
      7, "index", true, axis(0));
  sweep(
      s, "axis 1",
      [](DType d, std::int64_t i) {
        return std::vector<Tensor>{random(DType::kF32, {3, 6, 5}), indices(d, i, {5})};
      },
      6, "index", true, axis(1));
  sweep(
      s, "blocks",
      [](DType d, std::int64_t i) {
        return std::vector<Tensor>{random_blocks(BlockFormat::kQ8_0, {7, 32}), indices(d, i, {5})};
      },
      7, "index", true, axis(0));
  s.run();
}

TEST_CASE("indices out of range are an error: RoutedMatMul") {
  Suite s("RoutedMatMul", "polaris");
  // Of five tokens, which a kernel sorts by expert, and of one.
  for (const std::int64_t tokens : {5, 1}) {
    const std::string name = std::to_string(tokens) + " tokens";
    const Shape shape{tokens, 5 / tokens};
    sweep(s, name,
          [=](DType d, std::int64_t i) {
            return std::vector<Tensor>{random(DType::kF32, {tokens, 1, 8}),
                                       random(DType::kF32, {7, 3, 8}), indices(d, i, shape)};
          },
          7, "index", true, nullptr, {1});
    sweep(s, name + " of halves",
          [=](DType d, std::int64_t i) {
            return std::vector<Tensor>{random(DType::kF32, {tokens, 1, 32}),
                                       random(DType::kF16, {7, 3, 32}), indices(d, i, shape)};
          },
          7, "index", true, nullptr, {1});
  }
  s.run();
}

TEST_CASE("indices out of range are an error: GatherElements and GatherND") {
  Suite elements("GatherElements");
  sweep(
      elements, "axis 1",
      [](DType d, std::int64_t i) {
        return std::vector<Tensor>{random(DType::kF32, {1, 6}), indices(d, i, {1, 5})};
      },
      6, "index", true, axis(1));
  elements.run();
  Suite tuples("GatherND");
  const auto plain = attrs<GatherNdAttrs>([](auto& a) { a.batch_dims = 0; });
  sweep(
      tuples, "runs",
      [](DType d, std::int64_t i) {
        return std::vector<Tensor>{random(DType::kF32, {7, 3}), indices(d, i, {5, 1})};
      },
      7, "index", true, plain);
  // The third of five addresses dim 2.
  sweep(
      tuples, "tuples",
      [](DType d, std::int64_t i) {
        return std::vector<Tensor>{random(DType::kF32, {3, 3, 6, 4, 3}), indices(d, i, {1, 5})};
      },
      6, "index", true, plain);
  tuples.run();
}

TEST_CASE("indices out of range are an error: ScatterElements and ScatterND") {
  for (const char* reduction : {"none", "add"}) {
    Suite elements("ScatterElements");
    sweep(
        elements, reduction,
        [](DType d, std::int64_t i) {
          // Places of a line each, so that none is written twice.
          return std::vector<Tensor>{random(DType::kF32, {5, 6}), indices(d, i, {5, 1}),
                                     random(DType::kF32, {5, 1})};
        },
        6, "index", true, attrs<ScatterElementsAttrs>([&](auto& a) {
          a.reduction = reduction;
          a.axis = 1;
        }));
    elements.run();
    Suite tuples("ScatterND");
    sweep(
        tuples, reduction,
        [](DType d, std::int64_t i) {
          return std::vector<Tensor>{random(DType::kF32, {3, 3, 6, 4, 3}), indices(d, i, {1, 5}),
                                     random(DType::kF32, {1})};
        },
        6, "index", true, attrs<ScatterNdAttrs>([&](auto& a) { a.reduction = reduction; }));
    tuples.run();
  }
}

TEST_CASE("positions out of range are an error: RotaryEmbedding and PagedAttention") {
  Suite rotary("RotaryEmbedding");
  sweep(
      rotary, "positions",
      [](DType d, std::int64_t i) {
        return std::vector<Tensor>{random(DType::kF32, {1, 5, 16}), random(DType::kF32, {9, 4}),
                                   random(DType::kF32, {9, 4}), indices(d, i, {1, 5})};
      },
      9, "position", false, attrs<RotaryEmbeddingAttrs>([](auto& a) { a.num_heads = 2; }));
  rotary.run();
  Suite attention("PagedAttention", "polaris");
  const auto heads = attrs<PagedAttentionAttrs>([](auto& a) { a.num_heads = a.num_kv_heads = 1; });
  const auto inputs = [](std::int32_t page, std::int32_t sequence, std::int32_t position) {
    const Shape cache{3, 8, 32};
    return std::vector<Tensor>{random(DType::kF32, {1, 32}), random(DType::kF32, cache),
                               random(DType::kF32, cache),   int32s({1, 2}, {2, page}),
                               int32s({1}, {sequence}),      int32s({1}, {position})};
  };
  attention.add("last page and position", inputs(2, 0, 15), heads);
  attention.add("no page that is not read", inputs(-1, 0, 7), heads);
  attention.add("no sequence", inputs(-1, -1, 15), heads);
  for (const std::int32_t page : {-1, 3, INT32_MAX, INT32_MIN, 1 << 29}) {
    attention.fails("page " + std::to_string(page), inputs(page, 0, 8), heads, "no page for ");
  }
  attention.fails("position", inputs(1, 0, 16), heads, "no page for ");
  attention.fails("sequence", inputs(1, 1, 0), heads, "no page for ");
  attention.run();
}

}  // namespace polaris::test
