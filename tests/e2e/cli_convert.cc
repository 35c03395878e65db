// The command line writing models in other formats, and onnxruntime reading what it wrote.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "ir/evaluate_graph.h"
#include "save/onnx/onnx_writer.h"
#include "support/compare.h"
#include "support/node_run.h"
#include "support/peer_story.h"
#include "support/process.h"
#include "support/shared_files.h"
#include "support/skip.h"
#include "support/text_model.h"
#include "test_paths.h"
#include "wire/npy.h"
#include "wire/value_file.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::json;

constexpr std::string_view kText = R"(graph main {
  symbol T
  input %x : float32[T, 3]
  const %w : float32[2, 3] = [1, 2, 3, -1, 0, 1]
  %h = polaris.Linear(%x, %w) : float32[T, 2]
  %y = polaris.Chain(%h, ops = ["Relu", "Exp"], args = [0, -1, -1, 1, -1, -1]) : float32[T, 2]
  output %y
})";

/// $POLARIS_PYTHON or .venv's; empty, with a message that the test is skipped, where it has no
/// onnxruntime.
std::string python_with_onnx() {
  const char* set = std::getenv("POLARIS_PYTHON");
  const std::string python =
      set != nullptr ? std::string(set) : std::string(kSourceDir) + "/.venv/bin/python";
  if (path_kind(python) != PathKind::kMissing &&
      run_process({python, "-c", "import onnx, onnxruntime"}).exit_code == 0) {
    return python;
  }
  skip("python with onnx and onnxruntime is not there (tools/setup.sh peers)");
  return "";
}

Json round_trip(const std::string& python, const std::string& passes,
                const std::vector<std::string>& models) {
  std::vector<std::string> arguments = {python,
                                        std::string(kSourceDir) + "/tests/e2e/onnx_round_trip.py",
                                        std::string(kBuildDir) + "/polaris", passes};
  arguments.insert(arguments.end(), models.begin(), models.end());
  const ProcessResult done = run_process(arguments, {.timeout_s = 600});
  REQUIRE_MESSAGE(done.exit_code == 0, done.err);
  return Json::parse(done.out);
}

/// What onnxruntime gives for the graph as we write it is what its ops' definitions give.
void check_with_peer(const std::string& python, const Graph& graph,
                     const std::vector<Tensor>& inputs) {
  const TemporaryFolder folder;
  for (const char* name : {"in", "out"}) REQUIRE(make_folder(folder.file(name)).ok());
  const std::string file = folder.file("model.onnx");
  const auto written = write_onnx(graph, {}, OpSet::builtin(), file);
  REQUIRE_MESSAGE(written.ok(), written.error().message());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string& name = graph.value(graph.inputs()[i]).name;
    REQUIRE(save_value(folder.file("in/" + name + ".npy"), ValueFormat::kNpy, inputs[i]).ok());
  }
  const ProcessResult done = run_process(
      {python, std::string(kSourceDir) + "/tests/e2e/onnx_run.py", file, folder.path()});
  REQUIRE_MESSAGE(done.exit_code == 0, done.err);
  const auto wanted = evaluate_graph(graph, inputs);
  REQUIRE_MESSAGE(wanted.ok(), wanted.error().message());
  for (std::size_t i = 0; i < wanted->outputs.size(); ++i) {
    const auto got = load_npy(folder.file("out/" + std::to_string(i) + ".npy"));
    REQUIRE_MESSAGE(got.ok(), got.error().message());
    CHECK(difference(*got, wanted->outputs[i]) == "");
  }
}

int count_of(const Json& result, const char* what) { return result.at("counts").value(what, 0); }

}  // namespace

TEST_CASE("convert writes ONNX and says what it wrote") {
  const TemporaryFolder folder;
  const std::string text = folder.file("m.txt");
  const std::string file = folder.file("m.onnx");
  REQUIRE(write_file(text, kText).ok());
  const ProcessResult made = run_polaris({"convert", text, "-o", file, "--json"});
  REQUIRE_MESSAGE(made.exit_code == 0, made.err);
  const Json json = Json::parse(made.out);
  CHECK(json.at("file") == file);
  CHECK(json.at("format") == "onnx");
  CHECK(json.at("opset") == 21);
  CHECK(json.at("nodes") == 3);
  CHECK(json.at("notes").empty());
  CHECK(json.at("bytes") == read_file(file, 1 << 20).take().size());
  const Json seen = Json::parse(run_polaris({"inspect", file, "--json"}).out);
  CHECK(seen.at("format") == "onnx");
  CHECK(seen.at("inputs")[0].at("shape") == Json{"T", 3});

  const ProcessResult newer = run_polaris({"convert", text, "-o", file, "--opset", "23", "--json"});
  REQUIRE_MESSAGE(newer.exit_code == 0, newer.err);
  CHECK(Json::parse(newer.out).at("opset") == 23);
}

