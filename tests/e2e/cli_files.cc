// Files of the command line: inputs, outputs, the cache of a model hub, and a stdout that fails.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
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
using Json = nlohmann::json;

constexpr const char* kDevices[] = {"cpu", "reference"};

/// y_i = x + i + 1 for each output name, of the input `input`.
std::vector<std::byte> adds(const std::string& input, const std::vector<std::string>& outputs) {
  OnnxGraph graph;
  graph.inputs = {onnx_value(input, 1, {"2"})};
  std::string last = input;
  for (const std::string& name : outputs) {
    graph.nodes.push_back(onnx_node("Neg", {last}, {name}));
    graph.outputs.push_back(onnx_value(name, 1, {"2"}));
    last = name;
  }
  return onnx_model(graph.encode(), 17);
}

std::string save(const TemporaryFolder& folder, const std::string& name, float first,
                 float second) {
  const std::array values = {first, second};
  auto x = Tensor::from_bytes({DType::kF32, Shape{2}, {}}, std::as_bytes(std::span(values)));
  REQUIRE(x);
  REQUIRE(save_npy(folder.file(name), *x));
  return folder.file(name);
}

float first_of(const std::string& path) {
  auto tensor = load_npy(path);
  REQUIRE_MESSAGE(tensor.ok(), tensor.error().message());
  return tensor->mutable_data<float>()[0];
}

TEST_CASE("every output has a file of its own, and --json says which") {
  const TemporaryFolder folder;
  const std::vector<std::string> names = {
      "a/b", "a:b", "a_b", "a_b_2", "\xE7\xBB\x93\xE6\x9E\x9C", "\xE6\xA6\x82\xE7\x8E\x87",
      "..",  "a b", "Y",   "y",     std::string(300, 'n'),      std::string(300, 'n') + "2",
      "x;rm"};
  REQUIRE(write_file(folder.file("model.onnx"), adds("x", names)));
  const std::string x = save(folder, "x.npy", 1, 2);
  for (const char* device : kDevices) {
    const std::string out = folder.file(std::string("out_") + device);
    const ProcessResult result = run_polaris({"run", folder.file("model.onnx"), "-i", "x=" + x,
                                              "-o", out, "--json", "--device", device});
    CAPTURE(result.err);
    REQUIRE(result.exit_code == 0);
    std::set<std::string> files;
    std::size_t at = 0;
    const Json json = Json::parse(result.out);
    for (const Json& output : json.at("outputs")) {
      CHECK(output.at("name") == names[at]);
      const std::string file = output.at("file");
      CAPTURE(file);
      CHECK(files.insert(file).second);
      CHECK(path_folder(file) == out);
      CHECK(first_of(file) == (at % 2 == 0 ? -1.0f : 1.0f));
      ++at;
    }
    CHECK(at == names.size());
    // Names that need no change keep their own, whoever comes before.
    CHECK(json.at("outputs")[2].at("file") == out + "/a_b.npy");
    CHECK(json.at("outputs")[3].at("file") == out + "/a_b_2.npy");
    CHECK(json.at("outputs")[8].at("file") == out + "/Y.npy");
    CHECK(std::distance(std::filesystem::directory_iterator(out), {}) ==
          static_cast<std::ptrdiff_t>(names.size()));
  }
}

TEST_CASE("an input's name may hold what stands between name and file") {
  const TemporaryFolder folder;
  const std::string x = save(folder, "in=x.npy", 3, 4);
  for (const std::string name : {"x", "a=b", "=", "a=", "=a", "a==b=c"}) {
    CAPTURE(name);
    REQUIRE(write_file(folder.file("model.onnx"), adds(name, {"y"})));
    const ProcessResult result =
        run_polaris({"run", folder.file("model.onnx"), "-i", name + "=" + x, "-o", folder.path(),
                     "--device", "cpu", "-q"});
    CAPTURE(result.err);
    CHECK(result.exit_code == 0);
    CHECK(first_of(folder.file("y.npy")) == -3);
  }
}

TEST_CASE("an input that is given twice is wrong usage") {
  const TemporaryFolder folder;
  const std::string x = save(folder, "x.npy", 3, 4);
  REQUIRE(write_file(folder.file("model.onnx"), adds("x", {"y"})));
  for (const std::string command : {"run", "bench"}) {
    const ProcessResult result =
        run_polaris({command, folder.file("model.onnx"), "-i", "x=" + x, "-i", "x=" + x});
    CAPTURE(result.err);
    CHECK(result.exit_code == 2);
    CHECK(result.err.find("'x' twice") != std::string::npos);
  }
}

TEST_CASE("bench takes inputs as run does") {
  const TemporaryFolder folder;
  const std::string x = save(folder, "x.npy", 3, 4);
  REQUIRE(write_file(folder.file("model.onnx"), adds("x", {"y"})));
  const ProcessResult good = run_polaris({"bench", folder.file("model.onnx"), "-i", "x=" + x,
                                          "--runs", "1", "--device", "cpu", "--json"});
  CAPTURE(good.err);
  CHECK(good.exit_code == 0);
  const ProcessResult bad = run_polaris({"bench", folder.file("model.onnx"), "-i", "z=" + x});
  CHECK(bad.exit_code == 1);
  CHECK(bad.err.find("'z'") != std::string::npos);
  // Of a language model the tokens are made up: an input would be ignored.
  const std::string story = std::string(kSourceDir) + "/models/stories/stories-q4_0.gguf";
  for (const bool llm : {false, true}) {
    std::vector<std::string> line = {"bench", story, "--device", "cpu", "-i", "ids=" + x};
    if (llm) line.push_back("--llm");
    const ProcessResult refused = run_polaris(line);
    CHECK(refused.exit_code == 2);
    CHECK(refused.err.find("ids=") != std::string::npos);
    CHECK(refused.err.find("--prompt-tokens") != std::string::npos);
  }
}

