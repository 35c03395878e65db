#include <doctest/doctest.h>
#include <unistd.h>

#include <set>

#include "base/os/files.h"
#include "base/strings.h"
#include "ir/any_rank.h"
#include "ir/op_attrs/control.h"
#include "ir/op_attrs/elementwise.h"
#include "load/load.h"
#include "load/onnx/proto.h"
#include "support/onnx_builder.h"
#include "support/shared_files.h"
#include "support/skip.h"

namespace polaris {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): builders of a test

Result<Model> load_bytes(std::vector<std::byte> bytes) {
  Source source = Source::in_memory("test.onnx", std::move(bytes));
  return load_model(source, OpSet::builtin());
}

Result<Model> load_graph(const OnnxGraph& graph, int opset) {
  return load_bytes(onnx_model(graph.encode(), opset));
}

// Op names of the main graph, in order.
std::vector<std::string> ops_of(const Model& model) {
  std::vector<std::string> out;
  const Graph& g = *model.find("main");
  for (NodeId id : g.order()) out.push_back(op_full_name(*g.node(id).op));
  return out;
}

const Node& node_at(const Model& model, std::size_t i) {
  const Graph& g = *model.find("main");
  return g.node(g.order()[i]);
}

std::vector<std::int64_t> constant_ints(const Model& model, ValueId id) {
  std::vector<std::int64_t> out;
  const Value& value = model.find("main")->value(id);
  REQUIRE(value.constant);
  for (std::int64_t i = 0; i < value.constant->data.elements(); ++i) {
    out.push_back(element_as_i64(value.constant->data, i));
  }
  return out;
}

// A graph of one node over x[2, 3, 4] (and y like it) with the one output "z".
OnnxGraph one_node(std::string_view op, const std::vector<std::string>& inputs,
                   const std::vector<std::string>& attributes) {
  OnnxGraph graph;
  graph.inputs = {onnx_value("x", 1, {"2", "3", "4"}), onnx_value("y", 1, {"3"})};
  graph.nodes = {onnx_node(op, inputs, {"z"}, attributes)};
  graph.outputs = {onnx_type("z", 0)};
  return graph;
}

std::string message(const Result<Model>& model) { return model ? "" : model.error().message(); }

void check_error(const Result<Model>& model, ErrorCode code, std::string_view part) {
  REQUIRE_FALSE(model.ok());
  INFO(model.error().message());
  CHECK(model.error().code() == code);
  CHECK(model.error().message().find(part) != std::string::npos);
}

TEST_CASE("the interface and weights of real files are what the onnx package says") {
  const auto table = read_table("data/onnx_expected.tsv");
  std::set<std::string> loaded;
  for (const auto& row : table) {
    if (row[1] != "P") continue;
    const auto path = shared_file("models/" + row[0]);
    if (!path) return;
    const auto model = load_model(*path, OpSet::builtin());
    if (!model) {
      // What cannot be loaded yet says which of the file's ops is to blame.
      INFO(model.error().message());
      CHECK(model.error().code() == ErrorCode::kUnsupported);
      bool named = false;
      for (std::string_view op : split(row[2], ',')) {
        named |= model.error().message().find(std::string(op) + " node '") != std::string::npos;
      }
      CHECK(named);
      continue;
    }
    loaded.insert(row[0]);
    const Graph& g = *model->find("main");
    std::size_t in = 0;
    std::size_t out = 0;
    std::map<std::string, const Constant*> weights;
    for (ValueId id : g.value_ids()) {
      const Value& value = g.value(id);
      if (value.constant) weights[value.constant->name] = value.constant.get();
    }
    for (const auto& t : table) {
      if (t[0] != row[0] || t[1] == "P") continue;
      INFO(t[0] << " " << t[2]);
      if (t[1] == "W") {
        REQUIRE(weights.contains(t[2]));
        std::int64_t sum = 0;
        for (std::byte b : weights[t[2]]->data.bytes()) sum += std::to_integer<int>(b);
        CHECK(sum == *parse_i64(t[4]));
        continue;
      }
      const bool is_input = t[1] == "I";
      REQUIRE((is_input ? in : out) < (is_input ? g.inputs() : g.outputs()).size());
      const ValueId id = is_input ? g.inputs()[in++] : g.outputs()[out];
      CHECK((is_input ? g.value(id).name : g.output_names()[out++]) == t[2]);
      const TensorType& type = g.value(id).type;
      CHECK(dtype_name(type.dtype) == t[3]);
      const auto dims = t[4].empty() ? std::vector<std::string_view>() : split(t[4], ',');
      if (has_any_rank(type.shape)) continue;  // branches of it that are not run have another
      REQUIRE(static_cast<std::size_t>(type.shape.rank()) == dims.size());
      for (std::size_t i = 0; i < dims.size(); ++i) {
        const std::int64_t dim = type.shape[static_cast<int>(i)];
        // Where the file says nothing we may still know; where it says a size we never disagree.
        if (dims[i] != "*" && is_static_dim(dim)) CHECK(dim == *parse_i64(dims[i]));
        if (is_input) CHECK((dims[i] == "*") == is_symbol_dim(dim));
      }
    }
  }
  MESSAGE("ONNX files of ../shared that load: " << loaded.size());
}