TEST_CASE("convert says what is wrong, and leaves files alone") {
  const TemporaryFolder folder;
  const std::string text = folder.file("m.txt");
  REQUIRE(write_file(text, kText).ok());
  const auto fails = [&](std::vector<std::string> arguments, int code, std::string_view what) {
    arguments.insert(arguments.begin(), {"convert", text});
    const ProcessResult done = run_polaris(arguments);
    CHECK(done.exit_code == code);
    CHECK_MESSAGE(done.err.find(what) != std::string::npos, done.err);
  };
  fails({"-o", folder.file("m.bin")}, 2, ".onnx, .gguf or .safetensors");
  fails({"-o", folder.file("m.onnx"), "--passes", "no_such_pass"}, 2, "no_such_pass");
  fails({"-o", folder.file("m.onnx"), "--scheme", "q8_0"}, 2, "--scheme");
  fails({"-o", folder.file("m.gguf"), "--scheme", "q8_0", "--passes", "none"}, 2, "--passes");
  fails({"-o", folder.file("m.gguf"), "--scheme", "q8_0"}, 1, "is no GGUF file");
  fails({"-o", folder.file("none/m.onnx")}, 1, "cannot be made");
  fails({"-o", "/dev/full/m.onnx"}, 1, "cannot be made");
  CHECK(list_folder(folder.path(), 10).take().size() == 1);

  const std::string model = folder.file("m.onnx");
  REQUIRE(run_polaris({"convert", text, "-o", model}).exit_code == 0);
  const std::string before = read_file(model, 1 << 20).take();
  const ProcessResult own = run_polaris({"convert", model, "-o", model});
  CHECK(own.exit_code == 1);
  CHECK(own.err.find("is a file of the model itself") != std::string::npos);
  CHECK(read_file(model, 1 << 20).take() == before);

  // A disk that is full after 512 bytes, behind a file that is there.
  const std::string wide = folder.file("wide.txt");
  std::string numbers = "1";
  for (int i = 1; i < 1000; ++i) numbers += ", 1";
  REQUIRE(write_file(wide, "graph g {\n input %x : float32[1000]\n const %w : float32[1000] = [" +
                               numbers + "]\n %y = Add(%x, %w)\n output %y\n}")
              .ok());
  for (const std::string more : {"", " --external-data"}) {
    const std::string command = "trap '' XFSZ; ulimit -f 1; exec " + std::string(kBuildDir) +
                                "/polaris convert " + wide + " -o " + model + more;
    const ProcessResult full = run_process({"/bin/sh", "-c", command});
    CHECK(full.exit_code == 1);
    CHECK_MESSAGE(full.err.find("cannot be written") != std::string::npos, full.err);
    CHECK(read_file(model, 1 << 20).take() == before);
    CHECK(list_folder(folder.path(), 10).take().size() == 3);
  }
}

TEST_CASE("convert refuses a decoder of paged caches by name") {
  const TemporaryFolder folder;
  const ProcessResult done =
      run_polaris({"convert", stories_path("f32"), "-o", folder.file("m.onnx")});
  CHECK(done.exit_code == 1);
  CHECK_MESSAGE(done.err.find("cannot be written") != std::string::npos, done.err);
  CHECK_MESSAGE(done.err.find("paged cache") != std::string::npos, done.err);
}

TEST_CASE("convert to .gguf is quantize") {
  const TemporaryFolder folder;
  const std::string a = folder.file("a.gguf");
  const std::string b = folder.file("b.gguf");
  CHECK(
      run_polaris({"convert", stories_path("f32"), "-o", a, "--scheme", "q8_0", "-q"}).exit_code ==
      0);
  CHECK(
      run_polaris({"quantize", stories_path("f32"), "-o", b, "--scheme", "q8_0", "-q"}).exit_code ==
      0);
  CHECK(read_file(a, 1 << 26).take() == read_file(b, 1 << 26).take());
}

