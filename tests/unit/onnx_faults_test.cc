// What a file may say wrongly or unusually, and what the loader makes of it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <limits>

#include "ir/text/symbol_text.h"
#include "load/content.h"
#include "load/load.h"
#include "support/onnx_builder.h"

namespace polaris {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): builders of a test

Result<Model> load_file(std::string_view file, const LoadOptions& options = {}) {
  std::vector<std::byte> bytes(file.size());
  if (!file.empty()) std::memcpy(bytes.data(), file.data(), file.size());
  Source source = Source::in_memory("test.onnx", std::move(bytes));
  return load_model(source, OpSet::builtin(), options);
}

/// Op-set 0: no import.
std::string model_file(const OnnxGraph& graph, int ir_version, int opset) {
  std::string file =
      proto_varint(1, static_cast<std::uint64_t>(ir_version)) + proto_bytes(7, graph.encode());
  if (opset == 0) return file;
  return file + proto_bytes(8, proto_varint(2, static_cast<std::uint64_t>(opset)));
}

void refused(std::string_view file, std::string_view wanted) {
  const auto model = load_file(file);
  const std::string message = model ? "it loads" : model.error().message();
  CHECK_MESSAGE(message.find(wanted) != std::string::npos, message, " | wanted: ", wanted);
}

/// x[2, 4] -> z by one node.
OnnxGraph one_node(std::string_view op, const std::vector<std::string>& inputs,
                   const std::vector<std::string>& attributes, std::string_view domain = "") {
  OnnxGraph graph;
  graph.inputs = {onnx_value("x", 1, {"2", "4"})};
  graph.nodes = {onnx_node(op, inputs, {"z"}, attributes, domain)};
  graph.outputs = {onnx_type("z", 1)};
  return graph;
}

/// Names of an op's attributes.
class AttrNames final : public AttrVisitor {
 public:
  void field(std::string_view n, std::int64_t&) override { names.emplace_back(n); }
  void field(std::string_view n, float&) override { names.emplace_back(n); }
  void field(std::string_view n, bool&) override { names.emplace_back(n); }
  void field(std::string_view n, std::string&) override { names.emplace_back(n); }
  void field(std::string_view n, DType&) override { names.emplace_back(n); }
  void field(std::string_view n, Tensor&) override { names.emplace_back(n); }
  void field(std::string_view n, std::vector<std::int64_t>&) override { names.emplace_back(n); }
  void field(std::string_view n, std::vector<float>&) override { names.emplace_back(n); }
  void field(std::string_view n, std::vector<std::string>&) override { names.emplace_back(n); }
  void require(std::string_view n) override {
    CHECK(names.back() == n);  // said of the field just before
    required.emplace_back(n);
  }
  std::vector<std::string> names;
  std::vector<std::string> required;
};

/// Op names in order, and the values of the graph's first output's shape.
std::vector<std::string> ops_of(const Model& model) {
  std::vector<std::string> out;
  const Graph& g = *model.find("main");
  for (NodeId id : g.order()) out.emplace_back(g.node(id).op->name);
  return out;
}

}  // namespace

TEST_CASE("a required attribute that is missing is named, whatever the op") {
  int swept = 0;
  for (const OpDef* op : OpSet::builtin().all()) {
    if (op->make_attrs == nullptr) continue;
    AttrNames known;
    op->make_attrs()->visit(known);
    if (known.required.empty()) continue;
    ++swept;
    const std::string domain(op->domain);
    std::string file = model_file(one_node(op->name, {"x"}, {}, domain), 8, 22);
    if (!domain.empty()) file += proto_bytes(8, proto_bytes(1, domain) + proto_varint(2, 5));
    refused(file, "[onnx] " + op_full_name(*op) + " node 'z': attribute '" + known.required[0] +
                      "' is required");
  }
  CHECK(swept > 0);
  refused(model_file(one_node("Cast", {"x"}, {attr_int("to", 0)}), 8, 22),
          "attribute 'to' is required");
}

