#include "save/onnx/onnx_writer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "ir/evaluate_graph.h"
#include "load/load.h"
#include "load/onnx/proto.h"
#include "support/compare.h"
#include "support/node_run.h"
#include "support/onnx_builder.h"
#include "support/process.h"
#include "support/text_model.h"
#include "tensor/element.h"

// Graphs written as ONNX and read again give what they gave before; tests/e2e/cli_convert.cc asks
// onnxruntime.
namespace polaris::test {
namespace {

const OpSet& ops() {
  static const OpSet all = OpSet::builtin();  // tidy: allow globals
  return all;
}

struct Saved {
  TemporaryFolder folder;
  std::string path = folder.file("model.onnx");
  OnnxWriteReport report;
  Graph graph;
  /// Names of the operators in the file, bodies and functions included.
  std::multiset<std::string> op_types;
};

void collect(const std::vector<onnx::NodeDef>& nodes, std::multiset<std::string>& out) {
  for (const onnx::NodeDef& node : nodes) {
    out.insert((node.domain.empty() ? "" : std::string(node.domain) + ".") +
               std::string(node.op_type));
    for (const onnx::AttrDef& attr : node.attributes) {
      if (attr.graph) collect(attr.graph->nodes, out);
    }
  }
}

void save(Saved& saved, const Graph& graph, const OnnxWriteOptions& options = {}) {
  auto report = write_onnx(graph, {}, ops(), saved.path, options);
  REQUIRE_MESSAGE(report.ok(), report.error().message());
  saved.report = report.take();
  auto model = load_model(saved.path, ops());
  REQUIRE_MESSAGE(model.ok(), model.error().message());
  saved.graph = std::move(*model->find("main"));
  const std::string bytes = read_file(saved.path, 1 << 26).take();
  const auto def = onnx::parse_model(std::as_bytes(std::span(bytes)));
  REQUIRE(def.ok());
  collect(def->graph->nodes, saved.op_types);
  for (const onnx::FunctionDef& function : def->functions) collect(function.nodes, saved.op_types);
}

std::vector<Tensor> outputs_of(const Graph& graph, const std::vector<Tensor>& inputs) {
  auto out = evaluate_graph(graph, inputs);
  REQUIRE_MESSAGE(out.ok(), out.error().message());
  return std::move(out->outputs);
}

/// Saves the graph of the text and compares what both give; returns the operators of the file.
std::multiset<std::string> round_trip(std::string_view text, Saved& saved,
                                      const OnnxWriteOptions& options = {}) {
  const Graph graph = graph_from_text(text);
  save(saved, graph, options);
  CHECK(saved.graph.output_names() == graph.output_names());
  const auto inputs = numbers_for_inputs(graph);
  const auto wanted = outputs_of(graph, inputs);
  const auto got = outputs_of(saved.graph, inputs);
  REQUIRE(got.size() == wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(difference(got[i], wanted[i]) == "");
  for (const std::string& op : saved.op_types) CHECK(op.find("polaris") == op.npos);
  return saved.op_types;
}
std::multiset<std::string> round_trip(std::string_view text) {
  Saved saved;
  return round_trip(text, saved);
}

using Ops = std::multiset<std::string>;

}  // namespace

TEST_CASE("polaris.Linear is written as Gemm, or as MatMul of more dims") {
  CHECK(round_trip(R"(graph g {
    input %x : float32[2, 3]
    const %w : float32[4, 3] = [1, 2, 3, -1, 0, 1, 0.5, 0.25, 4, 2, -2, 1]
    const %b : float32[4] = [1, 2, 3, 4]
    %y = polaris.Linear(%x, %w, %b) : float32[2, 4]
    output %y
  })") == Ops{"Gemm"});
  CHECK(round_trip(R"(graph g {
    input %x : float32[2, 1, 3]
    const %w : float32[2, 3] = [1, 2, 3, -1, 0, 1]
    const %b : float32[2] = [1, 2]
    %y = polaris.Linear(%x, %w, %b) : float32[2, 1, 2]
    output %y
  })") == Ops{"Add", "MatMul", "Transpose"});
}

TEST_CASE("polaris.Chain is written as its steps, under its name") {
  Saved saved;
  CHECK(round_trip(R"(graph g {
    input %x : float32[2, 3]
    input %z : float32[3]
    %y = polaris.Chain(%x, %z, ops = ["Add", "Relu", "Mul"],
                       args = [0, 1, -1, 2, -1, -1, 3, 0, -1]) : float32[2, 3]
    %n = Neg(%y) : float32[2, 3]
    output %n
  })",
                   saved) == Ops{"Add", "Mul", "Neg", "Relu"});
  bool kept = false;
  for (const ValueId id : saved.graph.value_ids()) kept |= saved.graph.value(id).name == "y";
  CHECK(kept);
}

