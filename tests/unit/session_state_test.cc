// States: updated all at once at the end of a run, wherever they are read and whatever updates
// them, equal to the definition on every device.
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "support/session_run.h"
#include "support/state_run.h"
#include "support/text_model.h"

namespace polaris::test {
namespace {

/// One LSTM cell step as ops: gates [i, f, g, o] of x and h, then c and h.
std::string lstm_cell(const std::string& x, const std::string& h, const std::string& c,
                      const std::string& w) {
  return "%in = Concat(" + x + ", " + h + ", axis = 1)\n%all = MatMul(%in, " + w +
         ")\n%si, %sf, %sg, %so = Split(%all, axis = 1, num_outputs = 4)\n"
         "%i = Sigmoid(%si)\n%f = Sigmoid(%sf)\n%g = Tanh(%sg)\n%o = Sigmoid(%so)\n"
         "%keep = Mul(%f, " +
         c + ")\n%add = Mul(%i, %g)\n%c2 = Add(%keep, %add)\n%t = Tanh(%c2)\n%h2 = Mul(%o, %t)\n";
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

}  // namespace

TEST_CASE("states: a delay line gives what came two runs ago") {
  check_states(R"(graph {
    input %x : float32[2]
    state %p1 : float32[2]
    state %p2 : float32[2] = [5, 6]
    %y = Add(%x, %p2)
    output %y
    update %p1 = %x
    update %p2 = %p1
  })");
  // The same written the other way round, and longer than the number of runs.
  check_states(R"(graph {
    input %x : float32[3]
    state %p4 : float32[3]
    state %p3 : float32[3]
    state %p2 : float32[3]
    state %p1 : float32[3]
    %y = Sub(%x, %p4)
    output %y
    output %p2 "two ago"
    update %p4 = %p3
    update %p3 = %p2
    update %p2 = %p1
    update %p1 = %x
  })");
}

TEST_CASE("states: they trade places, two and three of them, and beside a chain") {
  check_states(R"(graph {
    input %x : float32[1]
    state %a : float32[1] = [1]
    state %b : float32[1] = [2]
    %y = Add(%x, %a)
    output %y
    update %a = %b
    update %b = %a
  })");
  check_states(R"(graph {
    input %x : float32[2]
    state %a : float32[2] = [1, 2]
    state %b : float32[2] = [3, 4]
    state %c : float32[2] = [5, 6]
    state %tail : float32[2]
    state %end : float32[2]
    %y = Add(%x, %tail)
    output %y
    output %end
    output %c
    update %a = %b
    update %b = %c
    update %c = %a
    update %tail = %a
    update %end = %tail
  })");
}

TEST_CASE("states: an output that is the old state gives the old value") {
  check_states(R"(graph {
    input %x : float32[2]
    state %p : float32[2]
    %n = Add(%x, %p)
    %same = Identity(%p)
    output %p "old"
    output %same
    output %n
    update %p = %n
  })");
}

TEST_CASE("states: updates that are an input, a constant, another's value, or nothing") {
  check_states(R"(graph {
    input %x : float32[2]
    state %in : float32[2] = [9, 8]
    state %fixed : float32[2] = [7, 6]
    state %kept : float32[2] = [5, 4]
    state %one : float32[2] = [3, 2]
    state %two : float32[2] = [1, 0]
    const %c : float32[2] = [0.5, 0.25]
    %s = Add(%in, %kept)
    %both = Add(%one, %two)
    output %s
    output %fixed
    output %both
    update %in = %x
    update %fixed = %c
    update %one = %s
    update %two = %s
  })");
}

TEST_CASE("states: sizes and types of every kind, empty ones too") {
  check_states(R"(graph {
    input %x : int64[2, 3]
    input %m : bool[4]
    state %n : int64[2, 3]
    state %flag : bool[4] = [1, 0, 1, 0]
    state %none : float32[0, 3]
    state %scalar : float32[] = 2
    state %half : float16[5] = 0.5
    %n2 = Add(%n, %x)
    %flag2 = Xor(%flag, %m)
    %s2 = Add(%scalar, %scalar)
    %h2 = Add(%half, %half)
    output %n2
    output %flag2
    output %none
    output %s2
    output %half
    update %n = %n2
    update %flag = %flag2
    update %scalar = %s2
    update %half = %h2
  })");
}

