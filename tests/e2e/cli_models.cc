// The command line on model files: info, inspect, run, bench.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "base/strings.h"
#include "support/compare.h"
#include "support/onnx_builder.h"
#include "support/process.h"
#include "support/session_run.h"
#include "test_paths.h"
#include "wire/npy.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::json;

std::string onnx_path(const std::string& name) {
  return std::string(kSourceDir) + "/tests/data/onnx/" + name;
}
std::string stories() { return std::string(kSourceDir) + "/models/stories/stories-q8_0.gguf"; }

std::set<std::string> keys_of(const Json& json) {
  std::set<std::string> out;
  for (const auto& [key, value] : json.items()) out.insert(key);
  return out;
}

/// The only line of a successful run, as JSON.
Json json_of(const std::vector<std::string>& arguments) {
  const ProcessResult result = run_polaris(arguments);
  CAPTURE(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(result.err.empty());
  REQUIRE(result.out.find('\n') == result.out.size() - 1);
  return Json::parse(result.out);
}

TEST_CASE("info lists the devices") {
  const Json json = json_of({"info", "--json"});
  std::set<std::string> backends;
  for (const Json& device : json.at("devices")) {
    backends.insert(device.at("backend").get<std::string>());
    CHECK(device.at("memory_bytes").get<std::int64_t>() > 0);
    CHECK(device.at("budget_bytes").get<std::int64_t>() > 0);
    CHECK_FALSE(device.at("name").get<std::string>().empty());
  }
  CHECK(backends.contains("cpu"));
  CHECK(backends.contains("reference"));
  const ProcessResult text = run_polaris({"info"});
  CHECK(text.exit_code == 0);
  CHECK(text.out.starts_with("cpu  "));
}

TEST_CASE("inspect names what a model takes and gives") {
  const Json json = json_of({"inspect", onnx_path("qdq_cnn.onnx"), "--json", "--device", "cpu"});
  CHECK(json.at("format") == "onnx");
  REQUIRE(json.at("inputs").size() == 1);
  const Json& input = json.at("inputs")[0];
  CHECK(keys_of(input) == std::set<std::string>{"name", "dtype", "shape"});
  CHECK(input.at("name") == "x");
  CHECK(input.at("dtype") == "float32");
  CHECK(input.at("shape").size() == 4);
  CHECK(json.at("outputs").size() == 2);
  CHECK(keys_of(json.at("outputs")[0]) == std::set<std::string>{"name", "dtype", "shape"});
  CHECK(json.at("parameters").get<std::int64_t>() > 0);
  CHECK(json.at("memory").is_object());

  const Json gguf = json_of({"inspect", stories(), "--json", "--device", "cpu"});
  CHECK(gguf.at("format") == "gguf");
  CHECK(gguf.at("parameters") == 2048064);
  REQUIRE(gguf.at("memory").contains("cpu"));
  CHECK(gguf.at("memory").at("cpu").at("fits") == true);
  const ProcessResult text = run_polaris({"inspect", stories()});
  CHECK(text.exit_code == 0);
  CHECK(text.out.find("gguf (llama)") != std::string::npos);
}

void check_run(const std::string& model, const std::string& name, const std::string& device) {
  CAPTURE(model);
  const TemporaryFolder folder;
  const std::string stem = onnx_path(model + "." + name);
  std::vector<std::string> arguments = {
      "run", onnx_path(model + ".onnx"), "-o", folder.file("out"), "--json", "--device", device};
  for (const auto& entry : std::filesystem::directory_iterator(onnx_path(""))) {
    const std::string file = entry.path().filename().string();
    const std::string prefix = model + "." + name + ".in.";
    if (!file.starts_with(prefix)) continue;
    const std::string input = file.substr(prefix.size(), file.size() - prefix.size() - 4);
    arguments.insert(arguments.end(), {"-i", input + "=" + entry.path().string()});
  }
  const Json json = json_of(arguments);
  CHECK(keys_of(json) == std::set<std::string>{"outputs", "wall_ms", "device"});
  CHECK(json.at("device") == device);
  CHECK(json.at("wall_ms").get<double>() > 0);
  REQUIRE_FALSE(json.at("outputs").empty());
  for (const Json& output : json.at("outputs")) {
    CHECK(keys_of(output) == std::set<std::string>{"name", "dtype", "shape", "file"});
    const std::string output_name = output.at("name");
    CAPTURE(output_name);
    CHECK(output.at("file") == folder.file("out/" + output_name + ".npy"));
    auto got = load_npy(output.at("file").get<std::string>());
    auto wanted = load_npy(stem + ".out." + output_name + ".npy");
    REQUIRE(got);
    REQUIRE(wanted);
    REQUIRE(got->type() == wanted->type());
    CHECK(dtype_name(got->dtype()) == output.at("dtype").get<std::string>());
    CHECK(got->shape().rank() == static_cast<int>(output.at("shape").size()));
    if (model == "qdq_cnn") {
      // onnxruntime rounds between its layers: one step at most, of 0.02 where dequantized.
      CHECK(max_difference(*got, *wanted) <= (got->dtype() == DType::kF32 ? 0.0201 : 1.0));
    } else {
      CHECK(difference(*got, *wanted) == "");
    }
  }
}

TEST_CASE("run gives onnxruntime's outputs") {
  for (const std::string device : {"cpu", "reference"}) {
    CAPTURE(device);
    check_run("loop_dynamic", "many", device);
    check_run("if_in_loop", "seven", device);
    check_run("nonzero_gather", "some", device);
    check_run("qdq_cnn", "three", device);
  }
}

TEST_CASE("run fills inputs from a seed") {
  const TemporaryFolder folder;
  const std::string model = onnx_path("qdq_cnn.onnx");
  const Json symbols = json_of({"inspect", model, "--json"}).at("inputs")[0].at("shape");
  if (!symbols[0].is_string()) return;
  const std::string dim = symbols[0].get<std::string>() + "=2";
  const auto with = [&](const std::string& seed, const std::string& to) {
    const Json json = json_of(
        {"run", seed, model, "-o", folder.file(to), "--json", "--device", "cpu", "--dim", dim});
    auto tensor = load_npy(json.at("outputs").back().at("file").get<std::string>());
    REQUIRE(tensor);
    return tensor.take();
  };
  const Tensor a = with("--random-inputs", "a");
  CHECK(a.shape()[0] == 2);
  CHECK(max_difference(a, with("--random-inputs=0", "b")) == 0);
  CHECK(max_difference(a, with("--random-inputs=1", "c")) > 0);
}

TEST_CASE("bench times a model") {
  const Json json = json_of({"bench", onnx_path("qdq_cnn.onnx"), "--json", "--device", "cpu",
                             "--runs", "3", "--warmup", "1"});
  CHECK(keys_of(json) == std::set<std::string>{"median_ms", "p90_ms", "runs", "kernel_ms",
                                               "outside_ms", "flops", "bytes", "flops_share",
                                               "bytes_share", "limit_share", "limit", "device",
                                               "cpu_ms", "launches", "nodes", "weight_bytes",
                                               "arena_bytes", "live_bytes"});
  const auto number = [&](const char* key) { return json.at(key).get<double>(); };
  CHECK(number("kernel_ms") > 0);
  CHECK(number("outside_ms") >= 0);
  const double seconds = number("kernel_ms") / 1000;
  CHECK(number("flops_share") ==
        doctest::Approx(number("flops") / json.at("limit").at("flops_per_s").get<double>() /
                        seconds));
  CHECK(number("bytes_share") ==
        doctest::Approx(number("bytes") / json.at("limit").at("bytes_per_s").get<double>() /
                        seconds));
  CHECK(number("limit_share") == std::max(number("flops_share"), number("bytes_share")));
  CHECK(number("cpu_ms") > 0);
  CHECK(number("live_bytes") > 0);
  CHECK(number("arena_bytes") >= number("live_bytes"));
  CHECK(json.at("median_ms").get<double>() > 0);
  CHECK(json.at("p90_ms").get<double>() >= json.at("median_ms").get<double>());
  CHECK(json.at("runs") == 3);
  CHECK(json.at("flops").get<std::int64_t>() > 0);
  CHECK(json.at("bytes").get<std::int64_t>() > 0);
  CHECK(json.at("device") == "cpu");
  const ProcessResult table = run_polaris(
      {"bench", onnx_path("qdq_cnn.onnx"), "--profile", "--runs", "1", "--device", "cpu"});
  CHECK(table.exit_code == 0);
  CHECK(table.out.find("GFLOP/s") != std::string::npos);
  const Json profile = json_of({"bench", onnx_path("qdq_cnn.onnx"), "--profile", "--runs", "1",
                                "--device", "cpu", "--json"});
  double us = 0;
  for (const Json& node : profile.at("profile")) us += node.at("us").get<double>();
  CHECK(us == doctest::Approx(1000 * profile.at("kernel_ms").get<double>()));
}

TEST_CASE("bench times a model with the passes asked for") {
  const auto nodes = [](const char* passes) {
    return json_of({"bench", onnx_path("qdq_cnn.onnx"), "--json", "--device", "cpu", "--runs", "1",
                    "--passes", passes})
        .at("nodes")
        .get<int>();
  };
  CHECK(nodes("none") > nodes("-fuse_qdq"));
  CHECK(nodes("-fuse_qdq") > nodes("default"));
  const ProcessResult wrong =
      run_polaris({"bench", onnx_path("qdq_cnn.onnx"), "--passes", "no_such_pass"});
  CHECK(wrong.exit_code == 2);
  CHECK(wrong.err.find("no_such_pass") != std::string::npos);
}

TEST_CASE("bench's limits are the device's: they are the same whatever model is timed") {
  for (const std::string device : {"cpu", "reference"}) {
    CAPTURE(device);
    const auto limit = [&](const std::string& model, const char* key) {
      return json_of({"bench", onnx_path(model), "--json", "--runs", "1", "--device", device,
                      "--threads", "1"})
          .at("limit")
          .at(key)
          .get<double>();
    };
    for (const char* key : {"flops_per_s", "bytes_per_s"}) {
      CAPTURE(key);
      CHECK(limit("qdq_cnn.onnx", key) > 0);
    }
  }
}

TEST_CASE("bench times one step of a language model") {
  const Json json = json_of({"bench", stories(), "--json", "--device", "cpu", "--runs", "2",
                             "--warmup", "0", "--depth", "100"});
  CHECK(json.at("median_ms").get<double>() > 0);
  // Every weight is used once: two operations and, in q8_0, little more than a byte each.
  CHECK(json.at("flops").get<std::int64_t>() > 2 * 2048064);
  CHECK(json.at("bytes").get<std::int64_t>() > 2048064);
  const ProcessResult deep = run_polaris({"bench", stories(), "--depth", "512"});
  CHECK(deep.exit_code == 1);
  CHECK(deep.err.find("context of 512") != std::string::npos);
}

TEST_CASE("inspect counts the cache of the context asked for") {
  const auto states = [](const std::string& context) {
    return json_of({"inspect", stories(), "--json", "--device", "cpu", "--kv-type", "f32", "-c",
                    context})
        .at("memory")
        .at("cpu")
        .at("state_bytes")
        .get<std::int64_t>();
  };
  CHECK(states("256") == 2 * states("128"));
  // Five layers, keys and values.
  CHECK(states("256") % (256 * 5 * 2 * 4) == 0);
}

TEST_CASE("--plugin brings an operator to the command line") {
  const TemporaryFolder folder;
  OnnxGraph graph;
  graph.inputs = {onnx_value("x", 1, {"4"})};
  graph.nodes = {onnx_node("Squash", {"x"}, {"y"}, {attr_float("gain", 2)}, "demo")};
  graph.outputs = {onnx_value("y", 1, {"4"})};
  // An opset_import of {domain "demo", version 1} beside ONNX's own.
  const std::string demo = proto_bytes(8, proto_bytes(1, "demo") + proto_varint(2, 1));
  const auto bytes = onnx_model(graph.encode(), 17, demo);
  const std::string model = folder.file("squash.onnx");
  REQUIRE(write_file(model, bytes));
  const std::array values = {-1.0f, 0.0f, 0.5f, 3.0f};
  auto x = Tensor::from_bytes({DType::kF32, Shape{4}, {}}, std::as_bytes(std::span(values)));
  REQUIRE(x);
  REQUIRE(save_npy(folder.file("x.npy"), *x));
  std::vector<std::string> arguments = {"run", model,         "-i",     "x=" + folder.file("x.npy"),
                                        "-o",  folder.path(), "--json", "--device",
                                        "cpu"};
  const ProcessResult without = run_polaris(arguments);
  CHECK(without.exit_code == 1);
  CHECK(without.err.find("demo.Squash") != std::string::npos);
  arguments.insert(arguments.end(), {"--plugin", std::string(kBuildDir) + "/plugins/sample.so"});
  (void)json_of(arguments);
  auto y = load_npy(folder.file("y.npy"));
  REQUIRE(y);
  const auto* got = reinterpret_cast<const float*>(y->bytes().data());
  CHECK(got[0] == doctest::Approx(-2.0 / 3));
  CHECK(got[1] == 0);
  CHECK(got[2] == doctest::Approx(0.5));
  CHECK(got[3] == doctest::Approx(6.0 / 7));

  arguments.back() = folder.file("none.so");
  const ProcessResult missing = run_polaris(arguments);
  CHECK(missing.exit_code == 1);
  CHECK(missing.err.find("none.so") != std::string::npos);
}

TEST_CASE("bench --llm gives tokens per second") {
  const Json json = json_of(
      {"bench", stories(), "--llm", "--json", "--device", "cpu", "--runs", "1", "--warmup", "0"});
  CHECK(json.at("prompt_tokens") == 512);
  CHECK(json.at("tokens") == 128);
  CHECK(json.at("prompt_tokens_per_s").get<double>() > 0);
  CHECK(json.at("tokens_per_s").get<double>() > 0);
  CHECK_FALSE(json.contains("profile"));
  for (const char* key : {"prompt_kernel_ms", "decode_kernel_ms", "prompt_limit_share",
                          "decode_limit_share", "decode_bytes_share", "prompt_flops_share"}) {
    CAPTURE(key);
    CHECK(json.at(key).get<double>() > 0);
  }
}

TEST_CASE("bench --llm --profile tells where a prompt's and a token's time goes") {
  const std::vector<std::string> arguments = {
      "bench",    stories(), "--llm",           "--profile", "--device", "cpu", "--runs",  "1",
      "--warmup", "0",       "--prompt-tokens", "40",        "--tokens", "2",   "--depth", "30"};
  std::vector<std::string> as_json = arguments;
  as_json.emplace_back("--json");
  const Json profile = json_of(as_json).at("profile");
  CHECK(keys_of(profile) == std::set<std::string>{"prompt", "decode"});
  std::map<std::string, std::int64_t> flops;
  for (const auto& [step, nodes] : profile.items()) {
    std::set<std::string> ops;
    for (const Json& node : nodes) {
      CHECK(keys_of(node) ==
            std::set<std::string>{"node", "op", "kernel", "device", "us", "flops", "bytes"});
      ops.insert(node.at("op").get<std::string>());
      if (node.at("node") == "blk.0.ffn_down") flops[step] = node.at("flops").get<std::int64_t>();
    }
    CHECK(ops.contains("polaris.Linear"));
    CHECK(ops.contains("polaris.PagedAttention"));
  }
  // A prompt of 40 goes in a bucket of 64, a token alone.
  CHECK(flops["prompt"] == 64 * flops["decode"]);
  const ProcessResult text = run_polaris(arguments);
  CHECK(text.exit_code == 0);
  CHECK(text.out.find("a prompt of 40 tokens") != std::string::npos);
  CHECK(text.out.find("one token behind 30") != std::string::npos);
}

}  // namespace
}  // namespace polaris
