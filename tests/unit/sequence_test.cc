// Sequences and optionals: their ops, through control flow, and what they refuse.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "ir/text/text.h"
#include "ir/verifier.h"
#include "support/text_model.h"
#include "support/value_case.h"
#include "tensor/values.h"

namespace polaris::test {
namespace {

constexpr std::string_view kEdits = R"(graph {
  input %s : seq(float32[?])
  input %x : float32[2]
  input %at : int64[]
  %inserted = SequenceInsert(%s, %x, %at)
  %appended = SequenceInsert(%s, %x)
  %erased = SequenceErase(%s, %at)
  %shorter = SequenceErase(%s)
  %one = SequenceAt(%s, %at)
  %twice = Add(%one, %one)
  %n = SequenceLength(%inserted)
  %same = Identity(%appended)
  output %inserted
  output %same
  output %erased
  output %shorter
  output %twice
  output %n
})";

TEST_CASE("sequences: insert, erase, at and length, from the front and from the back") {
  check_values(
      kEdits, {"[[1],[2,3],[4]]", "[8,9]", "1"},
      {"[[1],[8,9],[2,3],[4]]", "[[1],[2,3],[4],[8,9]]", "[[1],[4]]", "[[1],[2,3]]", "[4,6]", "4"});
  check_values(
      kEdits, {"[[1],[2,3],[4]]", "[8,9]", "-3"},
      {"[[8,9],[1],[2,3],[4]]", "[[1],[2,3],[4],[8,9]]", "[[2,3],[4]]", "[[1],[2,3]]", "[2]", "4"});
}

TEST_CASE("sequences: a position that is not there is refused by name") {
  for (const std::string at : {"3", "-4", "9223372036854775807", "-9223372036854775808"}) {
    const std::string op = at == "3" ? "SequenceErase" : "SequenceInsert";
    check_values_fail(kEdits, {"[[1],[2,3],[4]]", "[8,9]", at}, "[" + op + "] node ");
    check_values_fail(kEdits, {"[[1],[2,3],[4]]", "[8,9]", at}, "position, got " + at);
  }
  check_values_fail("graph {\ninput %s : seq(int64[?])\n%e = SequenceErase(%s)\noutput %e\n}",
                    {"[]"}, "is empty");
}

TEST_CASE("sequences: made, empty, split and joined") {
  check_values(R"(graph {
    input %x : float32[2, 3]
    input %two : int64[]
    input %sizes : int64[2]
    %made = SequenceConstruct(%x, %x)
    %none = SequenceEmpty(dtype = int32)
    %rows = SplitToSequence(%x, keepdims = 0)
    %columns = SplitToSequence(%x, axis = -1)
    %pairs = SplitToSequence(%x, %two, axis = 1)
    %sized = SplitToSequence(%x, %sizes, axis = 1)
    %back = ConcatFromSequence(%sized, axis = 1)
    %stacked = ConcatFromSequence(%rows, axis = 1, new_axis = 1)
    %sum = Add(%back, %x)
    output %made
    output %none
    output %rows
    output %columns
    output %pairs
    output %sized
    output %stacked
    output %sum
  })",
               {"[[1,2,3],[4,5,6]]", "2", "[3,0]"},
               {"[[[1,2,3],[4,5,6]],[[1,2,3],[4,5,6]]]", "[]", "[[1,2,3],[4,5,6]]",
                "[[[1],[4]],[[2],[5]],[[3],[6]]]", "[[[1,2],[4,5]],[[3],[6]]]",
                "[[[1,2,3],[4,5,6]],[[],[]]]", "[[1,4],[2,5],[3,6]]", "[[2,4,6],[8,10,12]]"});
}

