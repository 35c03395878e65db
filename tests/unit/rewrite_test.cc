#include "pass/rewrite.h"

#include <doctest/doctest.h>

#include <string>

#include "ir/op_set.h"
#include "ir/text/text.h"
#include "ir/verifier.h"

namespace polaris {
namespace {

/// The graph after the rewrite, printed without types; or the error.
std::string rewritten(std::string_view pass, std::string_view body) {
  const OpSet ops = OpSet::builtin();
  auto graph = parse_graph("graph {\n" + std::string(body) + "}", ops);
  REQUIRE_MESSAGE(graph.ok(), graph.error().message());
  auto rewrite = parse_rewrite("test", pass, ops);
  if (!rewrite) return rewrite.error().message();
  const Rewrite list[] = {*rewrite};
  auto report = run_rewrites(*graph, list, ops, {.disabled = {}, .verify = true});
  if (!report) return report.error().message();
  std::string out = print_graph(*graph, {.types = false});
  return out.substr(8, out.size() - 10);  // without "graph {\n" and "}\n"
}

std::string normal(std::string_view body) {
  return rewritten("pattern { %y = Abs(%x) } => { update %y = %x }", body);
}

constexpr std::string_view kSwish = R"(
pattern {
  %s = Sigmoid(%x)
  %y = Mul(%x, %s)
} => {
  %y = Swish(%x)
})";

TEST_CASE("a pattern matches whichever way a commutative op is written") {
  for (std::string_view mul : {"Mul(%s, %a)", "Mul(%a, %s)"}) {
    const std::string body =
        "input %a : float32[2]\n%s = Sigmoid(%a)\n%r = " + std::string(mul) + "\noutput %r\n";
    CHECK(rewritten(kSwish, body) ==
          "  input %a : float32[2]\n  %r = Swish(%a) as r.y\n  output %r\n");
  }
}

TEST_CASE("a value inside the match that others read keeps its nodes") {
  const std::string body =
      "input %a : float32[2]\n%s = Sigmoid(%a)\n%r = Mul(%a, %s)\noutput %r\noutput %s\n";
  CHECK(rewritten(kSwish, body) == normal(body));
  const std::string other =
      "input %a : float32[2]\ninput %b : float32[2]\n%s = Sigmoid(%b)\n%r = Mul(%a, %s)\n"
      "output %r\n";
  CHECK(rewritten(kSwish, other) == normal(other));
}

TEST_CASE("attributes: a variable that stands twice takes equal values only, of every kind") {
  struct Kind {
    std::string op;
    std::string attr;
    std::string values[2];
  };
  const Kind kinds[] = {{"LeakyRelu", "alpha", {"0.5", "0.25"}},
                        {"Softmax", "axis", {"0", "1"}},
                        {"Transpose", "perm", {"[1, 0]", "[0, 1]"}},
                        {"Cast", "to", {"float32", "float16"}},
                        {"Gelu", "approximate", {"\"none\"", "\"tanh\""}}};
  for (const Kind& kind : kinds) {
    CAPTURE(kind.op);
    const auto node = [&](const std::string& x, const std::string& value) {
      return kind.op + "(" + x + ", " + kind.attr + " = " + value + ")\n";
    };
    const std::string pass = "pattern {\n%a = " + node("%x", "$v") + "%y = " + node("%a", "$v") +
                             "} => {\n%y = " + node("%x", "$v") + "}";
    for (const std::string& first : kind.values) {
      for (const std::string& second : kind.values) {
        const std::string body = "input %i : float32[2, 2]\n%s = " + node("%i", first) +
                                 "%r = " + node("%s", second) + "output %r\n";
        CAPTURE(body);
        const std::string out = rewritten(pass, body);
        if (first == second) {
          CHECK(out.find("%s") == std::string::npos);
        } else {
          CHECK(out == normal(body));
        }
      }
    }
  }
}

TEST_CASE("attributes: written ones and defaults must be equal, variables are carried over") {
  constexpr std::string_view kPass = R"(
pattern {
  %a = LeakyRelu(%x, alpha = $slope)
  %y = Neg(%a)
} => {
  %n = Neg(%x)
  %y = LeakyRelu(%n, alpha = $slope)
})";
  CHECK(rewritten(kPass,
                  "input %a : float32[2]\n%l = LeakyRelu(%a, alpha = 0.5)\n%r = Neg(%l)\n"
                  "output %r\n") ==
        "  input %a : float32[2]\n  %r.n = Neg(%a)\n"
        "  %r = LeakyRelu(%r.n, alpha = 0.5) as r.y\n  output %r\n");
  constexpr std::string_view kDefault = "pattern { %y = LeakyRelu(%x) } => { %y = Relu(%x) }";
  const std::string other = "input %a : float32[2]\n%r = LeakyRelu(%a, alpha = 0.5)\noutput %r\n";
  CHECK(rewritten(kDefault, other) == normal(other));
}