TEST_CASE("states: read and updated through If, nested, handed through unchanged") {
  check_states(R"(graph {
    input %c : bool[]
    input %d : bool[]
    input %x : float32[2]
    state %p : float32[2] = [1, 2]
    state %q : float32[2] = [3, 4]
    %y, %z = If(%c, %p, %q, %x, %d) graph {
      input %a : float32[2]
      input %b : float32[2]
      input %v : float32[2]
      input %e : bool[]
      %r = If(%e, %a, %v) graph {
        input %i : float32[2]
        input %j : float32[2]
        %k = Add(%i, %j)
        output %k
      } graph {
        input %i : float32[2]
        input %j : float32[2]
        output %i
      }
      output %r
      output %a
    } graph {
      input %a : float32[2]
      input %b : float32[2]
      input %v : float32[2]
      input %e : bool[]
      %n = Neg(%b)
      output %b
      output %n
    }
    output %y
    output %p "old p"
    update %p = %y
    update %q = %z
  })",
               12);
}

TEST_CASE("states: a delay line and a swap inside Loop, carried and captured") {
  check_states(R"(graph {
    input %x : float32[2]
    state %p1 : float32[2] = [1, 2]
    state %p2 : float32[2] = [3, 4]
    state %k : float32[2] = [0.5, 2]
    const %m : int64[] = 3
    %a, %b, %seen = Loop(%m, _, %p1, %p2, %x, %k, captures = 2) graph {
      input %i : int64[]
      input %go : bool[]
      input %one : float32[2]
      input %two : float32[2]
      input %in : float32[2]
      input %scale : float32[2]
      %s = Mul(%two, %scale)
      %n = Add(%s, %in)
      output %go
      output %two
      output %n
      output %one
    }
    output %a
    output %seen
    output %p1 "old"
    update %p1 = %b
    update %p2 = %a
  })");
}

TEST_CASE("states: a Loop of no trip hands its state through") {
  check_states(R"(graph {
    input %x : float32[2]
    state %p : float32[2] = [1, 2]
    state %q : float32[2] = [3, 4]
    const %m : int64[] = 0
    %a = Loop(%m, _, %p) graph {
      input %i : int64[]
      input %go : bool[]
      input %v : float32[2]
      %n = Neg(%v)
      output %go
      output %n
    }
    %y = Add(%a, %x)
    output %y
    output %a
    update %q = %a
    update %p = %q
  })");
}

TEST_CASE("states: an LSTM in the main graph, in If and in Loop") {
  const std::string states =
      "state %h : float32[1, 3] = [0.1, -0.2, 0.3]\nstate %c : float32[1, 3] = [0.3, 0.2, -0.1]\n"
      "const %w : float32[5, 12] = random 7\n";
  check_states("graph {\ninput %x : float32[1, 2]\n" + states + lstm_cell("%x", "%h", "%c", "%w") +
               "output %h2\nupdate %h = %h2\nupdate %c = %c2\n}");
  const std::string args =
      "input %px : float32[1, 2]\ninput %ph : float32[1, 3]\ninput %pc : float32[1, 3]\n"
      "input %pw : float32[5, 12]\n";
  check_states("graph {\ninput %run : bool[]\ninput %x : float32[1, 2]\n" + states +
                   "%hn, %cn = If(%run, %x, %h, %c, %w) graph {\n" + args +
                   lstm_cell("%px", "%ph", "%pc", "%pw") + "output %h2\noutput %c2\n} graph {\n" +
                   args + "output %ph\noutput %pc\n}\n" +
                   "output %hn\nupdate %h = %hn\nupdate %c = %cn\n}",
               10);
  // A sequence of 4 steps; the state goes on from run to run.
  check_states("graph {\ninput %xs : float32[4, 1, 2]\n" + states +
               "const %m : int64[] = 4\n"
               "%hn, %cn, %all = Loop(%m, _, %h, %c, %xs, %w, captures = 2) graph {\n"
               "input %it : int64[]\ninput %go : bool[]\ninput %ph : float32[1, 3]\n"
               "input %pc : float32[1, 3]\ninput %pxs : float32[4, 1, 2]\n"
               "input %pw : float32[5, 12]\n%px = Gather(%pxs, %it, axis = 0)\n" +
               lstm_cell("%px", "%ph", "%pc", "%pw") +
               "output %go\noutput %h2\noutput %c2\noutput %h2 \"all\"\n}\n"
               "output %hn\noutput %all\nupdate %h = %hn\nupdate %c = %cn\n}");
}

