#include "ir/text/text.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <span>

#include "ir/op_attrs/control.h"
#include "ir/op_attrs/elementwise.h"
#include "ir/op_set.h"
#include "tensor/block_format.h"

namespace polaris {
namespace {

constexpr std::string_view kEverything = R"(graph main {
  symbol T bucketed 512
  symbol "odd name" bounded 64
  symbol P
  input %x : float32[T, 4]
  input %"in put" : int64["odd name", ?]
  input %cond : bool[]
  state %kv : float32[P, 16, 32]:q8_0 paged
  state %h : float32[4] = [0.1, -0, inf, 1e-30] named "carry"
  const %w : float32[2, 4] = [1, 2.5, -3, 4, 5, 6, 7, 1e+10] weight "layer.0/weight"
  const %two : float32[] = 2
  const %zeros : float16[3, 4] = 0
  const %flags : bool[2] = [true, false]
  const %big : uint64[1] = [18446744073709551615]
  %y = polaris.Linear(%x, %w) : float32[T, 2] as "the linear"
  %z = LeakyRelu(%y, alpha = 0.25) : float32[T, 2]
  %c = Cast(%z, to = float16) : float16[T, 2]
  %r = If(%cond, %z, %two) : float32[?, 2] graph then {
    input %a : float32[T, 2]
    input %b : float32[]
    %s = Add(%a, %b) : float32[T, 2]
    output %s
  } graph else {
    input %a : float32[T, 2]
    input %b : float32[]
    const %k : float32[1, 2] = [3, 4]
    %s = Mul(%k, %b) : float32[1, 2]
    output %s
  }
  %next = Neg(%h) : float32[4]
  output %r "result"
  output %c
  output %zeros
  output %flags
  output %big
  update %h = %next
}
)";

TEST_CASE("every kind of statement round-trips") {
  const OpSet ops = OpSet::builtin();
  auto graph = parse_graph(kEverything, ops);
  REQUIRE_MESSAGE(graph.ok(), graph.error().message());
  CHECK(print_graph(*graph) == kEverything);
  CHECK(graph->symbols()[0].kind == Symbol::Kind::kBucketed);
  CHECK(graph->states()[1].state->name == "carry");
  CHECK(graph->node(graph->order()[0]).name == "the linear");
  CHECK(graph->node(graph->order()[1]).attrs_as<LeakyReluAttrs>().alpha == 0.25f);
  CHECK(print_graph(graph->clone()) == kEverything);
}

TEST_CASE("types that are not written are inferred, wrong ones refused") {
  const OpSet ops = OpSet::builtin();
  auto graph = parse_graph("graph { input %x: float32[2, 3]\n %y = Neg(%x) output %y }", ops);
  REQUIRE_MESSAGE(graph.ok(), graph.error().message());
  CHECK(graph->value(graph->outputs()[0]).type.shape == Shape{2, 3});
  auto wrong =
      parse_graph("graph { input %x : float32[2]\n%y = Neg(%x) : float32[3]\noutput %y }", ops);
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().message() ==
        "[text] 2:16: type float32[3], but the operator gives float32[2]");
}

TEST_CASE("large constants: elided, resolved, or base64") {
  const OpSet ops = OpSet::builtin();
  Graph g;
  std::vector<float> data(100);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<float>(i) * 0.37f;
  const ValueId w = g.add_constant("w", *Tensor::from<float>(DType::kF32, {10, 10}, data));
  g.mark_output(w, "w");
  const std::string elided = print_graph(g);
  CHECK(elided.find("elided") != std::string::npos);
  auto refused = parse_graph(elided, ops);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message().find("elided") != std::string::npos);

  ParseOptions resolving;
  resolving.resolve = [&](std::string_view name, const TensorType&) {
    return name == "w" ? g.value(w).constant : nullptr;
  };
  auto resolved = parse_graph(elided, ops, resolving);
  REQUIRE_MESSAGE(resolved.ok(), resolved.error().message());
  CHECK(resolved->value(resolved->outputs()[0]).constant == g.value(w).constant);

  const std::string full = print_graph(g, {.constants = PrintOptions::Constants::kFull});
  auto back = parse_graph(full, ops);
  REQUIRE_MESSAGE(back.ok(), back.error().message());
  const Tensor& read = back->value(back->outputs()[0]).constant->data;
  CHECK(std::ranges::equal(read.bytes(), std::as_bytes(std::span(data))));
}