TEST_CASE("numbers, constants, types and absent inputs") {
  constexpr std::string_view kPass = R"(
pattern {
  input %x : float32[?, 2]
  const %w
  %a = Add(%x, 1)
  %y = Mul(%a, %w)
} => {
  %m = Mul(%x, %w)
  %y = Add(%m, %w)
})";
  const std::string yes =
      "input %a : float32[3, 2]\nconst %one : float32[2] = [1, 1]\nconst %k : float32[] = 5\n"
      "%s = Add(%one, %a)\n%r = Mul(%s, %k)\noutput %r\n";
  CHECK(rewritten(kPass, yes).find("%r.m = Mul(%a, %k)") != std::string::npos);
  const std::string two =
      "input %a : float32[3, 2]\nconst %one : float32[2] = [1, 2]\nconst %k : float32[] = 5\n"
      "%s = Add(%one, %a)\n%r = Mul(%s, %k)\noutput %r\n";
  CHECK(rewritten(kPass, two) == normal(two));
  const std::string three =
      "input %a : float32[3, 3]\nconst %one : float32[] = 1\nconst %k : float32[] = 5\n"
      "%s = Add(%one, %a)\n%r = Mul(%s, %k)\noutput %r\n";
  CHECK(rewritten(kPass, three) == normal(three));
  constexpr std::string_view kNumber = "pattern { %y = Neg(%x) } => { %y = Mul(%x, -1) }";
  CHECK(
      rewritten(kNumber, "input %a : int64[2]\n%r = Neg(%a)\noutput %r\n").find(": int64[] = -1") !=
      std::string::npos);
}

TEST_CASE("what would not type-check is left alone") {
  constexpr std::string_view kPass = "pattern { %y = Neg(%x) } => { %y = Sqrt(%x) }";
  const std::string body = "input %a : int64[2]\n%r = Neg(%a)\noutput %r\n";
  CHECK(rewritten(kPass, body) == normal(body));
  constexpr std::string_view kOther = "pattern { %y = Neg(%x) } => { %y = Greater(%x, 0) }";
  const std::string floats = "input %a : float32[2]\n%r = Neg(%a)\noutput %r\n";
  CHECK(rewritten(kOther, floats) == normal(floats));
}

TEST_CASE("rules that never stop are stopped") {
  CHECK(rewritten("pattern { %y = Neg(%x) } => { %a = Neg(%x)\n%b = Neg(%a)\n%y = Neg(%b) }",
                  "input %a : float32[2]\n%r = Neg(%a)\noutput %r\n")
            .find("does not come to an end") != std::string::npos);
}

TEST_CASE("subgraphs are rewritten too") {
  const std::string body =
      "input %c : bool[]\ninput %a : float32[2]\n%r = If(%c, %a) graph {\ninput %p : float32[2]\n"
      "%q = Abs(%p)\n%t = Abs(%q)\noutput %t\n} graph {\ninput %p : float32[2]\n%q = Neg(%p)\n"
      "output %q\n}\noutput %r\n";
  const std::string out =
      rewritten("pattern { %a = Abs(%x)\n%y = Abs(%a) } => { %y = Abs(%x) }", body);
  CHECK(out.find("%t = Abs(%p)") != std::string::npos);
}

TEST_CASE("malformed rewrites are refused at their place") {
  const auto message = [](std::string_view text) {
    auto rewrite = parse_rewrite("p", text, OpSet::builtin());
    return rewrite.ok() ? std::string("parsed") : rewrite.error().message();
  };
  CHECK(message("") == "[pass p]: [text] 1:1: got the end, wanted 'pattern'");
  CHECK(message("pattern { %y = Nope(%x) } => { %y = Neg(%x) }") ==
        "[pass p]: [text] 1:16: no operator Nope");
  CHECK(message("pattern { %y = Neg(%x) } => { %z = Neg(%x) }")
            .find("gives none of the pattern's values") != std::string::npos);
  CHECK(message("pattern { %y = Neg(%x) } => { %y = Neg(%z) }").find("%z is not known here") !=
        std::string::npos);
  CHECK(message("pattern { %y = Neg(%x) } => { %y = LeakyRelu(%x, alpha = $a) }")
            .find("$a is not in the pattern") != std::string::npos);
  CHECK(message("pattern { %a = Abs(%x)\n%y = Neg(%x) } => { %y = Neg(%x) }")
            .find("does not lead to the pattern's last one") != std::string::npos);
  CHECK(message("pattern { %a = Abs(%x)\n%y = Neg(%a) } => { %a = Neg(%x)\n%y = Abs(%a) }")
            .find("%a is not made by the pattern's last node") != std::string::npos);
  CHECK(message("pattern { %y = Neg(%x, axis = 1) } => { %y = Abs(%x) }")
            .find("no attribute 'axis'") != std::string::npos);
  CHECK(message("pattern { } => { }").find("a pattern needs a node") != std::string::npos);
  CHECK(message("pattern { %y = Neg(%x) } => { %y = Abs(%x) } extra").find("wanted 'pattern'") !=
        std::string::npos);
}

}  // namespace
}  // namespace polaris