TEST_CASE("what is taken apart at import says what it lacks") {
  const auto file = [](std::string_view op, const std::vector<std::string>& attributes) {
    return model_file(one_node(op, {"x"}, attributes, "com.microsoft"), 8, 22) +
           proto_bytes(8, proto_bytes(1, "com.microsoft") + proto_varint(2, 1));
  };
  refused(file("SkipLayerNormalization", {}), "input 1 is missing");
  refused(file("QLinearAdd", {}), "input 1 is missing");
  refused(file("QLinearConcat", {attr_int("axis", 0)}),
          "inputs, got 1, wanted 2 and three a tensor");
  refused(file("FusedMatMul", {attr_int("transBatchA", 1)}),
          "transBatchA and transBatchB, wanted 0");
  refused(file("MultiHeadAttention", {}), "query, key and value, wanted three of rank 3");
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  refused(file("MatMulNBits", {attr_int("K", most), attr_int("N", 1), attr_int("block_size", 16)}),
          "K, N and block_size, wanted numbers from 1, 1 and 16 to 2^30");
  refused(file("MatMulNBits", {attr_int("K", 4), attr_int("N", 1), attr_int("block_size", 16)}),
          "wanted inputs A, B and scales");
}

TEST_CASE("attributes that older op-sets required are named too") {
  struct Row {
    const char* op;
    int opset;
    const char* attribute;
  };
  const Row rows[] = {{"Cast", 1, "to"},
                      {"Concat", 4, "axis"},
                      {"GroupNormalization", 18, "num_groups"},
                      {"If", 11, "then_branch"},
                      {"Loop", 1, "body"},
                      {"MaxPool", 1, "kernel_shape"},
                      {"AveragePool", 7, "kernel_shape"},
                      {"Pad", 1, "paddings"},
                      {"Pad", 2, "pads"},
                      {"Reshape", 1, "shape"},
                      {"Slice", 1, "starts"},
                      {"TopK", 1, "k"},
                      {"Unsqueeze", 1, "axes"},
                      {"Unsqueeze", 11, "axes"}};
  for (const Row& row : rows) {
    refused(model_file(one_node(row.op, {"x"}, {}), 8, row.opset),
            "attribute '" + std::string(row.attribute) + "' is required");
  }
  refused(model_file(one_node("Slice", {"x"}, {attr_ints("starts", {0})}), 8, 1),
          "attribute 'ends' is required");
}

TEST_CASE("Concat had a default axis before op-set 4") {
  OnnxGraph graph = one_node("Concat", {"x", "x"}, {});
  const auto old = load_file(model_file(graph, 3, 1));
  REQUIRE_MESSAGE(old.ok(), old.error().message());
  const Graph& g = *old->find("main");
  CHECK(g.value(g.outputs()[0]).type.shape == Shape{2, 8});
}

TEST_CASE("versions that cannot be are refused, and a missing import is named") {
  const OnnxGraph graph = one_node("Softmax", {"x"}, {});
  for (int version : {0, 15, 99}) {
    refused(model_file(graph, version, 17),
            "[onnx] IR version, got " + std::to_string(version) + ", wanted 1 to");
  }
  for (int version : {3, 7, 10}) {
    refused(model_file(graph, version, 0), "[onnx] opset_import, got none");
  }
  // Before there were imports there was one version.
  CHECK(load_file(model_file(graph, 2, 0)).ok());
  refused(model_file(one_node("Gelu", {"x"}, {}, "com.microsoft"), 8, 17),
          "[onnx] com.microsoft.Gelu node 'z': the file imports no op-set of domain "
          "'com.microsoft'");
  const std::string foreign = proto_varint(1, 8) + proto_bytes(7, graph.encode()) +
                              proto_bytes(8, proto_bytes(1, "com.microsoft") + proto_varint(2, 1));
  refused(foreign, "[onnx] Softmax node 'z': the file imports no op-set of domain 'ai.onnx'");
}

TEST_CASE("nodes may stand in any order, but in no circle") {
  OnnxGraph graph = one_node("Neg", {"b"}, {});
  graph.nodes.push_back(onnx_node("Abs", {"a"}, {"b"}));
  graph.nodes.push_back(onnx_node("Relu", {"x"}, {"a"}));
  const auto sorted = load_file(model_file(graph, 8, 17));
  REQUIRE_MESSAGE(sorted.ok(), sorted.error().message());
  CHECK(ops_of(*sorted) == std::vector<std::string>{"Relu", "Abs", "Neg"});
  graph.nodes[2] = onnx_node("Relu", {"z"}, {"a"});
  refused(model_file(graph, 8, 17), "it needs its own result");
}

