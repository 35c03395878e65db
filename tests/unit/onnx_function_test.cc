// Functions of an ONNX model's own. tests/e2e/control_flow.cc compares with onnxruntime.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "ir/evaluate_graph.h"
#include "ir/nested.h"
#include "load/load.h"
#include "support/onnx_builder.h"
#include "support/text_program.h"

namespace polaris::test {
namespace {

struct Function {
  std::string name;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<std::string> nodes;
  std::vector<std::string> attributes;  // names
  std::vector<std::string> defaults;    // encoded
};

std::string encode(const Function& f) {
  std::string out = proto_bytes(1, f.name) + proto_bytes(10, "own");
  for (const std::string& input : f.inputs) out += proto_bytes(4, input);
  for (const std::string& output : f.outputs) out += proto_bytes(5, output);
  for (const std::string& attribute : f.attributes) out += proto_bytes(6, attribute);
  for (const std::string& node : f.nodes) out += proto_bytes(7, node);
  for (const std::string domain : {"", "own"}) {
    out += proto_bytes(9, proto_bytes(1, domain) + proto_varint(2, domain[0] == 0 ? 17 : 1));
  }
  for (const std::string& attribute : f.defaults) out += proto_bytes(11, attribute);
  return proto_bytes(25, out);
}

/// An attribute that takes the value of the function's attribute `ref`.
std::string attr_ref(std::string_view name, std::string_view ref, int type) {
  return proto_bytes(1, name) + proto_bytes(21, ref) +
         proto_varint(20, static_cast<std::uint64_t>(type));
}

std::string call(const std::string& function, const std::vector<std::string>& inputs,
                 const std::vector<std::string>& outputs,
                 const std::vector<std::string>& attributes = {}) {
  return onnx_node(function, inputs, outputs, attributes, "own");
}

Result<Model> load_with(const std::vector<std::string>& nodes,
                        const std::vector<Function>& functions,
                        const std::string& input = onnx_value("x", 1, {"2"})) {
  OnnxGraph graph;
  graph.inputs = {input};
  graph.nodes = nodes;
  graph.outputs = {onnx_type("y", 1)};
  std::string more = proto_bytes(8, proto_bytes(1, "own") + proto_varint(2, 1));
  for (const Function& function : functions) more += encode(function);
  Source source = Source::in_memory("m.onnx", onnx_model(graph.encode(), 17, more));
  return load_model(source, OpSet::builtin());
}

Graph graph_of(Result<Model> model) {
  REQUIRE_MESSAGE(model, model.error().message());
  auto graph = model->take("");
  REQUIRE(graph);
  return graph.take();
}

std::string error_of(const Result<Model>& model, ErrorCode code = ErrorCode::kInvalid) {
  REQUIRE_FALSE(model);
  CHECK(model.error().code() == code);
  return model.error().message();
}

void contains(const std::string& message, std::string_view part) {
  CAPTURE(message);
  CHECK(message.find(part) != std::string::npos);
}

std::vector<float> run(const Graph& graph, const Tensor& x) {
  auto values = evaluate_graph(graph, {&x, 1});
  REQUIRE_MESSAGE(values, values.error().message());
  return to_floats(values->outputs[0]);
}

const Function kLeak{
    "Leak", {"x"},
    {"y"},  {onnx_node("LeakyRelu", {"x"}, {"y"}, {attr_ref("alpha", "slope", 1)})},
    {},     {attr_float("slope", 0.25f)}};

}  // namespace

TEST_CASE("onnx functions: calls with equal attributes share a body, others have their own") {
  const Graph graph = graph_of(load_with({call("Leak", {"x"}, {"a"}), call("Leak", {"a"}, {"b"}),
                                          call("Leak", {"b"}, {"c"}, {attr_float("slope", 0.25f)}),
                                          call("Leak", {"c"}, {"y"}, {attr_float("slope", 0.5f)})},
                                         {kLeak}));
  CHECK(graphs_within(graph).size() == 3);
  CHECK(run(graph, floats({2}, {-64, 3})) == std::vector<float>{-0.5f, 3});
}

TEST_CASE("onnx functions: an attribute that a call does not give, nor a default, is absent") {
  Function leak = kLeak;
  leak.defaults.clear();
  leak.attributes = {"slope"};
  const Graph graph = graph_of(load_with({call("Leak", {"x"}, {"y"})}, {leak}));
  const auto got = run(graph, floats({2}, {-100, 3}));
  CHECK(got[0] == doctest::Approx(-1));  // LeakyRelu's own default
}

TEST_CASE("onnx functions: attributes reach the graphs inside of their nodes") {
  OnnxGraph then_branch;
  then_branch.nodes = {onnx_node("LeakyRelu", {"x"}, {"t"}, {attr_ref("alpha", "slope", 1)})};
  then_branch.outputs = {onnx_type("t", 1)};
  OnnxGraph else_branch;
  else_branch.nodes = {onnx_node("Neg", {"x"}, {"e"})};
  else_branch.outputs = {onnx_type("e", 1)};
  const Function chosen{
      "Chosen",
      {"x"},
      {"y"},
      {onnx_node("Constant", {}, {"flag"},
                 {attr_tensor("value", onnx_tensor("", 9, {}, std::string(1, '\1')))}),
       onnx_node("If", {"flag"}, {"y"},
                 {attr_graph("then_branch", then_branch.encode()),
                  attr_graph("else_branch", else_branch.encode())})},
      {"slope"},
      {}};
  const Graph graph =
      graph_of(load_with({call("Chosen", {"x"}, {"y"}, {attr_float("slope", 0.5f)})}, {chosen}));
  CHECK(run(graph, floats({2}, {-8, 3})) == std::vector<float>{-4, 3});
}

TEST_CASE("onnx functions: one that calls itself, through whatever else, is refused by name") {
  const Function self{"Self", {"x"}, {"y"}, {call("Self", {"x"}, {"y"})}, {}, {}};
  contains(error_of(load_with({call("Self", {"x"}, {"y"})}, {self})),
           "function 'own.Self' calls itself");
  const Function ping{"Ping", {"x"}, {"y"}, {call("Pong", {"x"}, {"y"})}, {}, {}};
  const Function pong{"Pong", {"x"}, {"y"}, {call("Ping", {"x"}, {"y"})}, {}, {}};
  contains(error_of(load_with({call("Ping", {"x"}, {"y"})}, {ping, pong})),
           "function 'own.Ping' calls itself");
  OnnxGraph branch;
  branch.nodes = {call("Branchy", {"x"}, {"t"})};
  branch.outputs = {onnx_type("t", 1)};
  const Function branchy{"Branchy",
                         {"x", "c"},
                         {"y"},
                         {onnx_node("If", {"c"}, {"y"},
                                    {attr_graph("then_branch", branch.encode()),
                                     attr_graph("else_branch", branch.encode())})},
                         {},
                         {}};
  contains(error_of(load_with({call("Branchy", {"x", "x"}, {"y"})}, {branchy})),
           "function 'own.Branchy' calls itself");
  // Nobody calls it, so nobody minds.
  CHECK(load_with({onnx_node("Neg", {"x"}, {"y"})}, {self}));
}

TEST_CASE("onnx functions: depth and the nodes that calls stand for are bounded") {
  for (const int depth : {14, 40}) {
    for (const int calls : {1, 40}) {
      std::vector<Function> chain = {
          {"F0", {"x"}, {"y"}, {onnx_node("Neg", {"x"}, {"y"})}, {}, {}}};
      for (int i = 1; i < depth; ++i) {
        Function& f = chain.emplace_back();
        f = {"F" + std::to_string(i), {"x"}, {"y"}, {}, {}, {}};
        for (int c = 0; c < calls; ++c) {
          f.nodes.push_back(call("F" + std::to_string(i - 1),
                                 {c == 0 ? "x" : "v" + std::to_string(c)},
                                 {c + 1 == calls ? "y" : "v" + std::to_string(c + 1)}));
        }
      }
      const auto model = load_with({call("F" + std::to_string(depth - 1), {"x"}, {"y"})}, chain);
      if (depth == 14 && calls == 1) {
        CHECK(model);
      } else if (depth == 40) {
        contains(error_of(model), "nested deeper than 16");
      } else {
        contains(error_of(model, ErrorCode::kExhausted), "with those of the functions called");
      }
    }
  }
}

TEST_CASE("onnx functions: what does not fit is refused by name") {
  const auto leak = [&](const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs,
                        const std::vector<std::string>& attributes = {}) {
    return error_of(load_with({call("Leak", inputs, outputs, attributes)}, {kLeak}));
  };
  OnnxGraph unknown;
  unknown.inputs = {onnx_value("x", 1, {"2"})};
  unknown.nodes = {call("Leak", {"x"}, {"y"})};
  unknown.outputs = {onnx_type("y", 1)};
  Source source = Source::in_memory("m.onnx", onnx_model(unknown.encode(), 17, encode(kLeak)));
  contains(error_of(load_model(source, OpSet::builtin())), "imports no op-set of domain 'own'");
  contains(leak({"x", "x"}, {"y"}), "inputs, got 2, wanted at most 1");
  contains(leak({"x"}, {"y", "z"}), "outputs, got 2, wanted 1 to 1");
  contains(leak({"x"}, {"y"}, {attr_float("other", 1)}), "'other' is none that its function has");
  contains(leak({"x"}, {"y"}, {attr_int("slope", 1)}), "got INT, wanted FLOAT");
  contains(leak({""}, {"y"}), "input 0");
  contains(leak({"nothing"}, {"y"}), "'nothing' is never made");
  contains(leak({"x"}, {"y"}, {attr_ref("slope", "outer", 1)}), "of no function");
  contains(error_of(load_with(
               {onnx_node("LeakyRelu", {"x"}, {"y"}, {attr_ref("alpha", "slope", 1)})}, {})),
           "got a node of none");
  Function lost = kLeak;
  lost.outputs = {"z"};
  contains(error_of(load_with({call("Leak", {"x"}, {"y"})}, {lost})), "'z' is never made");
  Function reads = kLeak;
  reads.nodes = {onnx_node("Add", {"x", "outer"}, {"y"})};
  contains(error_of(load_with({onnx_node("Neg", {"x"}, {"outer"}), call("Leak", {"x"}, {"y"})},
                              {reads})),
           "'outer' is never made");
  contains(error_of(load_with({call("Leak", {"x"}, {"y"})}, {kLeak, kLeak})), "defined twice");
  Function twice = kLeak;
  twice.inputs = {"x", "x"};
  contains(error_of(load_with({call("Leak", {"x", "x"}, {"y"})}, {twice})), "defined twice");
}

TEST_CASE("onnx functions: many that many nodes call load in time") {
  std::vector<Function> functions;
  std::vector<std::string> nodes;
  constexpr int kCount = 3000;
  for (int i = 0; i < kCount; ++i) {
    functions.push_back(
        {"F" + std::to_string(i), {"x"}, {"y"}, {onnx_node("Neg", {"x"}, {"y"})}, {}, {}});
    nodes.push_back(call("F" + std::to_string(i), {i == 0 ? "x" : "v" + std::to_string(i)},
                         {i + 1 == kCount ? "y" : "v" + std::to_string(i + 1)}));
  }
  const Graph graph = graph_of(load_with(nodes, functions));
  CHECK(graph.order().size() == kCount);
  CHECK(run(graph, floats({2}, {-8, 3})) == std::vector<float>{-8, 3});
}

}  // namespace polaris::test