TEST_CASE("sequences: what does not fit is refused") {
  const auto refused = [](std::string_view body, std::string_view message) {
    const std::string text =
        "graph {\ninput %x : float32[2, 3]\ninput %i : int64[2]\n" + std::string(body) + "\n}";
    const auto graph = parse_graph(text, OpSet::builtin());
    REQUIRE_FALSE_MESSAGE(graph.ok(), text);
    CHECK_MESSAGE(graph.error().message().find(message) != std::string::npos,
                  graph.error().message());
  };
  refused("%s = SequenceConstruct(%x, %i)\noutput %s", "wanted that of input 0");
  refused("%s = SequenceConstruct(%x)\n%t = SequenceInsert(%s, %i)\noutput %t", "type, got int64");
  refused("%s = SequenceConstruct(%x)\n%y = Add(%s, %s)\noutput %y",
          "got seq(float32[2, 3]), wanted a tensor");
  refused("%y = SequenceLength(%x)\noutput %y", "got float32[2, 3], wanted a sequence");
  refused("%s = SequenceConstruct(%x)\n%t = SequenceConstruct(%s)\noutput %t", "wanted a tensor");
  refused("%o = Optional(%x)\n%t = Optional(%o)\noutput %t", "wanted a tensor, a sequence");
  refused("%s = SequenceConstruct(%x)\n%y = SequenceAt(%s, %i)\noutput %y", "wanted one index");
  for (std::string_view type : {"seq(seq(float32[2]))", "seq(opt(float32[2]))", "opt(opt(int8[]))",
                                "seq(float32[32]:q8_0)", "seq()", "opt", "seq(float32[2]"}) {
    const std::string text = "graph {\ninput %x : " + std::string(type) + "\noutput %x\n}";
    CHECK_FALSE_MESSAGE(parse_graph(text, OpSet::builtin()).ok(), text);
  }
  CHECK_FALSE(
      parse_graph("graph {\nconst %x : seq(float32[2]) = [1, 2]\noutput %x\n}", OpSet::builtin())
          .ok());
  const auto state = parse_graph("graph {\nstate %x : string[2]\noutput %x\n}", OpSet::builtin());
  REQUIRE(state.ok());
  CHECK_FALSE(verify_graph(*state).ok());
}

TEST_CASE("sequences: text form comes back as it went") {
  const std::string text = R"(graph {
  symbol n
  input %a : seq(float32[n, 3])
  input %b : opt(seq(string[?]))
  input %c : opt(int64[])
  const %words : string[3] = ["a \"b\"\n", "", "\xff"]
  const %many : string[2] = ["x", "x"]
  %d = OptionalGetElement(%b) : seq(string[?])
  %e = SequenceInsert(%d, %words) : seq(string[?])
  %f = SequenceInsert(%e, %many) : seq(string[?])
  output %a
  output %c
  output %f
}
)";
  const Graph graph = graph_from_text(text);
  CHECK(print_graph(graph) == text);
  CHECK(print_graph(graph.clone()) == text);
  const auto one =
      parse_graph("graph {\nconst %x : string[2, 2] = \"y\"\noutput %x\n}", OpSet::builtin());
  REQUIRE(one.ok());
  for (std::int64_t i = 0; i < 4; ++i) {
    CHECK(one->value(one->outputs()[0]).constant->data.string(i) == "y");
  }
  for (std::string_view bad :
       {"string[1000000000000] = \"y\"", "string[2] = [\"y\"]", "string[1] = 3",
        "string[1]:q8_0 = [\"y\"]", "string[?] = [\"y\"]"}) {
    const std::string broken = "graph {\nconst %x : " + std::string(bad) + "\noutput %x\n}";
    CHECK_FALSE_MESSAGE(parse_graph(broken, OpSet::builtin()).ok(), broken);
  }
}

TEST_CASE("sequences: carried by loops and chosen by branches") {
  check_values(R"(graph {
    input %n : int64[]
    input %x : float32[2]
    %empty = SequenceEmpty()
    %all = Loop(%n, _, %empty, %x, captures = 1) graph {
      input %i : int64[]
      input %go : bool[]
      input %s : seq(float32[?])
      input %x : float32[2]
      %k = Cast(%i, to = float32)
      %y = Mul(%x, %k)
      %t = SequenceInsert(%s, %y)
      output %go
      output %t
    }
    %length = SequenceLength(%all)
    output %all
    output %length
  })",
               {"3", "[1,2]"}, {"[[0,0],[1,2],[2,4]]", "3"});
  constexpr std::string_view kIf = R"(graph {
    input %c : bool[]
    input %x : float32[2, 2]
    input %s : seq(float32[?])
    %r = If(%c, %x, %s) graph {
      input %x : float32[2, 2]
      input %s : seq(float32[?])
      %made = SequenceConstruct(%x)
      output %made
    } graph {
      input %x : float32[2, 2]
      input %s : seq(float32[?])
      output %s
    }
    %at = SequenceLength(%r)
    output %r
    output %at
  })";
  check_values(kIf, {"true", "[[1,2],[3,4]]", "[[1],[2]]"}, {"[[[1,2],[3,4]]]", "1"});
  check_values(kIf, {"false", "[[1,2],[3,4]]", "[[1],[2]]"}, {"[[1],[2]]", "2"});
}

