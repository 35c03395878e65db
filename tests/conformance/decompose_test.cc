#include "ir/decompose.h"

#include <doctest/doctest.h>

#include "conformance/samples.h"
#include "ir/evaluate.h"
#include "ir/op_attrs/attention.h"
#include "ir/op_attrs/chain.h"
#include "ir/op_attrs/matmul.h"
#include "support/compare.h"
#include "tensor/element.h"

// What an op of domain polaris means is what its decomposition says: both give the same numbers.
namespace polaris::test {
namespace {

Result<std::vector<Tensor>> evaluate_graph(const Graph& graph) {
  IdVector<ValueId, Tensor> known(graph.value_count());
  for (ValueId id : graph.value_ids()) {
    if (graph.value(id).constant) known[id] = graph.value(id).constant->data;
  }
  for (NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    std::vector<const Tensor*> inputs;
    for (ValueId in : node.inputs) {
      inputs.push_back(in.valid() ? &known[in] : nullptr);
    }
    const NoAttrs none;
    const Attrs& attrs = node.attrs ? static_cast<const Attrs&>(*node.attrs) : none;
    auto out =
        evaluate_node(*node.op, attrs, node.name, inputs, static_cast<int>(node.outputs.size()));
    if (!out) return out.error();
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      known[node.outputs[i]] = (*out)[i];
    }
  }
  std::vector<Tensor> outputs;
  for (ValueId out : graph.outputs()) outputs.push_back(known[out]);
  return outputs;
}

/// One node over constants, evaluated as it is and decomposed.
void check(const char* name, const std::vector<Tensor>& inputs, const Attrs* attrs, int outputs) {
  const OpSet ops = OpSet::builtin();
  const OpDef* op = ops.find(name, "polaris");
  REQUIRE(op != nullptr);
  Graph graph;
  std::vector<ValueId> values;
  for (const Tensor& tensor : inputs) {
    values.push_back(tensor ? graph.add_constant("c" + std::to_string(values.size()), tensor)
                            : kNoValue);
  }
  const NodeId id =
      graph.add_node(op, attrs != nullptr ? attrs->clone() : nullptr, values, outputs, "n");
  REQUIRE(infer_node(graph, id).ok());
  const std::vector<ValueId> results = graph.node(id).outputs;
  for (ValueId out : results) graph.mark_output(out, "y" + std::to_string(out.index));
  const auto want = evaluate_graph(graph);
  REQUIRE_MESSAGE(want.ok(), want.error().message());
  const Status done = decompose_nodes(graph, {&id, 1}, ops);
  REQUIRE_MESSAGE(done.ok(), done.error().message());
  for (NodeId node : graph.order()) {
    const std::string_view domain = graph.node(node).op->domain;
    CHECK((domain.empty() || graph.node(node).op->name == "Decode"));
  }
  const auto got = evaluate_graph(graph);
  REQUIRE_MESSAGE(got.ok(), got.error().message());
  for (std::size_t i = 0; i < want->size(); ++i) {
    const std::string d = difference((*got)[i], (*want)[i]);
    CHECK_MESSAGE(d.empty(), name, " output ", i, ": ", d);
  }
}

Tensor int32s(const Shape& shape, std::initializer_list<double> elements) {
  return values(DType::kI32, shape, elements);
}

}  // namespace

TEST_CASE("Linear is Transpose, MatMul, Add") {
  check("Linear", {random(DType::kF32, {2, 3, 32}), random(DType::kF32, {5, 32})}, nullptr, 1);
  check("Linear",
        {random(DType::kF32, {3, 32}), random(DType::kF16, {5, 32}), random(DType::kF16, {5})},
        nullptr, 1);
  check("Linear", {random(DType::kF32, {3, 64}), random_blocks(BlockFormat::kQ4_0, {5, 64})},
        nullptr, 1);
}

TEST_CASE("RoutedMatMul is a product with each gathered matrix") {
  const Tensor ids = random_ints(DType::kI64, {3, 2}, -4, 3);
  for (const std::int64_t rows : {1, 2}) {
    check("RoutedMatMul",
          {random(DType::kF32, {3, rows, 10}), random(DType::kF16, {4, 5, 10}), ids}, nullptr, 1);
    check("RoutedMatMul",
          {random(DType::kF32, {3, rows, 64}), random_blocks(BlockFormat::kQ4_0, {4, 5, 64}), ids},
          nullptr, 1);
  }
}

TEST_CASE("NormLinear divides by the root of the mean square") {
  check("NormLinear",
        {random(DType::kF32, {2, 3, 96}), random_blocks(BlockFormat::kQ4_0, {5, 96}),
         random(DType::kF32, {2, 3, 3}, 1, 4), random(DType::kF16, {5})},
        attrs<NormLinearAttrs>([](auto& a) { a.epsilon = 0.5f; }).get(), 1);
}