TEST_CASE("ONNX's own node tests load, or say what is not supported") {
  const std::string root = "/usr/share/libonnx-testdata/data/node";
  const auto folders = list_folder(root, 10000);
  if (!folders) {
    test::skip(root + " is not there (Debian package libonnx-testdata)");
    return;
  }
  const OpSet ops = OpSet::builtin();
  int loaded = 0;
  for (const std::string& folder : *folders) {
    const std::string path = root + "/" + folder + "/model.onnx";
    if (path_kind(path) != PathKind::kFile) continue;
    const auto model = load_model(path, ops);
    if (model) {
      ++loaded;
      continue;
    }
    INFO(model.error().message());
    CHECK(model.error().code() == ErrorCode::kUnsupported);
  }
  MESSAGE("node tests that load: " << loaded << " of " << folders->size());
  CHECK(loaded > 0);
}

TEST_CASE("a graph comes with its names, symbols, weights and captures") {
  const auto model = load_bytes(sample_onnx());
  REQUIRE_MESSAGE(model.ok(), message(model));
  CHECK(model->format == "onnx");
  CHECK(std::get<std::string>(model->metadata.at("producer_name")) == "tests");
  CHECK(std::get<std::int64_t>(model->metadata.at("opset.ai.onnx")) == 17);
  CHECK(model->parameter_count == 3);
  const Graph& g = *model->find("main");
  CHECK(ops_of(*model) == std::vector<std::string>{"Add", "If", "LeakyRelu"});
  REQUIRE(g.inputs().size() == 2);
  CHECK(g.value(g.inputs()[0]).name == "x");
  const Shape& x = g.value(g.inputs()[0]).type.shape;
  REQUIRE(is_symbol_dim(x[0]));
  CHECK(g.symbols()[static_cast<std::size_t>(symbol_of(x[0]))].name == "N");
  CHECK(g.value(g.outputs()[0]).type.shape == x);
  CHECK(g.output_names()[0] == "y");
  // `sum` and `x` are captured by both branches in one order; `w` is a constant in its branch.
  const Node& branch = node_at(*model, 1);
  REQUIRE(branch.inputs.size() == 3);
  CHECK(g.value(branch.inputs[1]).name == "sum");
  CHECK(branch.inputs[2] == g.inputs()[0]);
  REQUIRE(branch.subgraphs.size() == 2);
  for (const auto& sub : branch.subgraphs) {
    REQUIRE(sub->inputs().size() == 2);
    CHECK(sub->value(sub->inputs()[0]).name == "sum");
    CHECK(sub->value(sub->inputs()[1]).name == "x");
  }
  CHECK(node_at(*model, 2).attrs_as<LeakyReluAttrs>().alpha == 0.25f);
}