TEST_CASE("encoded constants keep their bytes") {
  const OpSet ops = OpSet::builtin();
  Graph g;
  std::vector<float> data(64);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<float>(i) - 20;
  Tensor blocks = *Tensor::allocate({DType::kF32, {2, 32}, Encoding::of(BlockFormat::kQ4_0)});
  encode_blocks(BlockFormat::kQ4_0, data.data(), 64, blocks.mutable_bytes().data());
  const ValueId x = g.add_input("x", {DType::kF32, {3, 32}, {}});
  const ValueId w = g.add_constant("w", blocks);
  const NodeId y = g.add_node(ops.find("Linear", "polaris"), nullptr, {x, w}, 1, "y");
  REQUIRE(infer_node(g, y));
  g.mark_output(g.node(y).outputs[0], "y");
  const std::string text = print_graph(g);
  CHECK(text.find("float32[2, 32]:q4_0 = base64") != std::string::npos);
  auto back = parse_graph(text, ops);
  REQUIRE_MESSAGE(back.ok(), back.error().message());
  CHECK(print_graph(*back) == text);

  constexpr std::string_view kAffine = R"(graph {
  input %x : float32[1, 2]
  const %w : float32[2, 2]:affine(int8) = [1, -2, 3, -128] scale float32[] 0.5 zero_point int8[] 1
  %y = polaris.Linear(%x, %w) : float32[1, 2]
  output %y
}
)";
  auto affine = parse_graph(kAffine, ops);
  REQUIRE_MESSAGE(affine.ok(), affine.error().message());
  CHECK(print_graph(*affine) == kAffine);
}

TEST_CASE("names that clash or are no identifiers survive") {
  const OpSet ops = OpSet::builtin();
  Graph g;
  const ValueId x = g.add_input("a b\n\"%", {DType::kF32, {}, {}});
  const NodeId n = g.add_node(ops.find("Neg"), nullptr, {x}, 1, "same");
  const NodeId m = g.add_node(ops.find("Abs"), nullptr, {g.node(n).outputs[0]}, 1, "same");
  g.mark_output(g.node(m).outputs[0], "out");
  REQUIRE(infer_graph(g));
  const std::string text = print_graph(g);
  auto back = parse_graph(text, ops);
  REQUIRE_MESSAGE(back.ok(), back.error().message());
  CHECK(print_graph(*back) == text);
  CHECK(back->value(back->inputs()[0]).name == "a b\n\"%");
  CHECK(back->node(back->order()[1]).name == "same");
}

TEST_CASE("malformed text is refused at its place") {
  const OpSet ops = OpSet::builtin();
  const auto message = [&](std::string_view text) {
    auto graph = parse_graph(text, ops);
    return graph.ok() ? std::string("parsed") : graph.error().message();
  };
  CHECK(message("") == "[text] 1:1: got the end, wanted 'graph'");
  CHECK(message("graph {") == "[text] 1:8: got the end, wanted an operator or a statement");
  CHECK(message("graph { } }") == "[text] 1:11: got '}', wanted the end of the text");
  CHECK(message("graph {\n  output %x\n}") == "[text] 2:10: %x is not defined before this");
  CHECK(message("graph { %y = Nope() }") == "[text] 1:14: no operator Nope");
  CHECK(message("graph { input %x : float33[] }") ==
        "[text] 1:20: got 'float33', wanted a type such as float32[2, 3]");
  CHECK(message("graph { input %x : float32[N] }") == "[text] 1:20: symbol 'N' is not declared");
  CHECK(message("graph { const %x : int8[2] = [1, 300] }") ==
        "[text] 1:34: got '300', wanted a number that fits int8");
  CHECK(message("graph { const %x : int8[2] = [1, 3, 4] }") == "[text] 1:37: wanted 2 elements");
  CHECK(message("graph { const %x : float32[1000000, 1000000] = 0 }").find("too large") !=
        std::string::npos);
  CHECK(message("graph { const %x : float32[4611686018427387904, 8] = 0 }").find("too large") !=
        std::string::npos);
  CHECK(message("graph { input %x : float32[]\n%y = Neg(%x, alpha = 1) }") ==
        "[text] 2:14: the operator has no attribute 'alpha'");
  CHECK(message("graph { input %x : float32[]\n%y = LeakyRelu(%x, alpha = \"a\") }") ==
        "[text] 2:20: attribute 'alpha', wanted a number");
  CHECK(message("graph { input %x : float32[]\n%y = LeakyRelu(%x, alpha = $a) }") ==
        "[text] 2:20: attribute 'alpha', wanted a number");
  CHECK(message("graph { \x01 }") == "[text] 1:9: a character that starts nothing here");
  CHECK(message("graph { \"abc }") == "[text] 1:9: string without an end");
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "graph { If() ";
  CHECK(message(deep).find("nested deeper than 16") != std::string::npos);
}

TEST_CASE("cut and flipped text never crashes") {
  const OpSet ops = OpSet::builtin();
  for (std::size_t n = 0; n + 2 < kEverything.size(); n += 3) {
    CHECK_FALSE(parse_graph(kEverything.substr(0, n), ops).ok());
  }
  std::string text(kEverything);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char kept = text[i];
    for (char c : {'%', '9', '"', ']', '?'}) {
      text[i] = c;
      auto graph = parse_graph(text, ops);
      if (graph) print_graph(*graph);
    }
    text[i] = kept;
  }
}

}  // namespace
}  // namespace polaris
