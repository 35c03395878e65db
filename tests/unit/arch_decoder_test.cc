// The parts of decoders one by one: what each computes, by the definition of its ops.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "arch/decoder/feed_forward.h"
#include "arch/decoder/inputs.h"
#include "arch/decoder/norm.h"
#include "arch/decoder/rope.h"
#include "ir/evaluate_graph.h"
#include "support/fake_arch_input.h"
#include "support/text_program.h"

namespace polaris::test {
namespace {

/// The part of x [rows, width], computed.
std::vector<float> run_part(const FakeArchInput& input, const Tensor& x,
                            const std::function<ValueId(ArchBuilder&, ValueId)>& part) {
  ArchBuilder b("test", input);
  const ValueId in = b.graph().add_input("x", x.type());
  const ValueId out = part(b, in);
  if (b.ok()) b.graph().mark_output(out, "y");
  auto graph = b.finish();
  REQUIRE_MESSAGE(graph, graph.error().message());
  const std::vector<Tensor> inputs = {x};
  auto outputs = evaluate_graph(*graph, inputs);
  REQUIRE_MESSAGE(outputs, outputs.error().message());
  return to_floats(outputs->outputs[0]);
}

void check_near(const std::vector<float>& got, const std::vector<double>& want) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CHECK(static_cast<double>(got[i]) == doctest::Approx(want[i]).epsilon(1e-5));
  }
}

}  // namespace

TEST_CASE("norms: by the root of the mean square or around the mean, weights with an offset") {
  FakeArchInput input;
  input.weights["n.weight"] = floats({4}, {1, 2, -1, 0.5f});
  const Tensor x = floats({1, 4}, {1, 3, -2, 4});
  DecoderSpec spec;
  spec.epsilon = 0;
  const auto y = [&] {
    return run_part(input, x, [&](ArchBuilder& b, ValueId v) { return norm(b, spec, "n", v, 4); });
  };
  const double root = std::sqrt(30.0 / 4);
  check_near(y(), {1 / root, 6 / root, 2 / root, 2 / root});
  spec.norm_offset = 1;
  check_near(y(), {2 / root, 9 / root, 0, 6 / root});
  spec.norm_offset = 0;
  spec.norm = NormKind::kLayer;
  const double deviation = std::sqrt((0.25 + 2.25 + 12.25 + 6.25) / 4);
  check_near(y(), {-0.5 / deviation, 3 / deviation, 3.5 / deviation, 1.25 / deviation});
  input.weights["n.bias"] = floats({4}, {1, 1, 1, 2});
  check_near(y(),
             {1 - 0.5 / deviation, 1 + 3 / deviation, 1 + 3.5 / deviation, 2 + 1.25 / deviation});
}

TEST_CASE("feed-forward: gated by SiLU, gated by GELU, and plain GELU with biases") {
  FakeArchInput input;
  input.weights["blk.0.ffn_gate.weight"] = floats({2, 1}, {1, -2});
  input.weights["blk.0.ffn_up.weight"] = floats({2, 1}, {3, 0.5f});
  input.weights["blk.0.ffn_down.weight"] = floats({1, 2}, {1, 10});
  const Tensor x = floats({1, 1}, {0.7f});
  DecoderSpec spec;
  spec.width = 1;
  spec.feed_forward = 2;
  const auto y = [&](FeedForwardKind kind) {
    spec.feed_forward_kind = kind;
    return run_part(input, x,
                    [&](ArchBuilder& b, ValueId v) { return feed_forward(b, spec, 0, v); });
  };
  const auto silu = [](double v) { return v / (1 + std::exp(-v)); };
  const auto gelu = [](double v) {
    return v / 2 * (1 + std::tanh(std::sqrt(2 / 3.14159265358979) * (v + 0.044715 * v * v * v)));
  };
  check_near(y(FeedForwardKind::kGatedSilu), {silu(0.7) * 2.1 + 10 * silu(-1.4) * 0.35});
  check_near(y(FeedForwardKind::kGatedGelu), {gelu(0.7) * 2.1 + 10 * gelu(-1.4) * 0.35});
  input.weights["blk.0.ffn_up.bias"] = floats({2}, {-1, 1});
  input.weights["blk.0.ffn_down.bias"] = floats({1}, {5});
  check_near(y(FeedForwardKind::kGelu), {gelu(1.1) + 10 * gelu(1.35) + 5});
}

TEST_CASE("rope: pairs are halves or neighbours, and what is no part of dims stays") {
  const FakeArchInput input;
  const Tensor x = floats({1, 6}, {1, 2, 3, 4, 5, 6});
  DecoderSpec spec;
  spec.rope.dims = 4;
  spec.rope.theta = 100;
  spec.rope.factor = 2;
  const auto y = [&] {
    return run_part(input, x, [&](ArchBuilder& b, ValueId v) {
      const RopeTables tables = rope_tables(b, spec.rope, 8, "rope", "");
      const std::vector<std::int32_t> three = {3};
      const ValueId positions = b.constant("positions", ints({1, 1}, three));
      return rotate(b, spec.rope, tables, positions, "r", v, 1, 6);
    });
  };
  // Position 3 over 2, at 1 and 0.1 radians a position.
  const double c[] = {std::cos(1.5), std::cos(0.15)};
  const double s[] = {std::sin(1.5), std::sin(0.15)};
  check_near(y(),
             {c[0] - 3 * s[0], 2 * c[1] - 4 * s[1], 3 * c[0] + s[0], 4 * c[1] + 2 * s[1], 5, 6});
  spec.rope.pairs = RopePairs::kNeighbours;
  check_near(y(),
             {c[0] - 2 * s[0], 2 * c[0] + s[0], 3 * c[1] - 4 * s[1], 4 * c[1] + 3 * s[1], 5, 6});
}

TEST_CASE("inputs: the layers of a spec have the cache groups that they need, and no others") {
  ArchOptions options;
  options.page_size = 4;
  options.tokens_max = 8;
  const FakeArchInput input(options);
  DecoderSpec spec;
  spec.context = 100;
  spec.kv_heads = spec.heads = 1;
  spec.head_size = 8;
  const auto names = [&](std::int64_t layers, std::int64_t window, std::int64_t period) {
    spec.layers = layers;
    spec.window = window;
    spec.window_period = period;
    ArchBuilder b("test", input);
    const DecoderInputs in = add_decoder_inputs(b, spec);
    std::vector<std::string> out;
    for (const CacheGroup& group : in.contract.groups) {
      const Value& table = b.graph().value(b.graph().inputs()[group.block_table]);
      const Value& positions = b.graph().value(b.graph().inputs()[group.positions]);
      const Symbol& width =
          b.graph().symbols()[static_cast<std::size_t>(symbol_of(table.type.shape[1]))];
      out.push_back(group.name + " " + table.name + " " + std::to_string(width.bound) + " " +
                    positions.name);
    }
    return out;
  };
  using Names = std::vector<std::string>;
  CHECK(names(3, 0, 1) == Names{"kv block_table 25 positions"});
  CHECK(names(7, 6, 1) == Names{"window block_table 5 window.positions"});
  CHECK(names(7, 6, 6) ==
        Names{"kv block_table 25 positions", "window window.block_table 5 window.positions"});
  // Too few layers for one that sees all.
  CHECK(names(5, 6, 6) == Names{"window block_table 5 window.positions"});
  CHECK(names(7, 1000, 6)[1] == "window window.block_table 25 window.positions");
}

}  // namespace polaris::test