TEST_CASE("a loop's captures stand after its carried values") {
  OnnxGraph body;
  body.inputs = {onnx_value("i", 7, {}), onnx_value("go", 9, {}), onnx_value("a", 1, {"3"})};
  body.nodes = {onnx_node("Add", {"a", "y"}, {"b"})};
  body.outputs = {onnx_value("go", 9, {}), onnx_value("b", 1, {"3"}), onnx_value("b", 1, {"3"})};
  OnnxGraph graph;
  graph.inputs = {onnx_value("n", 7, {}), onnx_value("y", 1, {"3"})};
  graph.nodes = {
      onnx_node("Loop", {"n", "", "y"}, {"last", "all"}, {attr_graph("body", body.encode())})};
  graph.outputs = {onnx_value("last", 1, {"3"}), onnx_value("all", 1, {"?", "3"})};
  const auto model = load_graph(graph, 16);
  REQUIRE_MESSAGE(model.ok(), message(model));
  const Node& loop = node_at(*model, 0);
  CHECK(loop.attrs_as<LoopAttrs>().captures == 1);
  REQUIRE(loop.inputs.size() == 4);
  CHECK_FALSE(loop.inputs[1].valid());
  CHECK(loop.inputs[3] == loop.inputs[2]);
  CHECK(loop.subgraphs[0]->inputs().size() == 4);
}

TEST_CASE("older op-sets are brought to the newest") {
  const auto squeeze = load_graph(one_node("Unsqueeze", {"x"}, {attr_ints("axes", {0, 2})}), 11);
  REQUIRE_MESSAGE(squeeze.ok(), message(squeeze));
  CHECK(constant_ints(*squeeze, node_at(*squeeze, 0).inputs[1]) == std::vector<std::int64_t>{0, 2});
  const auto mean = load_graph(
      one_node("ReduceMean", {"x"}, {attr_ints("axes", {-1}), attr_int("keepdims", 0)}), 13);
  REQUIRE_MESSAGE(mean.ok(), message(mean));
  CHECK(mean->find("main")->value(mean->find("main")->outputs()[0]).type.shape == Shape{2, 3});
  const auto slice = load_graph(
      one_node("Slice", {"x"},
               {attr_ints("starts", {1}), attr_ints("ends", {3}), attr_ints("axes", {2})}),
      9);
  REQUIRE_MESSAGE(slice.ok(), message(slice));
  CHECK(slice->find("main")->value(slice->find("main")->outputs()[0]).type.shape == Shape{2, 3, 2});
  const auto clip = load_graph(one_node("Clip", {"x"}, {attr_float("max", 6.0f)}), 6);
  REQUIRE_MESSAGE(clip.ok(), message(clip));
  REQUIRE(node_at(*clip, 0).inputs.size() == 3);
  CHECK_FALSE(node_at(*clip, 0).inputs[1].valid());
  const auto pad = load_graph(
      one_node("Pad", {"x"}, {attr_ints("pads", {0, 0, 1, 0, 0, 1}), attr_float("value", 1.0f)}),
      2);
  REQUIRE_MESSAGE(pad.ok(), message(pad));
  CHECK(pad->find("main")->value(pad->find("main")->outputs()[0]).type.shape == Shape{2, 3, 6});
  const auto cast = load_graph(one_node("Cast", {"x"}, {attr_text("to", "INT32")}), 1);
  REQUIRE_MESSAGE(cast.ok(), message(cast));
  CHECK(node_at(*cast, 0).attrs_as<CastAttrs>().to == DType::kI32);
  const auto dropout = load_graph(one_node("Dropout", {"x"}, {attr_float("ratio", 0.5f)}), 10);
  REQUIRE_MESSAGE(dropout.ok(), message(dropout));
  CHECK(ops_of(*dropout) == std::vector<std::string>{"Identity"});
  OnnxGraph top_graph = one_node("TopK", {"x"}, {});
  top_graph.nodes = {onnx_node("TopK", {"x"}, {"z", "indices"}, {attr_int("k", 2)})};
  const auto top = load_graph(top_graph, 1);
  REQUIRE_MESSAGE(top.ok(), message(top));
  CHECK(constant_ints(*top, node_at(*top, 0).inputs[1]) == std::vector<std::int64_t>{2});
}

