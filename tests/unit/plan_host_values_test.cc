// What the host computes, what of it planning sees, and who reads a value last.

#include "plan/host_values.h"

#include <doctest/doctest.h>

#include <string>

#include "support/text_model.h"

namespace polaris::test {
namespace {

ValueId named(const Graph& graph, std::string_view name) {
  for (ValueId id : graph.value_ids()) {
    if (graph.value(id).name == name) return id;
  }
  FAIL("no value " << std::string(name));
  return {};
}

bool is(const Graph& graph, const ValueFlags& flags, std::string_view name) {
  return flags[named(graph, name)];
}

/// Ops of the nodes that the host evaluates before a stage, in order.
std::string evaluated(const Graph& graph, const HostArithmetic& host) {
  std::string out;
  for (std::size_t position : host.nodes) {
    out += std::string(graph.node(graph.order()[position]).op->name) + " ";
  }
  return out;
}

}  // namespace

TEST_CASE("host values: a counter behind a Range is evaluated, and no plan hangs on it") {
  const Graph graph = graph_from_text(R"(graph {
    input %x : float32[9, 4]
    input %i : int64[]
    const %two : int64[] = 2
    const %one : int64[] = 1
    %end = Add(%i, %two)
    %at = Range(%i, %end, %one)
    %y = Gather(%x, %at)
    output %y
  })");
  const auto needed = host_needed_values(graph);
  CHECK(is(graph, needed, "i"));
  CHECK_FALSE(is(graph, needed, "at"));
  const HostArithmetic host = host_arithmetic(graph, needed);
  CHECK_FALSE(is(graph, host.planned, "i"));
  CHECK_FALSE(is(graph, host.planned, "end"));
  // Range itself has no host reader: its result is an index on the device.
  CHECK(evaluated(graph, host) == "Add Range ");
}

TEST_CASE("host values: what decides a shape is in the plan") {
  const Graph graph = graph_from_text(R"(graph {
    input %x : float32[12]
    input %n : int64[2]
    const %k : int64[2] = [1, 1]
    %s = Mul(%n, %k)
    %y = Reshape(%x, %s)
    output %y
  })");
  const auto needed = host_needed_values(graph);
  const HostArithmetic host = host_arithmetic(graph, needed);
  CHECK(is(graph, host.planned, "s"));
  CHECK_FALSE(is(graph, host.planned, "n"));
  CHECK(evaluated(graph, host) == "Mul ");
}

TEST_CASE(
    "host values: shape arithmetic alone is left to planning, but helps where data needs it") {
  const std::string head = R"(graph {
    symbol N
    input %x : float32[N, 4]
    input %i : int64[]
    const %zero : int64[] = 0
    const %one : int64[] = 1
    %s = Shape(%x)
    %n = Gather(%s, %zero)
  )";
  const Graph alone = graph_from_text(head + R"(
    %r = Range(%zero, %n, %one)
    %y = Gather(%x, %r)
    output %y
  })");
  CHECK(host_arithmetic(alone, host_needed_values(alone)).nodes.empty());
  const Graph mixed = graph_from_text(head + R"(
    %r = Range(%i, %n, %one)
    %y = Gather(%x, %r)
    output %y
  })");
  CHECK(evaluated(mixed, host_arithmetic(mixed, host_needed_values(mixed))) ==
        "Shape Gather Range ");
}

TEST_CASE("host values: large and float values behind a shape are computed where they are") {
  const Graph graph = graph_from_text(R"(graph {
    input %x : float32[12]
    input %f : float32[2]
    %s = Cast(%f, to = int64)
    %y = Reshape(%x, %s)
    output %y
  })");
  const auto needed = host_needed_values(graph);
  CHECK(is(graph, needed, "s"));
  CHECK_FALSE(is(graph, needed, "f"));
  const HostArithmetic host = host_arithmetic(graph, needed);
  CHECK(is(graph, host.planned, "s"));
  CHECK(host.nodes.empty());
}

TEST_CASE("host values: the last reader of each value") {
  const Graph graph = graph_from_text(R"(graph {
    input %x : float32[2]
    input %unused : float32[2]
    state %s : float32[2]
    %a = Relu(%x)
    %b = Add(%a, %s)
    %c = Add(%b, %a)
    output %b
    update %s = %c
  })");
  const auto last = last_readers(graph);
  const auto of = [&](std::string_view name) { return last[named(graph, name)]; };
  CHECK(of("x") == 0);
  CHECK(of("unused") == -1);
  CHECK(of("s") == 1);
  CHECK(of("a") == 2);
  CHECK(of("b") == 3);
  CHECK(of("c") == 3);
}

}  // namespace polaris::test