TEST_CASE("a model with external data in a hub's cache runs") {
  const TemporaryFolder folder;
  OnnxGraph graph;
  graph.inputs = {onnx_value("x", 1, {"2"})};
  graph.nodes = {onnx_node("Add", {"x", "w"}, {"y"})};
  graph.outputs = {onnx_value("y", 1, {"2"})};
  // TensorProto: dims 1, data_type 2, name 8, external_data 13, data_location 14.
  const auto entry = [](const std::string& key, const std::string& value) {
    return proto_bytes(13, proto_bytes(1, key) + proto_bytes(2, value));
  };
  graph.initializers = {proto_varint(1, 2) + proto_varint(2, 1) + proto_bytes(8, "w") +
                        entry("location", "model.onnx_data") + proto_varint(14, 1)};
  const std::array weights = {10.0f, 20.0f};
  const std::string repository = folder.file("models--me--m");
  const std::string snapshot = repository + "/snapshots/0123abc/onnx";
  REQUIRE(make_folder(repository + "/blobs"));
  REQUIRE(make_folder(snapshot));
  REQUIRE(write_file(repository + "/blobs/aaaa", onnx_model(graph.encode(), 17)));
  REQUIRE(write_file(repository + "/blobs/bbbb", std::as_bytes(std::span(weights))));
  std::filesystem::create_symlink("../../../blobs/aaaa", snapshot + "/model.onnx");
  std::filesystem::create_symlink("../../../blobs/bbbb", snapshot + "/model.onnx_data");
  const std::string x = save(folder, "x.npy", 3, 4);
  const std::vector<std::string> arguments = {
      "run", snapshot + "/model.onnx", "-i", "x=" + x, "-o", folder.path(), "-q", "--device",
      "cpu"};
  const ProcessResult good = run_polaris(arguments);
  CAPTURE(good.err);
  CHECK(good.exit_code == 0);
  CHECK(first_of(folder.file("y.npy")) == 13);
  // The same link to a place outside of the cache.
  REQUIRE(write_file(folder.file("outside"), std::as_bytes(std::span(weights))));
  std::filesystem::remove(snapshot + "/model.onnx_data");
  std::filesystem::create_symlink("../../../../outside", snapshot + "/model.onnx_data");
  const ProcessResult bad = run_polaris(arguments);
  CHECK(bad.exit_code == 1);
  CHECK(bad.err.find("out of the model's folder") != std::string::npos);
}

/// Runs polaris with stdout on `path` (empty: closed); the exit code, and stderr in `err`.
int run_onto(const std::string& path, const std::vector<std::string>& arguments, std::string& err) {
  const TemporaryFolder folder;
  std::string line = std::string(kBuildDir) + "/polaris";
  for (const std::string& argument : arguments) line += " '" + argument + "'";
  line += path.empty() ? " >&-" : " > " + path;
  line += " 2> " + folder.file("err");
  const int status = std::system(line.c_str());
  err = *read_file(folder.file("err"), 1 << 16);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_CASE("an answer that cannot be written is no success, whatever the command") {
  const TemporaryFolder folder;
  REQUIRE(write_file(folder.file("model.onnx"), adds("x", {"y"})));
  const std::string story = stories_path("q4_0");
  const std::string model = folder.file("model.onnx");
  const std::vector<std::vector<std::string>> lines = {
      {"info"},
      {"info", "--json"},
      {"inspect", story, "--device", "cpu"},
      {"tokenize", story, "hello"},
      {"detokenize", story, "300"},
      {"generate", story, "hello", "-n", "3", "--device", "cpu", "-q"},
      {"generate", story, "hello", "-n", "3", "--device", "cpu", "--json"},
      {"run", model, "--random-inputs", "--device", "cpu"},
      {"run", model, "--random-inputs", "--device", "cpu", "-o", folder.path(), "--json"},
      {"bench", model, "--runs", "1", "--device", "cpu"},
      {"bench", story, "--llm", "--runs", "1", "--warmup", "0", "--tokens", "2", "--prompt-tokens",
       "2", "--device", "cpu"},
      {"--help"},
      {"run", "--help"},
      {"--version"},
  };
  for (const std::string to : {"/dev/full", ""}) {
    for (const auto& arguments : lines) {
      CAPTURE(to);
      CAPTURE(arguments[0]);
      std::string err;
      CHECK(run_onto(to, arguments, err) == 1);
      CAPTURE(err);
      CHECK(err.find("polaris: error: [cli] stdout cannot be written") != std::string::npos);
    }
  }
  // What goes to a file is there all the same, and no file took the place of stdout.
  CHECK(load_npy(folder.file("y.npy")).ok());
}

}  // namespace
}  // namespace polaris