TEST_CASE("a body may read what the file makes after its node") {
  OnnxGraph branch;
  branch.nodes = {onnx_node("Neg", {"late"}, {"n"})};
  branch.outputs = {onnx_type("n", 1)};
  OnnxGraph graph = one_node(
      "If", {"flag"},
      {attr_graph("then_branch", branch.encode()), attr_graph("else_branch", branch.encode())});
  graph.inputs.push_back(onnx_value("flag", 9, {}));
  graph.nodes.push_back(onnx_node("Relu", {"x"}, {"late"}));
  const auto model = load_file(model_file(graph, 8, 17));
  REQUIRE_MESSAGE(model.ok(), model.error().message());
  CHECK(ops_of(*model) == std::vector<std::string>{"Relu", "If"});
}

TEST_CASE("a node that no output needs may be anything") {
  OnnxGraph graph = one_node("Relu", {"x"}, {});
  graph.nodes.push_back(onnx_node("Frobnicate", {"x"}, {"unused"}, {}, "com.acme"));
  graph.nodes.push_back(onnx_node("Neg", {"never_made"}, {"unused too"}));
  const auto model = load_file(model_file(graph, 8, 17));
  REQUIRE_MESSAGE(model.ok(), model.error().message());
  CHECK(ops_of(*model) == std::vector<std::string>{"Relu"});
  graph.nodes.push_back(onnx_node("Neg", {"x"}, {"z"}));
  refused(model_file(graph, 8, 17), "[onnx] Neg node 'z': its output 'z' is defined twice");
  graph.nodes.back() = onnx_node("Neg", {"x"}, {"x"});
  refused(model_file(graph, 8, 17), "[onnx] Neg node 'x': its output 'x' is defined twice");
}

TEST_CASE("an initializer is the default of an input of its name") {
  OnnxGraph graph = one_node("Add", {"x", "b"}, {});
  graph.inputs.push_back(onnx_value("b", 1, {"4"}));
  graph.initializers = {onnx_tensor_of<float>("b", 1, {4}, {1, 2, 3, 4})};
  LoadOptions options;
  const auto inputs_of = [&](int ir_version) {
    const auto model = load_file(model_file(graph, ir_version, 17), options);
    REQUIRE_MESSAGE(model.ok(), model.error().message());
    return model->find("main")->inputs().size();
  };
  CHECK(inputs_of(8) == 1);
  options.given = {"b", "another"};
  CHECK(inputs_of(8) == 2);
  CHECK(inputs_of(4) == 2);
  // Files before IR version 4 list all their weights among the inputs.
  CHECK(inputs_of(3) == 1);
}

TEST_CASE("negative dims are refused, and shown as they are written") {
  OnnxGraph graph = one_node("Relu", {"x"}, {});
  graph.inputs = {onnx_value("x", 1, {"2", "-2"})};
  refused(model_file(graph, 8, 17), "[onnx] input 'x' dim 1, got -2, wanted 0 or more");
  graph = one_node("Relu", {"x"}, {});
  graph.initializers = {onnx_tensor("w", 1, {-2, -3}, "")};
  refused(model_file(graph, 8, 17), "[onnx] tensor 'w' dim, got -2, wanted 0 or more");
  graph.initializers.clear();
  graph.outputs = {onnx_value("z", 1, {"2", "-7"})};
  refused(model_file(graph, 8, 17), "[onnx] output 'z' dim 1, got -7, wanted 0 or more");
}

TEST_CASE("what a file says of its outputs must be so") {
  OnnxGraph graph = one_node("Relu", {"x"}, {});
  graph.outputs = {onnx_value("z", 1, {"N", "4"})};
  CHECK(load_file(model_file(graph, 8, 17)).ok());
  graph.outputs = {onnx_value("z", 7, {"2", "4"})};
  refused(model_file(graph, 8, 17),
          "[onnx] output 'z' type, got INT64 in the file, but its node gives float32");
  graph.outputs = {onnx_value("z", 1, {"2", "4", "1"})};
  refused(model_file(graph, 8, 17),
          "[onnx] output 'z' rank, got 3 in the file, but its node gives 2");
  graph.outputs = {onnx_value("z", 1, {"2", "5"})};
  refused(model_file(graph, 8, 17),
          "[onnx] output 'z' dim 1, got 5 in the file, but its node gives 4");
}

TEST_CASE("messages call dims what the file calls them") {
  OnnxGraph graph = one_node("MatMul", {"x", "s1"}, {});
  graph.inputs = {onnx_value("x", 1, {"batch", "3"}), onnx_value("s1", 1, {"4", "width"})};
  refused(model_file(graph, 8, 17), "node 'z': shapes, got [batch, 3] @ [4, width]");
  const std::deque<Symbol> symbols = {{"batch", Symbol::Kind::kFree, 0},
                                      {"n", Symbol::Kind::kFree, 0}};
  CHECK(name_symbols("[Op] node 's1': got [s0, s1, s2, 3] and s10, ss1", symbols) ==
        "[Op] node 's1': got [batch, n, s2, 3] and s10, ss1");
}

