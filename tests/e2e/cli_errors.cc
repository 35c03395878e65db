// What goes wrong is said in one line on stderr, and by the exit code.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "support/generation.h"
#include "support/onnx_builder.h"
#include "support/process.h"
#include "test_paths.h"
#include "wire/npy.h"

namespace polaris {
namespace {

using namespace test;

std::string onnx_path(const std::string& name) {
  return std::string(kSourceDir) + "/tests/data/onnx/" + name;
}

void write_bytes(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  REQUIRE(file.good());
}

/// Exit code 1 and one line `polaris: error: ...` that holds every one of `words`.
void check_fails(const std::vector<std::string>& arguments, const std::vector<std::string>& words,
                 int exit_code = 1) {
  const ProcessResult result = run_polaris(arguments);
  CAPTURE(result.err);
  CHECK(result.exit_code == exit_code);
  CHECK(result.out.empty());
  CHECK(result.err.starts_with("polaris: error: "));
  CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
  CHECK(result.err.ends_with("\n"));
  for (const std::string& word : words) {
    CAPTURE(word);
    CHECK(result.err.find(word) != std::string::npos);
  }
}

TEST_CASE("files that are no models") {
  const TemporaryFolder folder;
  check_fails({"inspect", folder.file("none.gguf")}, {"none.gguf"});
  check_fails({"run", folder.file("none.onnx"), "--random-inputs"}, {"none.onnx"});
  write_bytes(folder.file("text.gguf"), "this is no model at all, whatever its name says\n");
  check_fails({"inspect", folder.file("text.gguf")}, {"text.gguf"});
  check_fails({"generate", folder.file("text.gguf"), "-p", "x"}, {"text.gguf"});
  write_bytes(folder.file("empty"), "");
  check_fails({"inspect", folder.file("empty")}, {"empty"});
  check_fails({"inspect", folder.path()}, {});
  check_fails({"tokenize", onnx_path("qdq_cnn.onnx"), "x"}, {"tokenizer"});
  check_fails({"generate", onnx_path("qdq_cnn.onnx"), "-p", "x"}, {"decoder"});
}

TEST_CASE("a cut GGUF file is refused wherever it is cut") {
  const TemporaryFolder folder;
  auto whole = read_file(stories_path("q4_0"), 1 << 24);
  REQUIRE(whole);
  const std::size_t size = whole->size();
  for (const std::size_t cut :
       {std::size_t{5}, std::size_t{100}, std::size_t{20000}, size / 2, size - 1}) {
    CAPTURE(cut);
    write_bytes(folder.file("cut.gguf"), std::string_view(*whole).substr(0, cut));
    check_fails({"generate", folder.file("cut.gguf"), "-p", "x"}, {"cut.gguf"});
  }
}

TEST_CASE("inputs that do not fit the model") {
  const TemporaryFolder folder;
  const std::string model = onnx_path("qdq_cnn.onnx");
  const std::string fitting = onnx_path("qdq_cnn.one.in.x.npy");
  check_fails({"run", model}, {"'x'", "missing"});
  check_fails({"run", model, "-i", "y=" + fitting}, {"'y'", "'x'"});
  check_fails({"run", model, "-i", "x"}, {"NAME=FILE"});
  check_fails({"run", model, "-i", "x=" + folder.file("none.npy")}, {"none.npy"});
  write_bytes(folder.file("bad.npy"), "no array");
  check_fails({"run", model, "-i", "x=" + folder.file("bad.npy")}, {"bad.npy"});
  auto array = load_npy(fitting);
  REQUIRE(array);
  auto wrong_type = Tensor::allocate(DType::kF64, array->shape());
  REQUIRE(wrong_type);
  REQUIRE(save_npy(folder.file("type.npy"), *wrong_type));
  check_fails({"run", model, "-i", "x=" + folder.file("type.npy")}, {"'x'", "float64", "float32"});
  auto wrong_shape = Tensor::allocate(DType::kF32, {1, 3, 5});
  REQUIRE(wrong_shape);
  REQUIRE(save_npy(folder.file("shape.npy"), *wrong_shape));
  check_fails({"run", model, "-i", "x=" + folder.file("shape.npy")}, {"'x'", "[1, 3, 5]"});
  check_fails({"run", model, "-i", "x=" + fitting, "--function", "other"}, {"other"});
  check_fails({"run", model, "--random-inputs=many"}, {"--random-inputs", "many"}, 2);
  check_fails({"run", model, "--random-inputs", "--dim", "zz=3"}, {"--dim", "zz"});
  check_fails({"run", model, "--random-inputs", "-o", "/dev/null/out"}, {"/dev/null/out"});
}

TEST_CASE("devices that are not there") {
  const std::string model = onnx_path("qdq_cnn.onnx");
  check_fails({"run", model, "--random-inputs", "--device", "gpu"}, {"[device]", "'gpu'"});
  check_fails({"run", model, "--random-inputs", "--device", ""}, {"[device]"});
  check_fails({"run", model, "--random-inputs", "--device", "vulkan:no such card"},
              {"no such card"});
  check_fails({"run", model, "--random-inputs", "--device", "cpu", "--threads", "-3"},
              {"--threads"}, 2);
}

TEST_CASE("an input of more bytes than can be had is named") {
  const TemporaryFolder folder;
  OnnxGraph graph;
  graph.inputs = {onnx_value("small", 1, {"2"}), onnx_value("large", 1, {"n", "1024"})};
  graph.nodes = {onnx_node("Neg", {"small"}, {"y"}), onnx_node("Neg", {"large"}, {"z"})};
  graph.outputs = {onnx_value("y", 1, {"2"}), onnx_value("z", 1, {"n", "1024"})};
  const auto bytes = onnx_model(graph.encode(), 17);
  write_bytes(folder.file("large.onnx"),
              {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  for (const std::string n : {"n=1099511627776", "n=9000000000000000000"}) {
    check_fails({"run", folder.file("large.onnx"), "--random-inputs", "--dim", n}, {"'large'"});
  }
}

TEST_CASE("an operator that nobody knows is named") {
  const TemporaryFolder folder;
  OnnxGraph graph;
  graph.inputs = {onnx_value("x", 1, {"2", "3"})};
  graph.nodes = {onnx_node("Fancy", {"x"}, {"y"}, {}, "com.example")};
  graph.outputs = {onnx_value("y", 1, {"2", "3"})};
  const auto bytes = onnx_model(graph.encode(), 17);
  write_bytes(folder.file("fancy.onnx"),
              {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  check_fails({"run", folder.file("fancy.onnx"), "--random-inputs"}, {"Fancy", "onnx"});
}

TEST_CASE("wrong usage") {
  check_fails({}, {}, 2);
  check_fails({"fly"}, {"fly"}, 2);
  check_fails({"run"}, {"model"}, 2);
  check_fails({"generate", stories_path("q4_0")}, {"prompt"}, 2);
  check_fails({"generate", stories_path("q4_0"), "-p", "x", "-n", "many"}, {"many"}, 2);
  check_fails({"generate", stories_path("q4_0"), "-p", "x", "--kv-type", "q2"}, {"q2"}, 2);
  check_fails({"run", onnx_path("qdq_cnn.onnx"), "--no-such-option"}, {"--no-such-option"}, 2);
  const ProcessResult help = run_polaris({"--help"});
  CHECK(help.exit_code == 0);
  CHECK(help.out.find("generate") != std::string::npos);
  CHECK(run_polaris({"run", "--help"}).exit_code == 0);
  CHECK(run_polaris({"--version"}).out.starts_with("polaris "));
}

TEST_CASE("requests that cannot be met") {
  const std::string model = stories_path("q4_0");
  check_fails({"generate", model, "-p", "x", "-n", "0"}, {"--tokens"}, 2);
  std::string prompt;
  for (int i = 0; i < 600; ++i) prompt += "time ";
  check_fails({"generate", model, "-p", prompt, "--device", "cpu"}, {"prompt", "512"});
  check_fails({"detokenize", model, "5", "99999"}, {"99999", "1535"});
  check_fails({"inspect", model, "-c", "-1", "--device", "cpu"}, {"--context", "0 to 2147483647"},
              2);
  check_fails({"inspect", model, "--dim", "nothing=3", "--device", "cpu"}, {"--dim", "nothing"});
}

TEST_CASE("lists of ids that are none") {
  const TemporaryFolder folder;
  const std::string model = stories_path("q4_0");
  const std::string file = folder.file("ids.json");
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"", "no JSON"},
      {"[1, 2", "no JSON"},
      {"7", "no list"},
      {"{\"a\": [1]}", "no list"},
      {"[1, 2.5]", "element 1"},
      {"[\"1\"]", "element 0"},
      {"[-1]", "element 0"},
      {"[4294967296]", "element 0"},
      {"[null]", "element 0"},
      {"{\"ids\": 3}", "no list"},
      {"[18446744073709551615]", "element 0"}};
  for (const auto& [text, word] : bad) {
    CAPTURE(text);
    write_bytes(file, text);
    check_fails({"generate", model, "--ids-file", file}, {"ids.json", word});
    check_fails({"generate", model, "x", "--force-ids", file}, {"ids.json", word});
  }
  write_bytes(file, "[]");
  check_fails({"generate", model, "--ids-file", file, "--device", "cpu"}, {"no token"});
  check_fails({"generate", model, "x", "--force-ids", file, "--device", "cpu"}, {"ids.json"});
  // Beyond the vocabulary.
  write_bytes(file, "[1, 99999]");
  check_fails({"generate", model, "--ids-file", file, "--device", "cpu"},
              {"prompt token, got 99999"});
  check_fails({"generate", model, "x", "--force-ids", file, "--device", "cpu"},
              {"forced token, got 99999"});
  check_fails({"generate", model, "--ids-file", folder.file("none.json")}, {"none.json"});
  check_fails({"generate", model, "x", "--ids-file", file}, {"--ids-file"}, 2);
  write_bytes(file, "[1]");
  const ProcessResult lost = run_polaris({"generate", model, "--ids-file", file, "--logits",
                                          folder.file("no/x.npy"), "--device", "cpu", "-n", "1"});
  CHECK(lost.exit_code == 1);
  CHECK(lost.err.find("no/x.npy") != std::string::npos);
}

}  // namespace
}  // namespace polaris