TEST_CASE("softmax before op-set 13 flattens") {
  const auto last = load_graph(one_node("Softmax", {"x"}, {attr_int("axis", 2)}), 11);
  REQUIRE_MESSAGE(last.ok(), message(last));
  CHECK(ops_of(*last) == std::vector<std::string>{"Softmax"});
  const auto flat = load_graph(one_node("Softmax", {"x"}, {}), 11);
  REQUIRE_MESSAGE(flat.ok(), message(flat));
  CHECK(ops_of(*flat) == std::vector<std::string>{"Shape", "Flatten", "Softmax", "Reshape"});
  const Graph& g = *flat->find("main");
  CHECK(g.value(g.outputs()[0]).type.shape == Shape{2, 3, 4});
  CHECK(g.value(node_at(*flat, 2).outputs[0]).type.shape == Shape{2, 12});
}

TEST_CASE("an operand broadcast along a named axis gets its ones") {
  const auto add =
      load_graph(one_node("Add", {"x", "y"}, {attr_int("broadcast", 1), attr_int("axis", 1)}), 6);
  REQUIRE_MESSAGE(add.ok(), message(add));
  CHECK(ops_of(*add) == std::vector<std::string>{"Unsqueeze", "Add"});
  CHECK(add->find("main")->value(add->find("main")->outputs()[0]).type.shape == Shape{2, 3, 4});
}

TEST_CASE("what cannot be read is named") {
  check_error(load_graph(one_node("Frobnicate", {"x"}, {}), 17), ErrorCode::kUnsupported,
              "[onnx] Frobnicate node 'z': op is not supported");
  OnnxGraph foreign = one_node("Add", {"x", "y"}, {});
  foreign.nodes = {onnx_node("Frob", {"x"}, {"z"}, {}, "com.acme")};
  const std::string acme = proto_bytes(8, proto_bytes(1, "com.acme") + proto_varint(2, 1));
  check_error(load_bytes(onnx_model(foreign.encode(), 17, acme)), ErrorCode::kUnsupported,
              "com.acme.Frob");
  check_error(load_graph(one_node("Relu", {"x"}, {attr_int("speed", 9)}), 17), ErrorCode::kInvalid,
              "attribute 'speed' is not known to the op");
  check_error(load_graph(one_node("LeakyRelu", {"x"}, {attr_int("alpha", 1)}), 17),
              ErrorCode::kInvalid, "attribute 'alpha' got INT, wanted FLOAT");
  check_error(load_graph(one_node("Relu", {"ghost"}, {}), 17), ErrorCode::kInvalid,
              "input 'ghost' is never made");
  check_error(load_graph(one_node("Relu", {"x"}, {}), 99), ErrorCode::kUnsupported,
              "op-set version, got 99");
  OnnxGraph twice = one_node("Relu", {"x"}, {});
  twice.nodes.push_back(twice.nodes[0]);
  check_error(load_graph(twice, 17), ErrorCode::kInvalid, "'z' is defined twice");
  OnnxGraph ghost = one_node("Relu", {"x"}, {});
  ghost.outputs = {onnx_value("nobody", 1, {})};
  check_error(load_graph(ghost, 17), ErrorCode::kInvalid, "output 'nobody' is never made");
  OnnxGraph complex = one_node("Relu", {"x"}, {});
  complex.inputs.push_back(onnx_value("c", 14, {"1"}));
  check_error(load_graph(complex, 17), ErrorCode::kUnsupported, "type COMPLEX64");
  OnnxGraph text = one_node("Identity", {"w"}, {});
  text.initializers = {onnx_tensor("w", 8, {1}, "ab")};
  check_error(load_graph(text, 17), ErrorCode::kInvalid, "wanted string_data");
  text.initializers = {proto_varint(1, 2) + proto_varint(2, 8) + proto_bytes(6, "a") +
                       proto_bytes(8, "w")};
  check_error(load_graph(text, 17), ErrorCode::kInvalid, "data, got 1 values, wanted 2");
  OnnxGraph weight = one_node("Relu", {"x"}, {});
  weight.initializers = {onnx_tensor("w", 1, {2}, "abcd")};
  check_error(load_graph(weight, 17), ErrorCode::kInvalid, "tensor 'w' data, got 4, wanted 8");
  weight.initializers = {
      onnx_tensor("w", 1, {std::int64_t{1} << 40, std::int64_t{1} << 40, 0}, "")};
  check_error(load_graph(weight, 17), ErrorCode::kInvalid, "wanted sizes whose product fits");
  weight.initializers = {onnx_tensor("w", 14, {1}, "abcdefgh")};
  check_error(load_graph(weight, 17), ErrorCode::kUnsupported, "type COMPLEX64");
  const std::string graph = one_node("Relu", {"x"}, {}).encode();
  check_error(load_bytes(onnx_model(graph + proto_bytes(15, ""), 17)), ErrorCode::kUnsupported,
              "sparse initializers");
  check_error(load_bytes(onnx_model(graph, 17, proto_bytes(20, ""))), ErrorCode::kUnsupported,
              "training information");
  check_error(load_bytes(std::vector<std::byte>(64)), ErrorCode::kUnsupported,
              "is of no format known here");
}

