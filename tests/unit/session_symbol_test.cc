// Symbols get their sizes from the inputs of a run; what they promise is held there.
#include <doctest/doctest.h>

#include <string>

#include "session/symbol_binding.h"
#include "support/session_run.h"
#include "support/text_model.h"
#include "support/text_program.h"

namespace polaris::test {
namespace {

constexpr std::string_view kText = R"(graph main {
  symbol N
  symbol T bucketed 48
  symbol S bounded 5
  input %a : float32[N, 2]
  input %b : float32[2, N]
  input %t : float32[T]
  input %s : float32[S, T]
  %y = MatMul(%b, %a)
  %z = Add(%s, %t)
  output %y
  output %z
})";

std::vector<Tensor> inputs(std::int64_t n, std::int64_t n2, std::int64_t t, std::int64_t s,
                           std::int64_t t2) {
  std::vector<Tensor> out;
  for (const Shape& shape : {Shape{n, 2}, Shape{2, n2}, Shape{t}, Shape{s, t2}}) {
    auto tensor = Tensor::allocate(DType::kF32, shape);
    REQUIRE(tensor);
    out.push_back(tensor.take());
  }
  return out;
}

}  // namespace

TEST_CASE("symbols: a run holds one size for all inputs, bounds and buckets") {
  auto runtime = make_runtime({"cpu"});
  auto session = session_of(program_from_text(runtime, kText));
  std::vector<Tensor> outputs;
  const auto error_of = [&](const std::vector<Tensor>& in) {
    const Status status = session->run(in, outputs);
    CHECK(session->submit(in).ok() == status.ok());
    return status ? std::string() : status.error().message();
  };
  const auto says = [](const std::string& message, std::initializer_list<const char*> parts) {
    for (const char* part : parts) {
      INFO(message);
      CHECK(message.find(part) != std::string::npos);
    }
  };
  CHECK(error_of(inputs(3, 3, 4, 5, 4)) == "");
  for (const std::int64_t bucket : {1, 2, 4, 8, 16, 32, 48}) {
    CHECK(error_of(inputs(7, 7, bucket, 1, bucket)) == "");
  }
  for (const std::int64_t odd : {0, 3, 5, 24, 47, 49, 64}) {
    says(error_of(inputs(7, 7, odd, 1, odd)),
         {"dim 'T'", "input 't'", "the caller pads", "up to 48", std::to_string(odd).c_str()});
  }
  says(error_of(inputs(3, 4, 1, 1, 1)), {"dim 'N'", "input 'b'", "got 4", "wanted 3"});
  says(error_of(inputs(3, 3, 2, 1, 4)), {"dim 'T'", "input 's'", "got 4", "wanted 2"});
  says(error_of(inputs(3, 3, 1, 6, 1)), {"dim 'S'", "input 's'", "got 6", "at most 5"});
  CHECK(error_of(inputs(0, 0, 1, 0, 1)) == "");
}

TEST_CASE("symbols: a kept value and a state are held to them too") {
  auto runtime = make_runtime({"cpu"});
  auto session = session_of(program_from_text(runtime, R"(
  state s : float32[3]
  graph main {
    symbol N bounded 4
    input %a : float32[N]
    input %b : float32[N]
    %y = Add(%a, %b)
    output %y
  }
  graph widen {
    input %x : float32[5]
    output %x
  }
  graph touch {
    state %v : float32[3] named "s"
    output %v
  })"));
  const Tensor three = floats({3}, {1, 2, 3});
  Bindings b;
  b.input("a", three).input_state("b", "s").output("y");
  CHECK(to_floats(run_bound(*session, "main", b)[0]) == std::vector<float>{1, 2, 3});
  Bindings two;
  two.input("a", floats({2}, {1, 2})).input_state("b", "s");
  CHECK(run_fails(*session, "main", two).message().find("dim 'N'") != std::string::npos);
  Bindings widen;
  widen.input("x", floats({5}, {1, 2, 3, 4, 5})).output_kept("x", "wide");
  run_bound(*session, "widen", widen);
  Bindings wide;
  wide.input_kept("a", "wide").input_kept("b", "wide");
  CHECK(run_fails(*session, "main", wide).message().find("at most 4") != std::string::npos);
}

TEST_CASE("symbols: bound by name and by inputs, the rest falls back") {
  const Graph graph = graph_from_text(kText);
  SymbolBinding symbols(graph);
  CHECK(symbols.size(0) == kUnknownDim);
  REQUIRE(symbols.bind("N", 3));
  CHECK(symbols.bind("N", 3));
  CHECK_FALSE(symbols.bind("N", 4));
  CHECK(symbols.bind("nothing", 1).error().code() == ErrorCode::kNotFound);
  CHECK_FALSE(symbols.bind("T", 3));
  CHECK_FALSE(symbols.bind("S", -1));
  CHECK(symbols.bind_input(0, {DType::kF32, {3, 2}, {}}));
  CHECK_FALSE(symbols.bind_input(0, {DType::kF32, {4, 2}, {}}));
  CHECK_FALSE(symbols.bind_input(0, {DType::kF32, {3, 3}, {}}));
  CHECK_FALSE(symbols.bind_input(0, {DType::kF32, {3}, {}}));
  CHECK_FALSE(symbols.bind_input(0, {DType::kF16, {3, 2}, {}}));
  REQUIRE(symbols.bind_input(2, {DType::kF32, {16}, {}}));
  CHECK(symbols.size(1) == 16);
  const TensorType s = symbols.concrete(graph.value(graph.inputs()[3]).type, 2);
  CHECK(s.shape == Shape{2, 16});
  CHECK(symbols.concrete({DType::kF32, {kUnknownDim, 7}, {}}, 1).shape == Shape{1, 7});
}

}  // namespace polaris::test