TEST_CASE("polaris.GatedLinear, ResidualLinear and NormLinear are written as their definitions") {
  CHECK(round_trip(R"(graph g {
    input %x : float32[2, 2]
    const %a : float32[3, 2] = [1, 2, 3, -1, 0, 1]
    const %b : float32[3, 2] = [0.5, -2, 1, 1, 2, 0]
    %y = polaris.GatedLinear(%x, %a, %b) : float32[2, 3]
    %t = polaris.GatedLinear(%x, %b, %a, activation = "gelu_tanh") : float32[2, 3]
    output %y
    output %t
  })")
            .contains("MatMul"));
  const Ops norm = round_trip(R"(graph g {
    input %x : float32[2, 2]
    input %r : float32[2, 3]
    const %w : float32[3, 2] = [1, 2, 3, -1, 0, 1]
    const %s : float32[3] = [1, 2, 0.5]
    const %v : float32[2, 3] = [1, 0, 2, -1, 0.5, 1]
    const %c : float32[2] = [1, -1]
    %y, %n, %q = polaris.ResidualLinear(%x, %w, %r, %s)
    %z = polaris.NormLinear(%n, %v, %q, %c)
    output %y
    output %z
  })");
  CHECK(norm.contains("Sqrt"));
  CHECK(norm.count("MatMul") == 2);
}

TEST_CASE("polaris.RoutedMatMul is written as Gather and MatMul") {
  const Ops got = round_trip(R"(graph g {
    input %x : float32[2, 2, 2]
    const %w : float32[3, 2, 2] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    const %ids : int32[2, 2] = [0, 2, 1, -1]
    %y = polaris.RoutedMatMul(%x, %w, %ids) : float32[2, 2, 2]
    output %y
  })");
  CHECK(got.contains("Gather"));
  CHECK(got.contains("MatMul"));
}

TEST_CASE("weights in blocks are written as integers where those give their bits, else as floats") {
  for (const BlockFormat format : {BlockFormat::kQ4_0, BlockFormat::kQ8_0, BlockFormat::kQ6_K}) {
    Graph graph;
    const std::int64_t k = block_format_info(format).block_elements * 2;
    const ValueId x = graph.add_input("x", {DType::kF32, Shape{2, 1, k}, {}});
    Random random(7);
    const ValueId w = graph.add_constant("w", random_blocks(random, format, Shape{3, k}));
    const NodeId node =
        graph.add_node(&find_op("Linear", "polaris"), nullptr, {x, w}, 1, "product");
    graph.mark_output(graph.node(node).outputs[0], "y");
    REQUIRE(infer_graph(graph).ok());
    Saved saved;
    save(saved, graph);
    const bool scaled = format != BlockFormat::kQ6_K;
    CHECK(saved.op_types.contains("DequantizeLinear") == scaled);
    CHECK(saved.report.notes.size() == (scaled ? 0 : 1));
    const auto inputs = numbers_for_inputs(graph);
    const auto wanted = outputs_of(graph, inputs);
    const auto got = outputs_of(saved.graph, inputs);
    CHECK(difference(got[0], wanted[0]) == "");
  }
}

