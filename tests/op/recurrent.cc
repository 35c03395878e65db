#include "ir/op_attrs/recurrent.h"

#include <doctest/doctest.h>

#include "conformance/suite.h"

namespace polaris::test {
namespace {

constexpr DType kF = DType::kF32;

/// Operands of a recurrent op of that many gates: 4 steps, a batch of 3, 5 inputs and 2 hidden.
std::vector<Tensor> operands(std::int64_t gates, std::int64_t directions, DType dtype) {
  return {random(dtype, {4, 3, 5}),
          random(dtype, {directions, 2 * gates, 5}),
          random(dtype, {directions, 2 * gates, 2}),
          random(dtype, {directions, 4 * gates}),
          values(DType::kI32, {3}, {4, 0, 2}),
          random(dtype, {directions, 3, 2})};
}

template <class A>
void add_directions(Suite& s, std::int64_t gates, int outputs) {
  for (const char* direction : {"forward", "reverse", "bidirectional"}) {
    const std::int64_t directions = std::string_view(direction) == "bidirectional" ? 2 : 1;
    s.add(direction, operands(gates, directions, kF),
          attrs<A>([&](auto& a) { a.direction = direction; }), {outputs, 1, {}});
  }
  // Whole sequences of float32, of more rows than one task has.
  for (const char* direction : {"forward", "reverse", "bidirectional"}) {
    const std::int64_t n = std::string_view(direction) == "bidirectional" ? 2 : 1;
    const std::int64_t h = 37;
    std::vector<Tensor> whole = {random(kF, {6, 2, 19}, -0.5, 0.5),
                                 random(kF, {n, gates * h, 19}, -0.5, 0.5),
                                 random(kF, {n, gates * h, h}, -0.5, 0.5),
                                 random(kF, {n, 2 * gates * h}, -0.5, 0.5),
                                 absent(),
                                 random(kF, {n, 2, h}, -0.5, 0.5)};
    if (outputs == 3) whole.push_back(random(kF, {n, 2, h}, -0.5, 0.5));
    const auto set = attrs<A>([&](auto& a) { a.direction = direction; });
    s.add(std::string("whole ") + direction, whole, set, {outputs, 1, {1, 2}});
    whole[3] = absent();
    s.add(std::string("whole without biases ") + direction, whole, set, {outputs, 1, {1, 2}});
  }
  // Rows of gates that fill no panel, and more states than one register tile has.
  s.add("a batch",
        {random(kF, {3, 17, 9}, -0.5, 0.5), random(kF, {1, gates * 11, 9}, -0.5, 0.5),
         random(kF, {1, gates * 11, 11}, -0.5, 0.5), random(kF, {1, 2 * gates * 11}, -0.5, 0.5)},
        nullptr, {outputs, 1, {1, 2}});
  s.add("no steps",
        {random(kF, {0, 2, 3}), random(kF, {1, 2 * gates, 3}), random(kF, {1, 2 * gates, 2})},
        nullptr, {outputs, 1, {}});
  s.add("f64", operands(gates, 1, DType::kF64), nullptr, {outputs, 1, {}});
  std::vector<Tensor> least = operands(gates, 1, kF);
  least.resize(3);
  s.add("no biases, lengths or states", least, nullptr, {outputs, 1, {}});
  s.add("clipped", least, attrs<A>([](auto& a) { a.clip = 0.25f; }), {outputs, 1, {}});
}

template <class A>
void add_failures(Suite& s, std::int64_t gates) {
  const auto fails = [&](const char* name, auto set, const char* text) {
    s.fails(name, operands(gates, 1, kF), attrs<A>(set), text);
  };
  fails(
      "direction", [](auto& a) { a.direction = "sideways"; }, "direction, got 'sideways'");
  fails(
      "layout", [](auto& a) { a.layout = 2; }, "layout, got 2");
  fails(
      "clip", [](auto& a) { a.clip = -1; }, "clip");
  fails(
      "hidden size", [](auto& a) { a.hidden_size = 3; }, "hidden_size, got 3, wanted 2");
  fails(
      "activations", [](auto& a) { a.activations = std::vector<std::string>(7, "Tanh"); },
      "activations, got 7");
  std::vector<Tensor> wrong = operands(gates, 1, kF);
  wrong[1] = random(kF, {1, 2 * gates + 1, 5});
  s.fails("W", wrong, nullptr, "dim 1 of W");
  wrong = operands(gates, 1, kF);
  wrong[4] = values(DType::kI32, {3}, {5, 0, 0});
  s.fails("length", wrong, nullptr, "sequence_lens, got 5, wanted 0 to 4");
}

}  // namespace

TEST_CASE("RNN, GRU") {
  Suite rnn("RNN");
  add_directions<RnnAttrs>(rnn, 1, 2);
  for (const char* name : {"Relu", "Sigmoid", "Affine", "LeakyRelu", "ThresholdedRelu",
                           "ScaledTanh", "HardSigmoid", "Elu", "Softsign", "Softplus", "tanh"}) {
    rnn.add(name, operands(1, 1, kF), attrs<RnnAttrs>([&](auto& a) { a.activations = {name}; }));
  }
  add_failures<RnnAttrs>(rnn, 1);
  rnn.fails("activation", operands(1, 1, kF),
            attrs<RnnAttrs>([](auto& a) { a.activations = {"Cosine"}; }),
            "activation, got 'Cosine'");
  rnn.run();
  Suite gru("GRU");
  add_directions<GruAttrs>(gru, 3, 2);
  gru.add("linear before reset", operands(3, 1, kF),
          attrs<GruAttrs>([](auto& a) { a.linear_before_reset = true; }), {2, 1, {}});
  std::vector<Tensor> whole = {
      random(kF, {6, 2, 19}, -0.5, 0.5), random(kF, {1, 111, 19}, -0.5, 0.5),
      random(kF, {1, 111, 37}, -0.5, 0.5), random(kF, {1, 222}, -0.5, 0.5)};
  gru.add("whole, linear before reset", whole,
          attrs<GruAttrs>([](auto& a) { a.linear_before_reset = true; }), {2, 1, {1, 2}});
  add_failures<GruAttrs>(gru, 3);
  gru.run();
}

TEST_CASE("LSTM") {
  Suite s("LSTM");
  add_directions<LstmAttrs>(s, 4, 3);
  std::vector<Tensor> all = operands(4, 2, kF);
  all.push_back(random(kF, {2, 3, 2}));
  all.push_back(random(kF, {2, 6}));
  s.add("peepholes", all, attrs<LstmAttrs>([](auto& a) { a.direction = "bidirectional"; }),
        {3, 1, {}});
  s.add("coupled gates", operands(4, 1, kF),
        attrs<LstmAttrs>([](auto& a) { a.input_forget = true; }), {3, 1, {}});
  s.add("batch first",
        {random(kF, {3, 4, 5}), random(kF, {1, 8, 5}), random(kF, {1, 8, 2}), absent(), absent(),
         random(kF, {3, 1, 2})},
        attrs<LstmAttrs>([](auto& a) { a.layout = 1; }), {3, 1, {}});
  add_failures<LstmAttrs>(s, 4);
  all[7] = random(kF, {2, 5});
  s.fails("P", all, attrs<LstmAttrs>([](auto& a) { a.direction = "bidirectional"; }),
          "dim 1 of P, got 5, wanted 6");
  s.run();
}

}  // namespace polaris::test