TEST_CASE("states: written in place while the old value is still read") {
  const std::string head = R"(graph {
    input %k : float32[2, 4]
    input %v : float32[2, 4]
    state %a : float32[2, 3, 4] = random 3
    state %b : float32[2, 3, 4] = random 4
    const %slots : int32[2] = [1, 4]
    const %more : int32[2] = [0, 4]
  )";
  SUBCASE("by an output and by later nodes") {
    check_states(head + R"(
      %ka, %vb = polaris.KvWrite(%a, %b, %k, %v, %slots)
      %s = Add(%a, %ka)
      %n = Neg(%b)
      output %a "old"
      output %s
      output %n
      update %a = %ka
      update %b = %vb
    })");
  }
  SUBCASE("and the written ones trade places") {
    check_states(head + R"(
      %ka, %vb = polaris.KvWrite(%a, %b, %k, %v, %slots)
      output %ka
      update %a = %vb
      update %b = %ka
    })");
  }
  SUBCASE("twice, one after the other and side by side") {
    check_states(head + R"(
      %k1, %v1 = polaris.KvWrite(%a, %b, %k, %v, %slots)
      %k2, %v2 = polaris.KvWrite(%k1, %v1, %v, %k, %more)
      %k3, %v3 = polaris.KvWrite(%a, %b, %v, %v, %more)
      output %k1
      output %k3
      output %v3
      update %a = %k2
      update %b = %v2
    })");
  }
  SUBCASE("for a result that updates nothing") {
    check_states(head + R"(
      %ka, %vb = polaris.KvWrite(%a, %b, %k, %v, %slots)
      output %ka
      update %b = %vb
    })");
  }
  SUBCASE("after an If has handed the state through") {
    check_states(head + R"(
      const %yes : bool[] = 1
      input %c : bool[]
      %old = If(%c, %a) graph {
        input %p : float32[2, 3, 4]
        output %p
      } graph {
        input %p : float32[2, 3, 4]
        %n = Neg(%p)
        output %n
      }
      %ka, %vb = polaris.KvWrite(%a, %b, %k, %v, %slots)
      output %old
      update %a = %ka
      update %b = %vb
    })");
  }
}

TEST_CASE("states: written in place while other names of the old value's bytes are still read") {
  const std::string names[] = {
      "%old = Identity(%a)",
      "%old = Reshape(%a, %flat)",
      "%old = Flatten(%a, axis = 2)",
      "%old = Unsqueeze(%a, %first)",
      "%old = Slice(%a, %first, %two, %first)",
      "%old = Slice(%a, %one, %two, %first)",
      "%other, %old = Split(%a, axis = 0, num_outputs = 2)",
      "%old, %other = Split(%a, axis = 1, num_outputs = 2)",
      "%old = Transpose(%a, perm = [0, 1, 2])",
      "%old = Transpose(%a, perm = [0, 2, 1])",
      "%wide = Unsqueeze(%a, %first)\n%old = Transpose(%wide, perm = [0, 3, 1, 2])",
      "%line = Reshape(%a, %flat)\n%old = Unsqueeze(%line, %first)",
      "%page = Slice(%a, %one, %two, %first)\n%old = Reshape(%page, %flat)",
  };
  for (const std::string& name : names) {
    CAPTURE(name);
    std::string of_b = replace_all(name, "%a", "%b");
    for (const std::string made : {"%old", "%other", "%wide", "%line", "%page"}) {
      of_b = replace_all(of_b, made, made + "_b");
    }
    check_states(R"(graph {
      input %k : float32[2, 4]
      input %v : float32[2, 4]
      state %a : float32[2, 4, 4] = random 3
      state %b : float32[2, 4, 4] = random 4
      const %slots : int32[2] = [1, 4]
      const %flat : int64[1] = [-1]
      const %first : int64[1] = [0]
      const %one : int64[1] = [1]
      const %two : int64[1] = [2]
      )" + name + "\n" +
                     of_b +
                     R"(
      %ka, %vb = polaris.KvWrite(%a, %b, %k, %v, %slots)
      %later = Neg(%old)
      %later_b = Neg(%old_b)
      %sum = Add(%ka, %vb)
      output %old
      output %later
      output %later_b
      output %sum
      update %a = %ka
      update %b = %vb
    })",
                 2);
  }
}

TEST_CASE("states: an update of another size than the state's is an error that names it") {
  auto runtime = make_runtime({"cpu"});
  auto program = Program::compile(runtime, graph_from_text(R"(graph {
    symbol N
    input %x : float32[N]
    state %p : float32[2]
    output %p
    update %p = %x
  })"));
  REQUIRE_MESSAGE(program, program.error().message());
  auto session = Session::create(*program);
  REQUIRE(session);
  const Tensor wrong[] = {*Tensor::allocate(DType::kF32, {100})};
  std::vector<Tensor> outputs;
  const Status status = (*session)->run(wrong, outputs);
  REQUIRE_FALSE(status);
  CHECK(status.error().message().find("state 'p'") != std::string::npos);
  const Tensor right[] = {*Tensor::allocate(DType::kF32, {2})};
  CHECK((*session)->run(right, outputs));
}

}  // namespace polaris::test
