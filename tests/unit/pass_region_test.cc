// All passes over bodies that stand in a graph of each op of control flow: what is rewritten there
// answers as what was written, whatever is captured, carried, scanned or called.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "ir/evaluate_graph.h"
#include "ir/verifier.h"
#include "pass/runner.h"
#include "support/compare.h"
#include "support/text_model.h"

namespace polaris::test {
namespace {

/// What makes %r, float32[4, 4], of %v, float32[4, 4], and what a body may capture: %w, float32[4,
/// 4], and %b, float32[4].
std::vector<std::string> bodies() {
  return {
      "%r = Identity(%v)\n",
      "%m = MatMul(%v, %w)\n%r = Add(%m, %b)\n",
      "%t = Transpose(%v, perm = [1, 0])\n%u = Transpose(%t, perm = [1, 0])\n%r = Add(%u, %b)\n",
      "%a = Sigmoid(%v)\n%c = Mul(%v, %a)\n%d = Add(%c, %b)\n%r = Tanh(%d)\n",
      ("const %axes : int64[1] = [0]\n%s = Shape(%v)\n%e = Reshape(%v, %s)\n%f = Mul(%e, %b)\n"
       "%g = Mul(%e, %b)\n%r = Sub(%f, %g)\n"),
      ("const %q : int8[4, 4] = random 3\nconst %k : float32[] = 0.125\n"
       "%d = DequantizeLinear(%q, %k)\n%m = MatMul(%v, %d)\n%r = Relu(%m)\n"),
      "%x = Exp(%w)\n%y = Neg(%x)\n%r = Mul(%v, %y)\n"};
}

std::string inner(const std::string& own, const std::string& body, const std::string& outputs) {
  return " graph {\n" + own + "input %v : float32[4, 4]\ninput %w : float32[4, 4]\n" +
         "input %b : float32[4]\n" + body + outputs + "}\n";
}

/// The body in a graph of each op, %y made of it.
std::vector<std::string> forms(const std::string& body) {
  const std::string out = "output %r\n";
  const std::string other = inner("", "%r = Neg(%v)\n", out);
  const std::string go =
      "%total = ReduceSum(%v, keepdims = 0)\nconst %most : float32[] = 3\n"
      "%go = Less(%total, %most)\n";
  return {
      "%y = If(%flag, %x, %w, %b)" + inner("", body, out) + other,
      "%y = polaris.Case(%index, %x, %w, %b)" + inner("", body, out) + other,
      "%y = Loop(%three, _, %x, %w, %b, captures = 2)" +
          inner("input %i : int64[]\ninput %on : bool[]\n", body, "output %on\n" + out),
      "%y = polaris.While(%x, %w, %b, captures = 2)" + inner("", go, "output %go\n") +
          inner("",
                body + "%n = Neg(%r)\nconst %large : float32[] = 4\n%z = Sub(%n, %large)\n" +
                    "%wide = Sum(%z, %r, %large)\n%one = Add(%wide, %large)\n",
                "output %one\n"),
      "%stack = Concat(%x3, %x3, axis = 2)\n%y = Scan(%stack, %w, %b, num_scan_inputs = 1, "
      "scan_input_axes = [2], scan_output_axes = [1], scan_output_directions = [1], captures = 2)" +
          inner("", body, out),
      "%h = polaris.Call(%x, %w, %b)" + (" graph body" + inner("", body, out).substr(6)) +
          "%w2 = Add(%w, %w)\n%y = polaris.Call(%h, %w2, %b) graph body\n"};
}

}  // namespace

TEST_CASE("passes: bodies of every kind in a graph of every op of control flow") {
  // Constants go into bodies, inputs and computed values do not.
  const std::string sources[] = {
      "const %w : float32[4, 4] = random 1\nconst %b : float32[4] = random 2\n",
      "input %w : float32[4, 4]\nconst %b : float32[4] = random 2\n",
      "const %w0 : float32[4, 4] = random 1\n%w = Neg(%w0)\ninput %b0 : float32[4]\n"
      "%b = Neg(%b0)\n"};
  const std::string head =
      "graph {\ninput %x : float32[4, 4]\ninput %flag : bool[]\ninput %index : int32[]\n"
      "const %three : int64[] = 3\nconst %last : int64[1] = [2]\n%x3 = Unsqueeze(%x, %last)\n";
  Target target;
  target.fuses_chains = true;
  int seen = 0;
  for (const std::string& source : sources) {
    for (const std::string& body : bodies()) {
      for (const std::string& form : forms(body)) {
        const std::string text = head + source + form + "output %y\n}";
        CAPTURE(text);
        const Graph graph = graph_from_text(text);
        const auto verified = verify_graph(graph);
        REQUIRE_MESSAGE(verified, verified.error().message());
        Graph after = graph.clone();
        auto report = run_passes(after, target, OpSet::builtin(), {.disabled = {}, .verify = true});
        REQUIRE_MESSAGE(report, report.error().message());
        for (std::uint64_t seed = 0; seed < 3; ++seed) {
          const auto inputs = numbers_for_inputs(graph, seed);
          auto wanted = evaluate_graph(graph, inputs);
          auto got = evaluate_graph(after, inputs);
          REQUIRE_MESSAGE(wanted, wanted.error().message());
          REQUIRE_MESSAGE(got, got.error().message());
          CHECK(difference(got->outputs[0], wanted->outputs[0], 1.0, 1e-5) == "");
        }
        ++seen;
      }
    }
  }
  CHECK(seen == 3 * 7 * 6);
}

}  // namespace polaris::test
