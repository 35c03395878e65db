// The contract of a model that embeds texts: an encoder's, and that of a decoder built to embed.
#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "ir/model.h"
#include "support/fake_arch_input.h"

namespace polaris::test {
namespace {

constexpr std::int64_t kWidth = 16;
constexpr std::int64_t kContext = 24;

FakeArchInput encoder(bool positions, const ArchOptions& options = {}) {
  FakeArchInput input(options);
  for (const auto& [key, value] :
       std::map<std::string, std::int64_t>{{"block_count", 1},
                                           {"embedding_length", kWidth},
                                           {"feed_forward_length", 24},
                                           {"context_length", kContext},
                                           {"attention.head_count", 2}}) {
    input.hyperparameters[key] = value;
  }
  input.add("token_embd.weight", {5, kWidth});
  input.add("token_types.weight", {2, kWidth});
  if (positions) input.add("position_embd.weight", {kContext, kWidth});
  for (const std::string norm :
       {"token_embd_norm", "blk.0.attn_output_norm", "blk.0.layer_output_norm"}) {
    input.add(norm + ".weight", {kWidth});
    input.add(norm + ".bias", {kWidth});
  }
  for (const std::string part : {"attn_q", "attn_k", "attn_v", "attn_output"}) {
    input.add("blk.0." + part + ".weight", {kWidth, kWidth});
  }
  input.add("blk.0.ffn_up.weight", {24, kWidth});
  input.add("blk.0.ffn_down.weight", {kWidth, 24});
  if (!positions) input.add("blk.0.ffn_gate.weight", {24, kWidth});
  return input;
}

ArchModel built(const char* name, const FakeArchInput& input) {
  auto out = find_architecture(name)->build(input);
  REQUIRE_MESSAGE(out, out.error().message());
  return out.take();
}

std::string trouble(const char* name, const FakeArchInput& input) {
  const auto out = find_architecture(name)->build(input);
  return out ? "" : out.error().message();
}

void check_says(const std::string& got, std::string_view want) {
  CAPTURE(got);
  CHECK(got.find(want) != std::string::npos);
}

Model as_model(ArchModel arch) {
  Model out;
  out.embedder = arch.embedder;
  out.functions.emplace("main", std::move(arch.graph));
  return out;
}

/// The error of bert's model with its contract changed.
std::string changed(const std::function<void(EmbedderContract&)>& change) {
  Model model = as_model(built("bert", encoder(true)));
  change(*model.embedder);
  const Status status = check_embedder(model);
  CHECK(verify_model(model).ok() == status.ok());
  return status ? "" : status.error().message();
}

}  // namespace

TEST_CASE("bert and nomic-bert build, and name each weight that is missing or of another shape") {
  for (const auto& [name, whole] :
       {std::pair{"bert", encoder(true)}, std::pair{"nomic-bert", encoder(false)}}) {
    CAPTURE(name);
    const ArchModel model = built(name, whole);
    CHECK(model.embedder);
    CHECK(!model.decoder);
    CHECK(model.graph.states().empty());
    for (const auto& [weight, tensor] : whole.weights) {
      CAPTURE(weight);
      FakeArchInput bad = whole;
      bad.weights[weight] = floats({3}, {1, 1, 1});
      check_says(trouble(name, bad), weight);
      // Those that a file may do without.
      if (weight.ends_with(".bias") || weight == "token_types.weight") continue;
      bad.weights.erase(weight);
      check_says(trouble(name, bad), weight);
    }
  }
}

TEST_CASE("a model without types has no input of them") {
  FakeArchInput input = encoder(true);
  CHECK(built("bert", input).embedder->types);
  input.weights.erase("token_types.weight");
  CHECK(!built("bert", input).embedder->types);
}

TEST_CASE("pooling is the file's, and one that gives no embedding is refused") {
  FakeArchInput input = encoder(true);
  CHECK(built("bert", input).embedder->pooling == Pooling::kMean);
  const std::pair<std::int64_t, Pooling> rows[] = {
      {0, Pooling::kMean}, {1, Pooling::kMean}, {2, Pooling::kFirst}, {3, Pooling::kLast}};
  for (const auto& [type, pooling] : rows) {
    input.hyperparameters["pooling_type"] = type;
    CHECK(built("bert", input).embedder->pooling == pooling);
  }
  for (const std::int64_t type : {std::int64_t{4}, std::int64_t{-1}, std::int64_t{1} << 40}) {
    input.hyperparameters["pooling_type"] = type;
    check_says(trouble("bert", input), "pooling_type");
  }
}

TEST_CASE("an encoder's tokens see the whole text unless the file says otherwise") {
  FakeArchInput input = encoder(true);
  const EmbedderContract whole = *built("bert", input).embedder;
  CHECK(whole.last != whole.positions);
  input.hyperparameters["attention.causal"] = true;
  const EmbedderContract causal = *built("bert", input).embedder;
  CHECK(causal.last == causal.positions);
}

TEST_CASE("every input that the contract names is one of the function, int32 and of its rank") {
  using C = EmbedderContract;
  CHECK(changed([](C&) {}).empty());
  const auto other = [](std::size_t C::*part) {
    return changed([part](C& c) { c.*part = c.rows; });
  };
  check_says(other(&C::tokens), "input of tokens, got 'rows'");
  check_says(other(&C::positions), "input of positions, got 'rows'");
  check_says(other(&C::texts), "input of texts, got 'rows'");
  check_says(other(&C::last), "input of last positions, got 'rows'");
  check_says(changed([](C& c) { c.types = c.rows; }), "input of types, got 'rows'");
  check_says(changed([](C& c) { c.rows = c.tokens; }), "input of rows, got 'tokens'");
  check_says(changed([](C& c) { c.tokens = 99; }), "input of tokens, got 99");
  check_says(changed([](C& c) { c.hidden = 1; }), "output of hidden, got 1");
  check_says(changed([](C& c) { c.types.reset(); }), "input 'types' of 'main', got no part");
  Model model = as_model(built("bert", encoder(true)));
  model.functions.clear();
  check_says(check_embedder(model).error().message(), "function, got none");
  model.embedder.reset();
  CHECK(check_embedder(model));
}

TEST_CASE("a graph that keeps states embeds nothing") {
  FakeArchInput input = encoder(true);
  Model model = as_model(built("bert", input));
  model.find("main")->add_state("kept", {DType::kF32, {2}, {}}, nullptr, false);
  check_says(check_embedder(model).error().message(), "states, got 'kept'");
}

}  // namespace polaris::test