TEST_CASE("an attribute that appears twice is named once") {
  refused(model_file(one_node("Softmax", {"x"}, {attr_int("axis", 0), attr_int("axis", 1)}), 8, 17),
          "[onnx] Softmax node 'z': attribute 'axis' appears twice");
}

TEST_CASE("a cut file says where") {
  const std::string file = model_file(one_node("Relu", {"x"}, {}), 8, 17);
  refused(file.substr(0, file.size() - 12), "at byte 2 of " + std::to_string(file.size() - 12) +
                                                ": the file is cut short or damaged");
  for (std::size_t size = 2; size < file.size(); ++size) {
    const auto model = load_file(std::string_view(file).substr(0, size));
    if (model.ok()) continue;
    CHECK(model.error().message().find("test.onnx") != std::string::npos);
  }
}

TEST_CASE("files of other kinds are named") {
  using namespace std::string_view_literals;  // NOLINT(google-build-using-namespace)
  refused("", "'test.onnx' is empty, wanted one of: ");
  refused("\x1F\x8B\x08\0\0\0\0\0"sv, "is a gzip archive, wanted one of");
  refused("PK\x03\x04....", "is a zip archive");
  refused(" \n{\"model\": 1}", "is a JSON text");
  refused("version https://git-lfs.github.com/spec/v1\n", "is a pointer of git-lfs");
  refused("<!DOCTYPE html>", "is an HTML or XML text");
  refused("\x80\x02}q\0."sv, "is a Python pickle");
  refused(std::string(64, '\0'), "is of no format known here");
  CHECK(describe_content({}) == "is empty");
}

TEST_CASE("old softmaxes flatten empty dims too") {
  for (const char* op : {"Softmax", "LogSoftmax", "Hardmax"}) {
    for (int axis : {0, 1, 2, 3}) {
      OnnxGraph graph = one_node(op, {"x"}, {attr_int("axis", axis)});
      graph.inputs = {onnx_value("x", 1, {"3", "1", "0", "2"})};
      const auto model = load_file(model_file(graph, 6, 11));
      REQUIRE_MESSAGE(model.ok(), op << " " << axis << ": " << model.error().message());
      const Graph& g = *model->find("main");
      CHECK(g.value(g.outputs()[0]).type.shape == Shape{3, 1, 0, 2});
    }
  }
}

TEST_CASE("axes and shapes that are empty by their type are known") {
  struct Row {
    const char* op;
    std::vector<std::string> attributes;
    int rank;
  };
  const auto keep = attr_int("keepdims", 0);
  const Row rows[] = {{"ReduceSum", {keep}, 0},
                      {"ReduceMean", {keep}, 0},
                      {"ReduceMax", {keep}, 0},
                      {"ReduceMin", {keep}, 0},
                      {"ReduceProd", {keep}, 0},
                      {"ReduceL1", {keep}, 0},
                      {"ReduceL2", {keep}, 0},
                      {"ReduceLogSum", {keep}, 0},
                      {"ReduceLogSumExp", {keep}, 0},
                      {"ReduceSumSquare", {keep}, 0},
                      {"ReduceSum", {keep, attr_int("noop_with_empty_axes", 1)}, 2},
                      {"ReduceMax", {attr_int("noop_with_empty_axes", 1)}, 2},
                      {"Squeeze", {}, 2},
                      {"Unsqueeze", {}, 2}};
  for (const Row& row : rows) {
    OnnxGraph graph = one_node(row.op, {"x", "axes"}, row.attributes);
    graph.inputs.push_back(onnx_value("axes", 7, {"0"}));
    const auto model = load_file(model_file(graph, 8, 18));
    REQUIRE_MESSAGE(model.ok(), row.op << ": " << model.error().message());
    const Graph& g = *model->find("main");
    CHECK_MESSAGE(g.value(g.outputs()[0]).type.shape.rank() == row.rank, row.op);
  }
  // The same of a shape: it is that of a scalar.
  OnnxGraph graph = one_node("ConstantOfShape", {"shape"}, {});
  graph.inputs.push_back(onnx_value("shape", 7, {"0"}));
  const auto model = load_file(model_file(graph, 8, 18));
  REQUIRE_MESSAGE(model.ok(), model.error().message());
}

}  // namespace polaris