TEST_CASE("control flow of ours is written as If and Loop") {
  Saved saved;
  const Graph graph = graph_from_text(R"(graph g {
    input %i : int32[]
    input %x : float32[2]
    %y, _ = polaris.Case(%i, %x) graph { input %p : float32[2]
        %q = Neg(%p) : float32[2]
        output %q
        output %p } graph { input %p : float32[2]
        output %p
        output %p } graph { input %p : float32[2]
        %q = Exp(%p) : float32[2]
        output %q
        output %p }
    %z = polaris.While(%y, %x, captures = 1) graph { input %p : float32[2]
        input %c : float32[2]
        const %axes : int64[1] = [0]
        const %most : float32[] = [8]
        %s = ReduceSum(%p, %axes, keepdims = false) : float32[]
        %m = Less(%s, %most) : bool[]
        output %m } graph { input %p : float32[2]
        input %c : float32[2]
        const %one : float32[] = [1]
        %d = Add(%p, %one) : float32[2]
        output %d }
    output %y
    output %z
  })");
  save(saved, graph);
  CHECK(saved.op_types.count("If") == 2);
  CHECK(saved.op_types.count("Loop") == 1);
  CHECK(saved.report.functions == 2);
  for (const std::int32_t index : {-1, 0, 1, 2, 7}) {
    const std::vector<Tensor> inputs = {
        of_ints(DType::kI32, {}, {index}),
        Tensor::from<float>(DType::kF32, Shape{2}, std::vector<float>{0.25f, 1.5f}).take()};
    const auto wanted = outputs_of(graph, inputs);
    const auto got = outputs_of(saved.graph, inputs);
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(difference(got[i], wanted[i]) == "");
  }
}

TEST_CASE("functions of a model stay functions") {
  Saved saved;
  const Graph graph = graph_from_text(R"(graph g {
    input %x : float32[2]
    %a = polaris.Call(%x) graph { input %p : float32[2]
        const %two : float32[] = [2]
        %q = Mul(%p, %two) : float32[2]
        output %q }
    output %a
  })");
  save(saved, graph);
  CHECK(saved.report.functions == 1);
  CHECK(saved.op_types == Ops{"Constant", "Mul", "local.function"});
}

TEST_CASE("constants of every dtype are written to the bit") {
  for (int d = 0; d < kDTypeCount; ++d) {
    const auto dtype = static_cast<DType>(d);
    if (dtype == DType::kString) continue;
    CAPTURE(dtype_name(dtype));
    auto tensor = Tensor::allocate(dtype, Shape{3});
    REQUIRE(tensor.ok());
    store_f64(dtype, tensor->mutable_bytes().data(), 0, 1);
    store_f64(dtype, tensor->mutable_bytes().data(), 2, 1);
    Graph graph;
    const ValueId c = graph.add_constant("c", *tensor);
    graph.mark_output(c, "y");
    Saved saved;
    save(saved, graph);
    const auto got = outputs_of(saved.graph, {});
    REQUIRE(got[0].type() == tensor->type());
    CHECK(std::ranges::equal(got[0].bytes(), tensor->bytes()));
  }
  const std::vector<std::string_view> texts = {"a", "", "\xC3\xA4 b"};
  Graph graph;
  graph.mark_output(graph.add_constant("c", Tensor::strings(Shape{3}, texts).take()), "y");
  Saved saved;
  save(saved, graph);
  const auto got = outputs_of(saved.graph, {});
  for (std::int64_t i = 0; i < 3; ++i) {
    CHECK(got[0].string(i) == texts[static_cast<std::size_t>(i)]);
  }
}

