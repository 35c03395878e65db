// TopK of lines as long as vocabularies, by as many rounds as they take, as the cpu has it.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "support/session_run.h"

namespace polaris::test {
namespace {

std::shared_ptr<Program> top_k(const std::shared_ptr<Runtime>& runtime, const TensorType& type,
                               std::int64_t k) {
  Graph graph;
  const ValueId x = graph.add_input("x", type);
  auto count = Tensor::from<std::int64_t>(DType::kI64, Shape{1}, std::vector<std::int64_t>{k});
  REQUIRE(count.ok());
  const ValueId wanted = graph.add_constant("k", count.take());
  const NodeId node = graph.add_node(runtime->ops().find("TopK"), nullptr, {x, wanted}, 2, "top");
  graph.mark_output(graph.node(node).outputs[0], "values");
  graph.mark_output(graph.node(node).outputs[1], "ids");
  auto program = Program::compile(runtime, std::move(graph));
  REQUIRE_MESSAGE(program.ok(), program.error().message());
  return program.take();
}

std::vector<Tensor> run(const std::shared_ptr<Program>& program, const Tensor& x) {
  auto session = Session::create(program);
  REQUIRE(session.ok());
  std::vector<Tensor> out;
  std::vector<NodeTime> times;
  RunOptions options;
  options.profile = &times;
  const Tensor inputs[] = {x};
  const auto status = (*session)->run(inputs, out, options);
  REQUIRE_MESSAGE(status.ok(), status.error().message());
  REQUIRE(times.size() == 1);
  if (times[0].device != "cpu") CHECK(times[0].kernel == "top_k_long.float");
  return out;
}

}  // namespace

TEST_CASE("vulkan: top-k of vocabularies, with ties, as the cpu has it") {
  const auto cpu = make_runtime({"cpu"});
  const auto card = make_runtime({"vulkan"});
  if (!card) return;
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 4);
  struct Case {
    std::int64_t rows, columns, k;
  };
  for (const auto [rows, columns, k] :
       {Case{1, 151936, 128}, Case{3, 32000, 40}, Case{2, 262144, 1}, Case{2, 2048, 64},
        Case{1, 4097, 1024}, Case{5, 1031, 7}}) {
    CAPTURE(columns);
    const TensorType type{DType::kF32, {rows, columns}, {}};
    auto x = Tensor::allocate(type);
    REQUIRE(x.ok());
    for (std::int64_t i = 0; i < x->elements(); ++i) {
      const float value = normal(random);
      // Some stand there often.
      x->mutable_data<float>()[i] = i % 3 == 0 ? std::round(value) : value;
    }
    const auto want = run(top_k(cpu, type, k), *x);
    const auto got = run(top_k(card, type, k), *x);
    for (std::size_t o = 0; o < 2; ++o) {
      REQUIRE(got[o].bytes().size() == want[o].bytes().size());
      CHECK(std::memcmp(got[o].bytes().data(), want[o].bytes().data(), want[o].bytes().size()) ==
            0);
    }
  }
}

}  // namespace polaris::test
