// All passes over families of graphs in which one thing differs at a time: what is rewritten
// answers as what was written, and nothing is computed twice that was computed once.

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "ir/evaluate_graph.h"
#include "ir/op_attrs/chain.h"
#include "pass/runner.h"
#include "support/compare.h"
#include "support/text_model.h"
#include "tensor/element.h"

namespace polaris::test {
namespace {

Graph passed(const Graph& graph) {
  Graph out = graph.clone();
  Target all;
  all.fuses_chains = true;
  auto report = run_passes(out, all, OpSet::builtin(), {.disabled = {}, .verify = true});
  REQUIRE_MESSAGE(report, report.error().message());
  return out;
}

void check_with(const Graph& graph, const Graph& after, std::span<const Tensor> inputs) {
  auto wanted = evaluate_graph(graph, inputs);
  REQUIRE_MESSAGE(wanted, wanted.error().message());
  auto got = evaluate_graph(after, inputs);
  REQUIRE_MESSAGE(got, got.error().message());
  REQUIRE(got->outputs.size() == wanted->outputs.size());
  for (std::size_t o = 0; o < wanted->outputs.size(); ++o) {
    CAPTURE(o);
    CHECK(difference(got->outputs[o], wanted->outputs[o], 1.0, 1e-5) == "");
  }
}

void check(const std::string& lines) {
  CAPTURE(lines);
  const Graph graph = graph_from_text("graph {\n" + lines + "}");
  const Graph after = passed(graph);
  for (std::uint64_t seed = 0; seed < 2; ++seed) {
    check_with(graph, after, numbers_for_inputs(graph, seed));
  }
}

/// Elementwise steps, those of chains among them.
int steps_of(const Graph& graph) {
  int out = 0;
  for (NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    out += node.op->is("Chain", "polaris")
               ? static_cast<int>(node.attrs_as<ChainAttrs>().ops.size())
               : 1;
  }
  return out;
}

}  // namespace

TEST_CASE("passes: Gemm of every attribute, weight and third input") {
  const std::string weights[] = {
      "const %w : float32[4, 4] = random 1\n",
      "const %q : int8[4, 4] = random 1\nconst %s : float32[] = 0.5\n"
      "%w = DequantizeLinear(%q, %s)\n",
      "const %q : int8[4, 4] = random 1\nconst %s : float32[4] = random 2\n"
      "const %z : int8[4] = random 3\n%w = DequantizeLinear(%q, %s, %z, axis = 0)\n",
      "const %q : uint8[4, 4] = random 1\nconst %s : float32[4] = random 2\n"
      "%w = DequantizeLinear(%q, %s, axis = 1)\n"};
  // Four rows as well as four columns: a bias by row fits as one by column does.
  const std::string thirds[] = {"",
                                "const %c : float32[4] = random 4\n",
                                "const %c : float32[1, 4] = random 4\n",
                                "const %c : float32[4, 1] = random 4\n",
                                "const %c : float32[4, 4] = random 4\n",
                                "const %c : float32[] = 3\n",
                                "const %c : float32[1, 1] = random 4\n",
                                "input %c : float32[4]\n"};
  for (const std::string& weight : weights) {
    for (const std::string& third : thirds) {
      for (int bits = 0; bits < 16; ++bits) {
        const auto flag = [&](int bit, const char* text) {
          return (bits >> bit & 1) != 0 ? std::string(text) : std::string();
        };
        check("input %x : float32[4, 4]\n" + weight + third + "%y = Gemm(%x, %w" +
              (third.empty() ? "" : ", %c") + flag(0, ", alpha = 0.5") + flag(1, ", beta = 2.0") +
              flag(2, ", transA = 1") + flag(3, ", transB = 1") + ")\noutput %y\n");
      }
    }
  }
}

TEST_CASE("passes: a product and a sum with constants of every shape that broadcasts") {
  const std::string shapes[] = {"[]",     "[1]",    "[4]",       "[1, 4]",    "[4, 1]",
                                "[4, 4]", "[1, 1]", "[3, 4, 4]", "[3, 1, 1]", "[1, 4, 1]"};
  for (const std::string x : {"[4, 4]", "[3, 4, 4]"}) {
    for (const std::string& shape : shapes) {
      for (const bool first : {false, true}) {
        check("input %x : float32" + x +
              "\nconst %w : float32[4, 4] = random 1\nconst %b : float32" + shape +
              " = random 2\n%p = MatMul(%x, %w)\n%y = Add(" + (first ? "%b, %p" : "%p, %b") +
              ")\noutput %y\n");
      }
    }
  }
}

TEST_CASE("passes: a Conv and its normalization, whatever bias and readers the Conv has") {
  const std::string biases[] = {"", "const %b : float32[3] = random 2\n", "input %b : float32[3]\n",
                                "input %i : float32[3]\n%b = Neg(%i)\n",
                                "const %d : float32[3] = random 2\n%b = Neg(%d)\n"};
  const std::string parts[] = {"const %scale : float32[3] = random 3\n",
                               "input %scale : float32[3]\n"};
  const std::string others[] = {"", "output %c\n", "%o = Relu(%c)\noutput %o\n"};
  for (const std::string& bias : biases) {
    for (const std::string& part : parts) {
      for (const std::string& other : others) {
        check("input %x : float32[2, 2, 4, 3]\nconst %w : float32[3, 2, 1, 1] = random 1\n" + bias +
              part +
              "const %shift : float32[3] = random 4\nconst %mean : float32[3] = random 5\n"
              "const %var : float32[3] = [0.5, 1.5, 2.5]\n%c = Conv(%x, %w" +
              (bias.empty() ? "" : ", %b") +
              ")\n%y = BatchNormalization(%c, %scale, %shift, %mean, %var)\noutput %y\n" + other);
      }
    }
  }
}

TEST_CASE("passes: clamps before quantizing, with bounds on either side of what the type holds") {
  const std::string bounds[] = {"", "-1000", "-64", "-3", "0", "2", "6", "63.5", "127.5", "1000"};
  // What is quantized: numbers that were so before, and products of such, each exact.
  const std::string sources[] = {
      "%f = DequantizeLinear(%x, %s, %z)\n",
      "const %w : int8[8, 8] = random 1\n%a = DequantizeLinear(%x, %s, %z)\n"
      "%b = DequantizeLinear(%w, %s)\n%f = MatMul(%a, %b)\n"};
  for (const std::string dtype : {"int8", "uint8"}) {
    for (const std::string zero : {"0", "100"}) {
      const std::string head = "input %x : " + dtype +
                               "[5, 8]\nconst %s : float32[] = 0.5\nconst %z : " + dtype +
                               "[] = " + zero + "\n";
      const std::string tail =
          "%q = QuantizeLinear(%c, %s, %z)\n%y = Cast(%q, to = int32)\noutput %y\n";
      for (const std::string& source : sources) {
        check(head + source + "%c = Relu(%f)\n" + tail);
        for (const std::string& low : bounds) {
          for (const std::string& high : bounds) {
            std::string lines = head + source;
            if (!low.empty()) lines += "const %l : float32[] = " + low + "\n";
            if (!high.empty()) lines += "const %h : float32[] = " + high + "\n";
            std::string call = "Clip(%f";
            if (!low.empty() || !high.empty()) call += low.empty() ? ", _" : ", %l";
            if (!high.empty()) call += ", %h";
            check(lines + "%c = " + call + ")\n" + tail);
          }
        }
      }
    }
  }
}

TEST_CASE("passes: captures that are read, handed out, both or neither") {
  const std::string sources[] = {"const %v : float32[3] = random 1\n", "input %v : float32[3]\n",
                                 "input %i : float32[3]\n%v = Neg(%i)\n"};
  const std::string branches[] = {
      "input %p : float32[3]\ninput %q : float32[3]\n%r = Neg(%q)\noutput %r\n",
      "input %p : float32[3]\ninput %q : float32[3]\noutput %p\n",
      "input %p : float32[3]\ninput %q : float32[3]\noutput %q\n",
      "input %p : float32[3]\ninput %q : float32[3]\n%r = Sub(%q, %p)\noutput %r\n"};
  for (const std::string& source : sources) {
    for (const std::string& one : branches) {
      for (const std::string& two : branches) {
        check("input %c : bool[]\ninput %x : float32[3]\n" + source +
              "%y = If(%c, %v, %x) graph {\n" + one + "} graph {\n" + two + "}\noutput %y\n");
      }
    }
    for (const std::string scan : {"%k", "%v2", "%n", "%unread"}) {
      check("input %x : float32[3]\n" + source + R"(
        const %m : int64[] = 3
        const %other : float32[3] = random 7
        %last, %all = Loop(%m, _, %x, %v, %other, captures = 2) graph {
          input %it : int64[]
          input %go : bool[]
          input %k : float32[3]
          input %v2 : float32[3]
          input %unread : float32[3]
          %n = Add(%k, %v2)
          output %go
          output %n
          output )" +
            scan + "\n}\noutput %last\noutput %all\n");
    }
  }
}

TEST_CASE("passes: random elementwise graphs compute nothing twice that was computed once") {
  const std::string unary[] = {"Neg", "Abs", "Tanh", "Relu"};
  const std::string binary[] = {"Add", "Sub", "Mul"};
  std::mt19937 random(9);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  int fused = 0;
  for (int round = 0; round < 200; ++round) {
    std::string lines = "input %v0 : float32[4]\ninput %v1 : float32[4]\n";
    std::vector<bool> read(2, true);
    const std::size_t count = 3 + below(20);
    for (std::size_t n = 2; n < count + 2; ++n) {
      const auto any = [&] {
        const std::size_t i = below(3) == 0 ? below(n) : n - 1 - below(std::min<std::size_t>(n, 3));
        read[i] = true;
        return "%v" + std::to_string(i);
      };
      lines += "%v" + std::to_string(n) + " = ";
      if (below(2) == 0) {
        lines += unary[below(4)] + "(" + any() + ")\n";
      } else {
        const std::string a = any();
        lines += binary[below(3)] + "(" + a + ", " + any() + ")\n";
      }
      read.push_back(false);
    }
    for (std::size_t n = 2; n < read.size(); ++n) {
      if (!read[n] || below(6) == 0) lines += "output %v" + std::to_string(n) + "\n";
    }
    CAPTURE(lines);
    check(lines);
    const Graph graph = graph_from_text("graph {\n" + lines + "}");
    const Graph after = passed(graph);
    CHECK(steps_of(after) <= steps_of(graph));
    fused += after.order().size() < graph.order().size() ? 1 : 0;
  }
  CHECK(fused > 100);
}

TEST_CASE("passes: slices from and to anywhere, beyond either end too, as data say") {
  for (const std::string dtype : {"int64", "int32"}) {
    for (const std::string step : {"1", "2", "3"}) {
      const Graph graph =
          graph_from_text("graph {\ninput %x : float32[5, 2]\ninput %from : " + dtype +
                          "[1]\ninput %to : " + dtype + "[1]\nconst %axis : " + dtype +
                          "[1] = [0]\nconst %step : " + dtype + "[1] = [" + step +
                          "]\n%y = Slice(%x, %from, %to, %axis, %step)\noutput %y\n}");
      const Graph after = passed(graph);
      std::vector<Tensor> inputs = numbers_for_inputs(graph);
      for (int from = -8; from <= 8; ++from) {
        for (int to = -8; to <= 8; ++to) {
          CAPTURE(from);
          CAPTURE(to);
          CAPTURE(step);
          store_i64(inputs[1].dtype(), inputs[1].mutable_bytes().data(), 0, from);
          store_i64(inputs[2].dtype(), inputs[2].mutable_bytes().data(), 0, to);
          check_with(graph, after, inputs);
        }
      }
    }
  }
}

}  // namespace polaris::test