TEST_CASE("large weights go into a second file when asked, and symbols keep their names") {
  std::string numbers = "0.5";
  for (int i = 1; i < 400; ++i) numbers += ", " + std::to_string(i % 7);
  const std::string text =
      "graph g {\n symbol T\n input %x : float32[T, 400]\n const %w : "
      "float32[400] = [" +
      numbers +
      "]\n const %s : float32[] = [2]\n %y = Mul(%x, %w)\n %z = Mul(%y, %s)\n "
      "output %z\n}";
  const Graph graph = graph_from_text(text);
  Saved saved;
  save(saved, graph, {.external_data = true});
  CHECK(saved.report.external_bytes == 1600);
  CHECK(read_file(saved.path + ".data", 1 << 20).take().size() == 1600);
  const auto input = Tensor::from<float>(DType::kF32, Shape{1, 400}, std::vector<float>(400, 3.0f));
  CHECK(difference(outputs_of(saved.graph, {*input})[0], outputs_of(graph, {*input})[0]) == "");
  CHECK(saved.graph.find_symbol("T").has_value());
}

TEST_CASE("what ONNX has no form for is refused by name") {
  TemporaryFolder folder;
  const std::string path = folder.file("m.onnx");
  const Graph stateful = graph_from_text(R"(graph g {
    input %x : float32[2]
    state %s : float32[2] named "sum"
    %t = Add(%s, %x) : float32[2]
    update %s = %t
    output %t
  })");
  const auto refused = write_onnx(stateful, {}, ops(), path);
  REQUIRE(!refused.ok());
  CHECK(refused.error().code() == ErrorCode::kUnsupported);
  CHECK(refused.error().message().find("state 'sum'") != std::string::npos);

  const Graph swish = graph_from_text(R"(graph g {
    input %x : float32[2]
    %t = Swish(%x) : float32[2]
    output %t
  })");
  const auto old = write_onnx(swish, {}, ops(), path, {.opset = 22});
  REQUIRE(!old.ok());
  CHECK(old.error().message().find("op-set, got 22, wanted 24") != std::string::npos);
  CHECK(old.error().message().find("Swish node") != std::string::npos);
  CHECK(path_kind(path) == PathKind::kMissing);
  CHECK(write_onnx(swish, {}, ops(), path).take().opset == 24);
}

TEST_CASE("a file that cannot be written whole leaves what was there") {
  const Graph graph = graph_from_text(R"(graph g {
    input %x : float32[2]
    %t = Neg(%x) : float32[2]
    output %t
  })");
  TemporaryFolder folder;
  const std::string path = folder.file("m.onnx");
  REQUIRE(write_file(path, "precious").ok());
  OnnxWriteOptions stopped;
  stopped.stop = [] { return true; };
  const auto cancelled = write_onnx(graph, {}, ops(), path, stopped);
  REQUIRE(!cancelled.ok());
  CHECK(cancelled.error().code() == ErrorCode::kCancelled);
  CHECK(read_file(path, 100).take() == "precious");
  CHECK(list_folder(folder.path(), 10).take().size() == 1);
  const auto nowhere = write_onnx(graph, {}, ops(), folder.file("no/m.onnx"));
  REQUIRE(!nowhere.ok());
  CHECK(nowhere.error().code() == ErrorCode::kNotFound);
}

TEST_CASE("metadata of an ONNX file is kept") {
  Metadata metadata;
  metadata.emplace("author", std::string("somebody"));
  metadata.emplace("doc_string", std::string("what it is"));
  metadata.emplace("model_version", std::int64_t{3});
  const Graph graph = graph_from_text(R"(graph g {
    input %x : float32[2]
    %t = Neg(%x) : float32[2]
    output %t
  })");
  TemporaryFolder folder;
  REQUIRE(write_onnx(graph, metadata, ops(), folder.file("m.onnx")).ok());
  const auto model = load_model(folder.file("m.onnx"), ops());
  REQUIRE(model.ok());
  for (const auto& [key, value] : metadata) {
    const auto at = model->metadata.find(key);
    REQUIRE(at != model->metadata.end());
    CHECK(at->second == value);
  }
}

}  // namespace polaris::test
