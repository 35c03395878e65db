// Architectures whose files hold several linear layers in one matrix: phi3 and gpt2.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "arch/common_builder.h"
#include "ir/evaluate_graph.h"
#include "support/fake_arch_input.h"
#include "support/text_program.h"
#include "tensor/block_codec.h"

namespace polaris::test {
namespace {

constexpr std::int64_t kWidth = 16;  // 2 heads of 8 on 1 of k and v
constexpr std::int64_t kContext = 32;

void add_common(FakeArchInput& input) {
  for (const auto& [key, value] :
       std::map<std::string, std::int64_t>{{"block_count", 1},
                                           {"embedding_length", kWidth},
                                           {"feed_forward_length", 24},
                                           {"context_length", kContext},
                                           {"attention.head_count", 2},
                                           {"attention.head_count_kv", 1}}) {
    input.hyperparameters[key] = value;
  }
  input.add("token_embd.weight", {5, kWidth});
  input.add("output_norm.weight", {kWidth});
  for (const char* name : {"attn_norm", "ffn_norm"}) {
    input.add("blk.0." + std::string(name) + ".weight", {kWidth});
  }
  input.add("blk.0.attn_qkv.weight", {32, kWidth});
  input.add("blk.0.attn_output.weight", {kWidth, 16});
  input.add("blk.0.ffn_down.weight", {kWidth, 24});
}

FakeArchInput phi3(const ArchOptions& options = {}) {
  FakeArchInput input(options);
  add_common(input);
  input.add("blk.0.ffn_up.weight", {48, kWidth});
  input.add("rope_factors_short.weight", {4});
  input.add("rope_factors_long.weight", {4});
  return input;
}

FakeArchInput gpt2(const ArchOptions& options = {}) {
  FakeArchInput input(options);
  add_common(input);
  input.add("blk.0.ffn_up.weight", {24, kWidth});
  input.add("position_embd.weight", {kContext, kWidth});
  return input;
}

/// What building says; empty where it succeeds.
std::string trouble(const char* name, const FakeArchInput& input) {
  const Architecture* architecture = find_architecture(name);
  REQUIRE(architecture != nullptr);
  const auto built = architecture->build(input);
  return built ? "" : built.error().message();
}

void check_names(const std::string& got, const std::string& want) {
  CAPTURE(got);
  CHECK(got.find(want) != std::string::npos);
}

/// Rows [rows, 32] of which each differs from the others.
Tensor distinct_rows(std::int64_t rows) {
  std::vector<float> values(static_cast<std::size_t>(rows * 32));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = std::sin(static_cast<float>(i) * 0.37f);
  }
  return floats({rows, 32}, values);
}

Tensor encoded(const Tensor& plain, BlockFormat format) {
  auto out = Tensor::allocate(TensorType{DType::kF32, plain.shape(), Encoding::of(format)});
  REQUIRE(out);
  const std::int64_t row = plain.shape()[1];
  const std::int64_t bytes = static_cast<std::int64_t>(out->bytes().size()) / plain.shape()[0];
  for (std::int64_t r = 0; r < plain.shape()[0]; ++r) {
    encode_blocks(format, plain.data<float>() + r * row, row,
                  out->mutable_bytes().data() + r * bytes);
  }
  return out.take();
}

}  // namespace

TEST_CASE("a linear layer of some rows gives those outputs of the whole, plain and in blocks") {
  std::vector<float> bias = {1, 2, 3, 4, 5, 6};
  for (const bool blocks : {false, true}) {
    for (const bool with_bias : {false, true}) {
      CAPTURE(blocks);
      CAPTURE(with_bias);
      FakeArchInput input;
      const Tensor plain = distinct_rows(6);
      input.weights["all.weight"] = blocks ? encoded(plain, BlockFormat::kQ4_0) : plain;
      if (with_bias) input.weights["all.bias"] = floats({6}, bias);
      const Tensor x = distinct_rows(2);
      ArchBuilder b("test", input);
      const ValueId in = b.graph().add_input("x", x.type());
      b.graph().mark_output(b.linear("all", in, 32, 6), "all");
      b.graph().mark_output(b.linear_of_rows("some", "all", in, 32, {6, 1, 3}), "some");
      b.graph().mark_output(b.linear_of_rows("last", "all", in, 32, {6, 4, 2}), "last");
      auto graph = b.finish();
      REQUIRE_MESSAGE(graph, graph.error().message());
      const std::vector<Tensor> inputs = {x};
      auto got = evaluate_graph(*graph, inputs);
      REQUIRE_MESSAGE(got, got.error().message());
      const std::vector<float> all = to_floats(got->outputs[0]);
      const std::vector<float> some = to_floats(got->outputs[1]);
      const std::vector<float> last = to_floats(got->outputs[2]);
      REQUIRE(some.size() == 6);
      REQUIRE(last.size() == 4);
      for (std::size_t r = 0; r < 2; ++r) {
        for (std::size_t i = 0; i < 3; ++i) CHECK(some[r * 3 + i] == all[r * 6 + 1 + i]);
        for (std::size_t i = 0; i < 2; ++i) CHECK(last[r * 2 + i] == all[r * 6 + 4 + i]);
      }
    }
  }
}

TEST_CASE("phi3 and gpt2 build, and name each weight that is missing or of another shape") {
  for (const auto& [name, whole] : {std::pair{"phi3", phi3()}, std::pair{"gpt2", gpt2()}}) {
    CAPTURE(name);
    CHECK(trouble(name, whole) == "");
    for (const auto& [weight, tensor] : whole.weights) {
      CAPTURE(weight);
      FakeArchInput bad = whole;
      bad.weights[weight] = floats({3}, {1, 1, 1});
      check_names(trouble(name, bad), weight);
      if (weight.starts_with("rope_factors")) continue;
      bad.weights.erase(weight);
      check_names(trouble(name, bad), weight);
    }
  }
}

TEST_CASE("phi3 refuses divisors that are no positive numbers, used or not, and bad numbers") {
  for (const char* name : {"rope_factors_short.weight", "rope_factors_long.weight"}) {
    for (const float value : {0.0f, -1.0f, std::numeric_limits<float>::infinity(),
                              std::numeric_limits<float>::quiet_NaN()}) {
      FakeArchInput input = phi3();
      input.weights[name] = floats({4}, {1, 1, value, 1});
      check_names(trouble("phi3", input), name);
    }
  }
  for (const char* key : {"rope.scaling.original_context_length", "attention.sliding_window"}) {
    for (const std::int64_t value : {std::int64_t{-1}, std::int64_t{1} << 40}) {
      FakeArchInput input = phi3();
      input.hyperparameters[key] = value;
      check_names(trouble("phi3", input), key);
    }
  }
}

TEST_CASE("gpt2 has a context as long as its rows of positions, and refuses a longer one") {
  ArchOptions options;
  options.context_max = 20;
  CHECK(trouble("gpt2", gpt2(options)) == "");
  FakeArchInput input = gpt2();
  input.hyperparameters["context_length"] = kContext + 1;
  CHECK(trouble("gpt2", input) == "");
  options.context_max = kContext + 1;
  FakeArchInput longer = gpt2(options);
  longer.hyperparameters["context_length"] = kContext + 1;
  check_names(trouble("gpt2", longer), "position_embd.weight");
}

}  // namespace polaris::test