TEST_CASE("sequences: SequenceMap goes over all its sequences and leaves tensors as they are") {
  constexpr std::string_view kMap = R"(graph {
    input %a : seq(float32[?])
    input %b : seq(float32[])
    input %k : float32[]
    input %c : float32[]
    %sums, %products = SequenceMap(%a, %b, %k, %c, captures = 1) graph {
      input %x : float32[?]
      input %y : float32[]
      input %k : float32[]
      input %c : float32[]
      %s = Add(%x, %y)
      %t = Mul(%s, %k)
      %p = Mul(%x, %c)
      output %t
      output %p
    }
    output %sums
    output %products
  })";
  check_values(kMap, {"[[1,2],[3]]", "[10,20]", "2", "-1"}, {"[[22,24],[46]]", "[[-1,-2],[-3]]"});
  check_values(kMap, {"[]", "[]", "2", "-1"}, {"[]", "[]"});
  check_values_fail(kMap, {"[[1,2],[3]]", "[10]", "2", "-1"},
                    "length of sequence 1, got 1, wanted that of the others, 2");
}

TEST_CASE("optionals: of tensors and sequences, there or not, through control flow") {
  constexpr std::string_view kText = R"(graph {
    input %o : opt(float32[2])
    input %q : opt(seq(int64[?]))
    %has = OptionalHasElement(%o)
    %got = If(%has, %o) graph {
      input %o : opt(float32[2])
      %x = OptionalGetElement(%o)
      output %x
    } graph {
      input %o : opt(float32[2])
      const %none : float32[2] = [-1, -1]
      output %none
    }
    %y = Add(%got, %got)
    %again = Optional(%y)
    %nothing = Optional(dtype = string, sequence = 1)
    %same = Identity(%q)
    %absent = OptionalHasElement()
    %tensor = OptionalHasElement(%y)
    output %y
    output %again
    output %nothing
    output %same
    output %has
    output %absent
    output %tensor
  })";
  check_values(kText, {"[1,2]", "[[1],[]]"},
               {"[2,4]", "[2,4]", "null", "[[1],[]]", "true", "false", "true"});
  check_values(kText, {"null", "null"},
               {"[-2,-2]", "[-2,-2]", "null", "null", "false", "false", "true"});
  check_values(kText, {"null", "[]"},
               {"[-2,-2]", "[-2,-2]", "null", "[]", "false", "false", "true"});
  check_values_fail("graph {\ninput %o : opt(int8[2])\n%x = OptionalGetElement(%o)\noutput %x\n}",
                    {"null"}, "is an optional of nothing");
}

TEST_CASE("optionals: a loop that makes a sequence of nothing") {
  constexpr std::string_view kText = R"(graph {
    input %n : int64[]
    input %first : opt(seq(float32[]))
    %last = Loop(%n, _, %first) graph {
      input %i : int64[]
      input %go : bool[]
      input %o : opt(seq(float32[]))
      %has = OptionalHasElement(%o)
      %s = If(%has, %o) graph {
        input %o : opt(seq(float32[]))
        %x = OptionalGetElement(%o)
        output %x
      } graph {
        input %o : opt(seq(float32[]))
        %x = SequenceEmpty()
        output %x
      }
      %k = Cast(%i, to = float32)
      %t = SequenceInsert(%s, %k)
      output %go
      output %t
    }
    output %last
  })";
  check_values(kText, {"2", "null"}, {"[0,1]"});
  check_values(kText, {"2", "[7]"}, {"[7,0,1]"});
  check_values(kText, {"0", "null"}, {"null"});
}

TEST_CASE("sequences are bounded, and hold plain tensors of one dtype") {
  const Tensor x = *Tensor::allocate(DType::kF32, {1});
  const auto many = make_sequence(
      x.type(), std::vector<Tensor>(static_cast<std::size_t>(kSequenceItemsMax) + 1, x));
  REQUIRE_FALSE(many.ok());
  CHECK(many.error().code() == ErrorCode::kExhausted);
  CHECK_FALSE(make_sequence({DType::kI8, {}, {}}, {x}).ok());
  CHECK_FALSE(make_sequence(x.type(), {Tensor()}).ok());
  CHECK_FALSE(make_sequence(x.type(), {*make_sequence(x.type(), {x})}).ok());
  CHECK_FALSE(make_optional(x.type(), *make_sequence(x.type(), {x})).ok());
  CHECK_FALSE(make_optional(x.type().as(ValueKind::kSequence), x).ok());
  const auto mixed = make_sequence(x.type(), {x, *Tensor::allocate(DType::kF32, {2, 2})});
  REQUIRE(mixed.ok());
  CHECK(mixed->held_bytes() == 4 + 16);
  CHECK(!mixed->type().bytes());
  CHECK(mixed->type().shape.rank() == kMaxRank);
}

}  // namespace
}  // namespace polaris::test
