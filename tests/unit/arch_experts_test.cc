// Architectures with a mixture of experts: what a layer computes, and files that contradict
// themselves.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "arch/decoder/experts.h"
#include "ir/evaluate_graph.h"
#include "support/fake_arch_input.h"
#include "support/text_program.h"

namespace polaris::test {
namespace {

constexpr std::int64_t kWidth = 16;
constexpr std::int64_t kExperts = 4;
constexpr std::int64_t kEach = 12;

FakeArchInput qwen3moe() {
  FakeArchInput input;
  for (const auto& [key, value] :
       std::map<std::string, std::int64_t>{{"block_count", 1},
                                           {"embedding_length", kWidth},
                                           {"context_length", 32},
                                           {"attention.head_count", 2},
                                           {"attention.head_count_kv", 1},
                                           {"expert_count", kExperts},
                                           {"expert_used_count", 2},
                                           {"expert_feed_forward_length", kEach}}) {
    input.hyperparameters[key] = value;
  }
  input.add("token_embd.weight", {5, kWidth});
  input.add("output_norm.weight", {kWidth});
  for (const char* name : {"attn_norm", "ffn_norm"}) {
    input.add("blk.0." + std::string(name) + ".weight", {kWidth});
  }
  for (const char* name : {"attn_q_norm", "attn_k_norm"}) {
    input.add("blk.0." + std::string(name) + ".weight", {8});
  }
  input.add("blk.0.attn_q.weight", {16, kWidth});
  input.add("blk.0.attn_k.weight", {8, kWidth});
  input.add("blk.0.attn_v.weight", {8, kWidth});
  input.add("blk.0.attn_output.weight", {kWidth, 16});
  input.add("blk.0.ffn_gate_inp.weight", {kExperts, kWidth});
  input.add("blk.0.ffn_gate_exps.weight", {kExperts, kEach, kWidth});
  input.add("blk.0.ffn_up_exps.weight", {kExperts, kEach, kWidth});
  input.add("blk.0.ffn_down_exps.weight", {kExperts, kWidth, kEach});
  return input;
}

FakeArchInput gpt_oss() {
  FakeArchInput input = qwen3moe();
  for (const char* name : {"ffn_norm", "attn_q_norm", "attn_k_norm"}) {
    input.weights.erase("blk.0." + std::string(name) + ".weight");
  }
  input.hyperparameters["attention.sliding_window"] = std::int64_t{8};
  input.add("blk.0.post_attention_norm.weight", {kWidth});
  input.add("blk.0.attn_sinks.weight", {2});
  input.add("blk.0.ffn_gate_inp.bias", {kExperts});
  input.add("blk.0.ffn_gate_exps.bias", {kExperts, kEach});
  input.add("blk.0.ffn_up_exps.bias", {kExperts, kEach});
  input.add("blk.0.ffn_down_exps.bias", {kExperts, kWidth});
  return input;
}

/// What building says; empty where it succeeds.
std::string trouble(const FakeArchInput& input, const char* name = "qwen3moe") {
  const Architecture* architecture = find_architecture(name);
  REQUIRE(architecture != nullptr);
  const auto built = architecture->build(input);
  return built ? "" : built.error().message();
}

void check_names(const FakeArchInput& input, const std::string& want,
                 const char* name = "qwen3moe") {
  const std::string got = trouble(input, name);
  CAPTURE(got);
  CAPTURE(want);
  CHECK(got.starts_with("[" + std::string(name) + "]"));
  CHECK(got.find(want) != std::string::npos);
}

}  // namespace

TEST_CASE("experts: the likeliest of each token, weighed by their part of the sum") {
  FakeArchInput input;
  // One input, three experts of one unit each; the router likes the last best where x is positive.
  const std::vector<float> router = {0.5f, -1, 2};
  const std::vector<float> gate = {1, 2, -3};
  const std::vector<float> up = {3, 0.5f, 1.5f};
  const std::vector<float> down = {1, 10, -2};
  input.weights["blk.0.ffn_gate_inp.weight"] = floats({3, 1}, router);
  input.weights["blk.0.ffn_gate_exps.weight"] = floats({3, 1, 1}, gate);
  input.weights["blk.0.ffn_up_exps.weight"] = floats({3, 1, 1}, up);
  input.weights["blk.0.ffn_down_exps.weight"] = floats({3, 1, 1}, down);
  const std::vector<float> xs = {0.7f, -0.4f, 1.1f};
  DecoderSpec spec;
  spec.width = 1;
  spec.experts = ExpertsSpec{.count = 3, .used = 2, .feed_forward = 1};
  ArchBuilder b("test", input);
  const Tensor x = floats({3, 1}, xs);
  const ValueId in = b.graph().add_input("x", x.type());
  b.graph().mark_output(expert_feed_forward(b, spec, 0, in), "y");
  const auto graph = b.finish();
  REQUIRE_MESSAGE(graph, graph.error().message());
  const std::vector<Tensor> inputs = {x};
  const auto outputs = evaluate_graph(*graph, inputs);
  REQUIRE_MESSAGE(outputs, outputs.error().message());
  const std::vector<float> got = to_floats(outputs->outputs[0]);
  REQUIRE(got.size() == xs.size());
  for (std::size_t t = 0; t < xs.size(); ++t) {
    const double v = static_cast<double>(xs[t]);
    double sum = 0;
    double total = 0;
    const std::size_t left_out = v > 0 ? 1 : 2;
    for (std::size_t e = 0; e < 3; ++e) {
      if (e == left_out) continue;
      const double weight = std::exp(static_cast<double>(router[e]) * v);
      const double g = static_cast<double>(gate[e]) * v;
      total += weight;
      sum += weight * static_cast<double>(down[e]) * g / (1 + std::exp(-g)) *
             static_cast<double>(up[e]) * v;
    }
    CHECK(static_cast<double>(got[t]) == doctest::Approx(sum / total).epsilon(1e-5));
  }
}

TEST_CASE("experts: the width of one is the file's, or that of a token's over their number") {
  CHECK(trouble(qwen3moe()) == "");
  FakeArchInput input = qwen3moe();
  input.hyperparameters.erase("expert_feed_forward_length");
  check_names(input, "'expert_feed_forward_length' is missing");
  input.hyperparameters["feed_forward_length"] = std::int64_t{1};
  check_names(input, "'expert_feed_forward_length' is missing");
  input.hyperparameters["feed_forward_length"] = 2 * kEach;
  CHECK(trouble(input) == "");
  input.hyperparameters["feed_forward_length"] = 2 * kEach + 2;
  check_names(input, "tensor 'blk.0.ffn_gate_exps.weight' shape, got [4, 12, 16], wanted [4, 13");
}

TEST_CASE("experts: files that contradict themselves, or have what cannot be built, are refused") {
  const auto with = [](const char* name, MetadataValue value) {
    FakeArchInput input = qwen3moe();
    input.hyperparameters[name] = std::move(value);
    return input;
  };
  const auto without = [](const char* name) {
    FakeArchInput input = qwen3moe();
    input.hyperparameters.erase(name);
    return input;
  };
  constexpr std::int64_t kHuge = INT64_MAX;
  check_names(without("expert_count"), "'expert_count' is missing");
  check_names(without("expert_used_count"), "'expert_used_count' is missing");
  for (const std::int64_t count : {std::int64_t{0}, std::int64_t{-1}, kHuge}) {
    check_names(with("expert_count", count), "'expert_count', got " + std::to_string(count));
    check_names(with("expert_used_count", count),
                "'expert_used_count', got " + std::to_string(count) + ", wanted 1 to 4");
    check_names(with("expert_feed_forward_length", count),
                "'expert_feed_forward_length', got " + std::to_string(count));
  }
  check_names(with("expert_used_count", kExperts + 1), "'expert_used_count', got 5, wanted 1 to 4");
  check_names(with("expert_count", std::string("four")), "'expert_count', got 'four'");
  check_names(with("expert_count", kExperts + 1),
              "tensor 'blk.0.ffn_gate_inp.weight' shape, got [4, 16], wanted [5, 16]");
  check_names(with("expert_feed_forward_length", kEach + 1),
              "tensor 'blk.0.ffn_gate_exps.weight' shape, got [4, 12, 16], wanted [4, 13, 16]");
  check_names(with("expert_shared_count", std::int64_t{1}), "'expert_shared_count', got 1");
  check_names(with("expert_group_count", std::int64_t{2}), "'expert_group_count', got 2");
  check_names(with("leading_dense_block_count", std::int64_t{1}),
              "'leading_dense_block_count', got 1");
  check_names(with("expert_gating_func", std::int64_t{2}), "'expert_gating_func', got 2");
  check_names(with("expert_weights_norm", false), "'expert_weights_norm', got false");
  check_names(with("expert_weights_scale", 2.5), "'expert_weights_scale', got 2.5");
  CHECK(trouble(with("expert_used_count", kExperts)) == "");
  CHECK(trouble(with("expert_gating_func", std::int64_t{1})) == "");
  CHECK(trouble(with("expert_weights_norm", true)) == "");
}

TEST_CASE("experts: tensors of other shapes are refused by name") {
  const std::string blk = "blk.0.";
  const auto replaced = [&](const char* name, const Shape& shape) {
    FakeArchInput input = qwen3moe();
    input.add(blk + name, shape);
    return input;
  };
  for (const char* name : {"ffn_gate_exps.weight", "ffn_up_exps.weight", "ffn_down_exps.weight",
                           "ffn_gate_inp.weight"}) {
    FakeArchInput input = qwen3moe();
    input.weights.erase(blk + name);
    check_names(input, name);
    check_names(replaced(name, {kExperts, 1, 1}), "tensor '" + blk + name + "' shape");
    check_names(replaced(name, {0, kEach, kWidth}), "tensor '" + blk + name + "' shape");
    check_names(replaced(name, {kExperts * kEach, kWidth}), "tensor '" + blk + name + "' shape");
  }
}

TEST_CASE("experts: clamped gates and biases") {
  FakeArchInput input;
  // One expert of two units; gate and up each leave the clamp on either side.
  input.weights["blk.0.ffn_gate_inp.weight"] = floats({1, 1}, {1});
  input.weights["blk.0.ffn_gate_exps.weight"] = floats({1, 2, 1}, {2, -3});
  input.weights["blk.0.ffn_gate_exps.bias"] = floats({1, 2}, {0.5f, 1});
  input.weights["blk.0.ffn_up_exps.weight"] = floats({1, 2, 1}, {1, -4});
  input.weights["blk.0.ffn_up_exps.bias"] = floats({1, 2}, {-1, 0.25f});
  input.weights["blk.0.ffn_down_exps.weight"] = floats({1, 1, 2}, {1, 10});
  input.weights["blk.0.ffn_down_exps.bias"] = floats({1, 1}, {3});
  DecoderSpec spec;
  spec.width = 1;
  spec.feed_forward_kind = FeedForwardKind::kGatedClamped;
  spec.experts = ExpertsSpec{.count = 1, .used = 1, .feed_forward = 2};
  const std::vector<float> xs = {0.3f, 9, -9};
  const Tensor x = floats({3, 1}, xs);
  ArchBuilder b("test", input);
  const ValueId in = b.graph().add_input("x", x.type());
  b.graph().mark_output(expert_feed_forward(b, spec, 0, in), "y");
  const auto graph = b.finish();
  REQUIRE_MESSAGE(graph, graph.error().message());
  const std::vector<Tensor> inputs = {x};
  const auto outputs = evaluate_graph(*graph, inputs);
  REQUIRE_MESSAGE(outputs, outputs.error().message());
  const std::vector<float> got = to_floats(outputs->outputs[0]);
  REQUIRE(got.size() == xs.size());
  const auto unit = [](double gate, double up) {
    const double g = std::min(gate, 7.0);
    return g / (1 + std::exp(-1.702 * g)) * (std::clamp(up, -7.0, 7.0) + 1);
  };
  for (std::size_t t = 0; t < xs.size(); ++t) {
    const double v = static_cast<double>(xs[t]);
    const double want = 3 + unit(2 * v + 0.5, v - 1) + 10 * unit(-3 * v + 1, -4 * v + 0.25);
    CHECK(static_cast<double>(got[t]) == doctest::Approx(want).epsilon(1e-5));
  }
}

TEST_CASE("gpt-oss: what contradicts itself or is missing is refused by name") {
  CHECK(trouble(gpt_oss(), "gpt-oss") == "");
  const auto check = [](const std::string& want, const auto& change) {
    FakeArchInput input = gpt_oss();
    change(input);
    check_names(input, want, "gpt-oss");
  };
  check("attn_sinks.weight", [](auto& input) { input.weights.erase("blk.0.attn_sinks.weight"); });
  for (const Shape& shape : {Shape{1}, Shape{3}, Shape{1, 2}}) {
    check("'blk.0.attn_sinks.weight' shape, got " + shape.to_string(),
          [&](auto& input) { input.add("blk.0.attn_sinks.weight", shape); });
  }
  for (const char* name : {"ffn_gate_exps.bias", "ffn_up_exps.bias", "ffn_down_exps.bias"}) {
    const std::string tensor = "blk.0." + std::string(name);
    check("tensor '" + tensor + "' shape", [&](auto& input) {
      input.add(tensor, {kExperts - 1, kEach});
    });
  }
  check("'attention.sliding_window' is missing",
        [](auto& input) { input.hyperparameters.erase("attention.sliding_window"); });
  check("'attention.sliding_window', got 0",
        [](auto& input) { input.hyperparameters["attention.sliding_window"] = std::int64_t{0}; });
}

}  // namespace polaris::test