TEST_CASE("graphs nested without end are refused") {
  std::string inner = one_node("Relu", {"x"}, {}).encode();
  for (int i = 0; i < 40; ++i) {
    OnnxGraph outer;
    outer.nodes = {onnx_node("If", {"x"}, {"z"},
                             {attr_graph("then_branch", inner), attr_graph("else_branch", inner)})};
    if (i > 6) outer.nodes = {onnx_node("Loop", {"x"}, {"z"}, {attr_graph("body", inner)})};
    inner = outer.encode();
  }
  check_error(load_bytes(onnx_model(inner, 17)), ErrorCode::kInvalid, "nested deeper than");
}

TEST_CASE("external data is read inside the model's folder only") {
  char name[] = "/tmp/polaris_onnx_XXXXXX";
  REQUIRE(::mkdtemp(name) != nullptr);
  const std::string folder = name;
  const auto write_model = [&](const std::string& location, const std::string& offset) {
    std::string tensor = proto_varint(1, 2) + proto_varint(2, 1) + proto_bytes(8, "w");
    for (const auto& [key, value] : {std::pair<std::string, std::string>{"location", location},
                                     {"offset", offset},
                                     {"length", "8"}}) {
      tensor += proto_bytes(13, proto_bytes(1, key) + proto_bytes(2, value));
    }
    tensor += proto_varint(14, 1);
    OnnxGraph graph = one_node("Relu", {"x"}, {});
    graph.initializers = {tensor};
    REQUIRE(write_file(folder + "/m.onnx", onnx_model(graph.encode(), 17)).ok());
  };
  const float values[] = {0.0f, 1.5f, -2.0f};
  REQUIRE(write_file(folder + "/w.bin", std::as_bytes(std::span(values))).ok());
  const OpSet ops = OpSet::builtin();
  write_model("w.bin", "4");
  const auto model = load_model(folder + "/m.onnx", ops);
  REQUIRE_MESSAGE(model.ok(), message(model));
  const Graph& g = *model->find("main");
  bool found = false;
  for (ValueId id : g.value_ids()) {
    const auto& constant = g.value(id).constant;
    if (!constant || constant->name != "w") continue;
    found = true;
    CHECK(constant->file != nullptr);
    CHECK(constant->data.data<float>()[0] == 1.5f);
  }
  CHECK(found);
  write_model("w.bin", "8");
  check_error(load_model(folder + "/m.onnx", ops), ErrorCode::kInvalid, "past the end");
  write_model("w.bin", "-4");
  check_error(load_model(folder + "/m.onnx", ops), ErrorCode::kInvalid, "is no size");
  write_model("../../etc/passwd", "0");
  check_error(load_model(folder + "/m.onnx", ops), ErrorCode::kInvalid,
              "leaves the model's folder");
  write_model("gone.bin", "0");
  check_error(load_model(folder + "/m.onnx", ops), ErrorCode::kNotFound, "gone.bin");
  for (const char* file : {"/m.onnx", "/w.bin"}) ::unlink((folder + file).c_str());
  ::rmdir(folder.c_str());
}

}  // namespace
}  // namespace polaris