TEST_CASE("onnxruntime runs our own operators as we write them") {
  const std::string python = python_with_onnx();
  if (python.empty()) return;
  const Graph plain = graph_from_text(R"(graph g {
    input %x : float32[2, 2]
    input %r : float32[2, 3]
    const %w : float32[3, 2] = [1, 2, 3, -1, 0, 1]
    const %u : float32[3, 2] = [0.5, -2, 1, 1, 2, 0]
    const %s : float32[3] = [1, 2, 0.5]
    const %v : float32[2, 3] = [1, 0, 2, -1, 0.5, 1]
    const %c : float32[2] = [1, -1]
    const %e : float32[3, 2, 2] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    const %ids : int32[2, 1] = [2, 0]
    const %one : int64[1] = [1]
    %g = polaris.GatedLinear(%x, %w, %u) : float32[2, 3]
    %t = polaris.GatedLinear(%x, %u, %w, activation = "gelu_tanh") : float32[2, 3]
    %y, %n, %q = polaris.ResidualLinear(%x, %w, %r, %s)
    %z = polaris.NormLinear(%n, %v, %q, %c)
    %l = polaris.Linear(%x, %w, %s) : float32[2, 3]
    %h = polaris.Chain(%l, %r, ops = ["Add", "Relu", "Mul"],
                       args = [0, 1, -1, 2, -1, -1, 3, 0, -1]) : float32[2, 3]
    %k = Unsqueeze(%x, %one) : float32[2, 1, 2]
    %m = polaris.RoutedMatMul(%k, %e, %ids) : float32[2, 1, 2]
    %f = polaris.Call(%x) graph twice {
      input %p : float32[2, 2]
      const %two : float32[] = [2]
      %d = Mul(%p, %two) : float32[2, 2]
      output %d
    }
    output %g
    output %t
    output %y
    output %z
    output %h
    output %m
    output %f
  })");
  check_with_peer(python, plain, numbers_for_inputs(plain));

  const Graph control = graph_from_text(R"(graph g {
    input %i : int32[]
    input %x : float32[2]
    %y, _ = polaris.Case(%i, %x) graph {
      input %p : float32[2]
      %q = Neg(%p) : float32[2]
      output %q
      output %p
    } graph {
      input %p : float32[2]
      output %p
      output %p
    } graph {
      input %p : float32[2]
      %q = Exp(%p) : float32[2]
      output %q
      output %p
    }
    %z = polaris.While(%y, %x, captures = 1) graph {
      input %p : float32[2]
      input %c : float32[2]
      const %most : float32[] = [8]
      %s = ReduceSum(%p, keepdims = 0) : float32[]
      %m = Less(%s, %most) : bool[]
      output %m
    } graph {
      input %p : float32[2]
      input %c : float32[2]
      %d = Sub(%p, %c) : float32[2]
      output %d
    }
    output %y
    output %z
  })");
  for (const std::int32_t index : {-1, 0, 1, 2}) {
    check_with_peer(
        python, control,
        {of_ints(DType::kI32, {}, {index}),
         Tensor::from<float>(DType::kF32, Shape{2}, std::vector{-0.25f, -1.5f}).take()});
  }

  for (const BlockFormat format : {BlockFormat::kQ4_0, BlockFormat::kQ8_0, BlockFormat::kQ6_K}) {
    Graph graph;
    const ValueId x = graph.add_input("x", {DType::kF32, Shape{2, 1, 256}, {}});
    Random random(7);
    const ValueId w = graph.add_constant("w", random_blocks(random, format, Shape{3, 256}));
    const NodeId node =
        graph.add_node(&find_op("Linear", "polaris"), nullptr, {x, w}, 1, "product");
    graph.mark_output(graph.node(node).outputs[0], "y");
    REQUIRE(infer_graph(graph).ok());
    check_with_peer(python, graph, numbers_for_inputs(graph));
  }
}

TEST_CASE("onnxruntime runs ONNX's node tests as we write them") {
  const std::string python = python_with_onnx();
  if (python.empty()) return;
  const ProcessResult found = run_process(
      {python, "-c",
       "import onnx, os; print(os.path.dirname(onnx.__file__) + '/backend/test/data/node')"});
  std::string root = found.out;
  root.erase(root.find_last_not_of(" \r\n") + 1);
  for (const std::string passes : {"none", "default"}) {
    CAPTURE(passes);
    const Json result = round_trip(python, passes, {root});
    for (const std::string& line : result.at("bad").get<std::vector<std::string>>()) {
      // Not read; drawn at random; an optional that onnxruntime wants to be a sequence.
      const bool known = line.starts_with("refused: ") ||
                         line.starts_with("differs: test_bernoulli") ||
                         line.starts_with("not loaded: test_loop16_seq_none");
      CHECK_MESSAGE(known, line);
    }
    CHECK(count_of(result, "refused") <= 16);
    CHECK(count_of(result, "same") >= 1440);
    MESSAGE(passes, ": ", result.at("counts").dump());
  }
}

TEST_CASE("onnxruntime runs published models as we write them") {
  const std::string python = python_with_onnx();
  if (python.empty()) return;
  const auto folder = shared_file("models/onnx");
  if (!folder) return;
  std::vector<std::string> models;
  for (const char* name :
       {"FastestDet", "SqueezeNet_fp16", "g1_policy", "mnist", "light/light_squeezenet",
        "light/light_densenet121", "light/light_resnet50", "magika/standard_v3_3/model",
        "ppocr/ch_PP-OCRv4_rec_infer", "ppocr/ch_ppocr_mobile_v2.0_cls_infer"}) {
    const std::string path = *folder + "/" + name + ".onnx";
    if (path_kind(path) != PathKind::kMissing) models.push_back(path);
  }
  REQUIRE(!models.empty());
  for (const std::string passes : {"none", "default"}) {
    const Json result = round_trip(python, passes, models);
    CHECK_MESSAGE(result.at("bad").empty(), result.dump());
    CHECK(count_of(result, "same") == static_cast<int>(models.size()));
  }
}

}  // namespace polaris