TEST_CASE("GatedLinear is an activation of one product times another") {
  for (const char* activation : {"silu", "gelu_tanh"}) {
    const auto gate = attrs<GatedLinearAttrs>([&](auto& a) { a.activation = activation; });
    check("GatedLinear",
          {random(DType::kF32, {3, 32}, -0.3, 0.3), random(DType::kF32, {5, 32}),
           random(DType::kF16, {5, 32})},
          gate.get(), 1);
    check("GatedLinear",
          {random(DType::kF32, {3, 70}), random(DType::kF32, {5, 70}), random(DType::kF32, {5, 70}),
           random(DType::kF32, {3, 3}, 1, 4)},
          gate.get(), 1);
  }
}

TEST_CASE("ResidualLinear is a sum, its product with a scale, and sums of its squares") {
  for (const std::int64_t n : {5, 64, 130}) {
    check("ResidualLinear",
          {random(DType::kF32, {2, 3, 32}), random(DType::kF32, {n, 32}),
           random(DType::kF32, {2, 3, n}), random(DType::kF32, {n})},
          nullptr, 3);
  }
}

TEST_CASE("Chain is its steps") {
  const auto chain = attrs<ChainAttrs>([](auto& a) {
    a.ops = {"Sigmoid", "Mul", "Add"};
    a.args = {0, -1, -1, 0, 2, -1, 3, 1, -1};
  });
  check("Chain", {random(DType::kF32, {3, 5}), random(DType::kF32, {5})}, chain.get(), 1);
}

TEST_CASE("KvWrite scatters the rows that have a slot") {
  for (DType d : {DType::kF32, DType::kF16}) {
    check("KvWrite",
          {random(d, {3, 4, 8}), random(d, {3, 4, 8}), random(DType::kF32, {4, 8}),
           random(DType::kF32, {4, 8}), int32s({4}, {11, -1, 12, 3})},
          nullptr, 2);
  }
}

TEST_CASE("RotaryKvWrite turns q and k, and scatters k and v") {
  const auto turn = attrs<RotaryKvWriteAttrs>([](auto& a) {
    a.num_heads = 4, a.num_kv_heads = 2;
    a.interleaved = true;
  });
  for (DType d : {DType::kF32, DType::kF16}) {
    check("RotaryKvWrite",
          {random(d, {3, 4, 8}), random(d, {3, 4, 8}), random(DType::kF32, {4, 16}),
           random(DType::kF32, {4, 8}), random(DType::kF32, {4, 8}), random(DType::kF32, {6, 2}),
           random(DType::kF32, {6, 2}), int32s({1, 4}, {0, 5, 2, 2}), int32s({4}, {11, -1, 12, 3})},
          turn.get(), 3);
  }
}

TEST_CASE("PagedAttention is softmax(q k) v over gathered pages") {
  const auto heads =
      attrs<PagedAttentionAttrs>([](auto& a) { a.num_heads = 4, a.num_kv_heads = 2; });
  const auto capped = attrs<PagedAttentionAttrs>([](auto& a) {
    a.num_heads = 4, a.num_kv_heads = 2, a.scale = 1;
    a.window = 5, a.softcap = 1.5f;
  });
  for (DType d : {DType::kF32, DType::kF16}) {
    for (const Attrs* a : {heads.get(), capped.get()}) {
      check("PagedAttention",
            {random(DType::kF32, {4, 32}), random(d, {6, 4, 16}), random(d, {6, 4, 16}),
             int32s({2, 3}, {5, 2, 0, 1, 3, -1}), int32s({4}, {0, 1, -1, 0}),
             int32s({4}, {11, 6, 2, 0})},
            a, 1);
    }
  }
  check("PagedAttention",
        {random(DType::kF32, {4, 32}), random(DType::kF32, {6, 4, 16}),
         random(DType::kF32, {6, 4, 16}), int32s({2, 3}, {5, 2, 0, 1, 3, -1}),
         int32s({4}, {0, 1, -1, 0}), int32s({4}, {11, 6, 2, 0}), random(DType::kF32, {4}, -2, 2)},
        heads.get(), 1);
  check("PagedAttention",
        {random(DType::kF32, {2, 64}), random_blocks(BlockFormat::kQ8_0, {6, 4, 32}),
         random_blocks(BlockFormat::kQ8_0, {6, 4, 32}), int32s({1, 3}, {5, 2, 0}),
         int32s({2}, {0, 0}), int32s({2}, {7, 8})},
        heads.get(), 1);
}

}  // namespace polaris::test
