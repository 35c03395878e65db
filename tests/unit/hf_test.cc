// safetensors files and folders of Hugging Face's: what is listed, what is refused. That networks
// are right stands in tests/e2e/generate_hf.cc.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/os/files.h"
#include "load/hf/architecture.h"
#include "load/load.h"
#include "save/safetensors/safetensors_writer.h"
#include "support/gguf_builder.h"
#include "support/process.h"
#include "support/shared_files.h"
#include "tensor/element.h"
#include "test_paths.h"

namespace polaris {
namespace {

using namespace test;
using Bytes = std::vector<std::byte>;
using Files = std::map<std::string, Bytes, std::less<>>;

Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

struct Named {
  std::string name;
  std::vector<std::int64_t> shape;
};

/// A file of float32 tensors whose elements are 1, 2, 3 ...; `pad` spaces end the header.
std::string tensors_file(const std::vector<Named>& tensors, std::size_t pad = 0) {
  std::string header = "{";
  std::string data;
  for (const Named& tensor : tensors) {
    std::string shape;
    std::int64_t count = 1;
    for (const std::int64_t dim : tensor.shape) {
      shape += (shape.empty() ? "" : ",") + std::to_string(dim);
      count *= dim;
    }
    header += header.size() > 1 ? "," : "";
    header += "\"" + tensor.name + "\":{\"dtype\":\"F32\",\"shape\":[" + shape +
              "],\"data_offsets\":[" + std::to_string(data.size()) + ",";
    for (std::int64_t i = 0; i < count; ++i) {
      const auto value = static_cast<float>(i + 1);
      data.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    header += std::to_string(data.size()) + "]}";
  }
  header += "}";
  header.resize((header.size() + 7) / 8 * 8 + pad, ' ');
  const std::uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + header + data;
}

Result<Model> load(std::string_view main, const Files& files = {}) {
  auto source = Source::in_memory("folder", bytes_of(main), files);
  LoadOptions options;
  options.arch.context_max = 64;
  return load_model(source, OpSet::builtin(), options);
}

std::string error_of(const Result<Model>& model) { return model ? "" : model.error().message(); }

void contains(const std::string& text, std::string_view part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
}

std::string data_folder(const std::string& name) {
  return std::string(kSourceDir) + "/tests/data/hf/" + name;
}

std::string text_of(const std::string& path) {
  auto text = read_file(path, 1 << 22);
  REQUIRE_MESSAGE(text, text.error().message());
  return text.take();
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  return text.replace(at, from.size(), to);
}

/// A folder of tests/data/hf with its config.json changed.
Result<Model> load_changed(const std::string& name, const std::string& from,
                           const std::string& to) {
  return load(replaced(text_of(data_folder(name) + "/config.json"), from, to),
              {{"model.safetensors", bytes_of(text_of(data_folder(name) + "/model.safetensors"))}});
}

void refused(const std::string& name, const std::string& from, const std::string& to,
             std::string_view why) {
  CAPTURE(to);
  const auto model = load_changed(name, from, to);
  REQUIRE_MESSAGE(model, model.error().message());
  CHECK(model->functions.empty());
  CHECK(!model->weights.empty());
  contains(model->no_function_reason, why);
}

void link(const std::string& to, const std::string& at) {
  REQUIRE(::symlink(to.c_str(), at.c_str()) == 0);
}

}  // namespace

TEST_CASE("a lone safetensors file is its tensors") {
  const auto model = load(tensors_file({{"a.weight", {2, 3}}, {"b", {4}}}));
  REQUIRE_MESSAGE(model, model.error().message());
  CHECK(model->format == "safetensors");
  CHECK(model->functions.empty());
  contains(model->no_function_reason, "tensors alone");
  CHECK(model->parameter_count == 10);
  REQUIRE(model->weights.size() == 2);
  CHECK(model->weights[0].name == "a.weight");
  CHECK(model->weights[0].storage == "float32");
  CHECK(model->weights[0].shape == Shape{2, 3});
  CHECK(model->weights[0].bytes == 24);
}

TEST_CASE("tensors are right wherever the header lets them begin") {
  for (std::size_t pad = 0; pad < 8; ++pad) {
    const auto model = load(tensors_file({{"a", {3}}, {"b", {2}}}, pad));
    REQUIRE_MESSAGE(model, model.error().message());
    const Tensor& b = model->weights[1].constant->data;
    CHECK(reinterpret_cast<std::uintptr_t>(b.bytes().data()) % alignof(float) == 0);
    CHECK(b.data<float>()[1] == 2.0f);
  }
}

TEST_CASE("safetensors files of the shared folder list their tensors") {
  const std::pair<const char*, std::size_t> files[] = {
      {"models/safetensors/burn_multi_layer.safetensors", 9},
      {"models/safetensors/mnist.safetensors", 8},
      {"models/safetensors/iree/parameter_weight_bias_1.safetensors", 2},
      {"models/cross/silero-vad/silero_vad_16k.safetensors", 1}};
  for (const auto& [name, least] : files) {
    const auto path = shared_file(name);
    if (!path) return;
    CAPTURE(name);
    const auto model = load_model(*path, OpSet::builtin());
    REQUIRE_MESSAGE(model, model.error().message());
    CHECK(model->weights.size() >= least);
    for (const Weight& weight : model->weights) CHECK(weight.constant);
  }
}

TEST_CASE("an index names its files' tensors, and leads nowhere else") {
  const Bytes one = bytes_of(tensors_file({{"a", {2}}, {"more", {1}}}));
  const Bytes two = bytes_of(tensors_file({{"b", {3}}}));
  const Files files = {{"one", one}, {"two", two}};
  const auto model = load(R"({"weight_map": {"a": "one", "b": "two"}})", files);
  REQUIRE_MESSAGE(model, model.error().message());
  REQUIRE(model->weights.size() == 2);
  CHECK(model->weights[0].name == "a");
  CHECK(model->weights[1].name == "b");
  contains(error_of(load(R"({"weight_map": {"a": "two"}})", files)),
           "tensor 'a', wanted it in 'two', which does not have it");
  contains(error_of(load(R"({"weight_map": {"a": "one", "a": "two"}})", files)),
           "tensor 'a' is there twice");
  contains(error_of(load(R"({"weight_map": {"a": 1}})", files)), "tensor 'a', got no file's name");
  contains(error_of(load(R"({"weight_map": {}})", files)), "'weight_map', got no names");
  contains(error_of(load(R"({"weight_map": {"a": "three"}})", files)), "'three'");
}

TEST_CASE("names and links of an index that leave the folder are refused") {
  TemporaryFolder outside;
  const std::string folder = outside.file("model");
  std::filesystem::create_directories(folder);
  REQUIRE(write_file(outside.file("secret.safetensors"), tensors_file({{"a", {2}}})));
  link(outside.file("secret.safetensors"), folder + "/absolute_link");
  link("../secret.safetensors", folder + "/link");
  for (const std::string& name : {std::string("../secret.safetensors"),
                                  outside.file("secret.safetensors"), std::string("absolute_link"),
                                  std::string("link"), std::string("x/../../secret.safetensors"),
                                  std::string(""), std::string("."), std::string("/")}) {
    CAPTURE(name);
    REQUIRE(write_file(folder + "/model.safetensors.index.json",
                       R"({"weight_map": {"a": ")" + name + R"("}})"));
    REQUIRE(write_file(folder + "/config.json", R"({"model_type": "llama"})"));
    for (const std::string& path : {folder, folder + "/model.safetensors.index.json"}) {
      CHECK(!load_model(path, OpSet::builtin()));
    }
  }
  // Nor does the folder's own file lead out of it.
  REQUIRE(write_file(outside.file("config.json"), R"({"model_type": "llama"})"));
  std::filesystem::remove(folder + "/config.json");
  link("../config.json", folder + "/config.json");
  CHECK(!load_model(folder, OpSet::builtin()));
}

TEST_CASE("a folder opens as the hub's cache lays it out") {
  TemporaryFolder cache;
  const std::string root = cache.file("models--me--m");
  const std::string snapshot = root + "/snapshots/abc";
  std::filesystem::create_directories(snapshot);
  std::filesystem::create_directories(root + "/blobs");
  for (const std::string name : {"config.json", "model.safetensors", "tokenizer.json"}) {
    std::filesystem::copy_file(data_folder("llama") + "/" + name, root + "/blobs/" + name + "0");
    link("../../blobs/" + name + "0", snapshot + "/" + name);
  }
  const auto model = load_model(snapshot, OpSet::builtin());
  REQUIRE_MESSAGE(model, model.error().message());
  CHECK(model->format == "hf");
  CHECK(model->architecture == "llama");
  CHECK(model->decoder);
}

TEST_CASE("a folder that is no model says what it wanted") {
  TemporaryFolder folder;
  contains(error_of(load_model(folder.path(), OpSet::builtin())), "a folder without config.json");
  contains(error_of(load(R"({"model_type": "llama"})")), "neither model.safetensors nor");
  const Files files = {{"model.safetensors", bytes_of(tensors_file({{"a", {2}}}))}};
  const auto unknown = load(R"({"model_type": "mamba"})", files);
  REQUIRE_MESSAGE(unknown, unknown.error().message());
  contains(unknown->no_function_reason, "'model_type', got 'mamba', wanted one of: bert, ");
  const auto quantized = load(R"({"model_type": "llama", "quantization_config": {}})", files);
  REQUIRE_MESSAGE(quantized, quantized.error().message());
  contains(quantized->no_function_reason, "quantization_config");
  contains(error_of(load(R"({"model_type": "llama"})", files)), "'block_count' is missing");
}

TEST_CASE("what there is no part for is refused by name") {
  refused("llama", "\"silu\"", "\"relu\"", "'hidden_act', got 'relu', wanted 'silu'");
  refused("llama", "\"llama3\"", "\"dynamic\"", "rope_type of default, linear");
  refused("gemma2", "\"full_attention\"", "\"chunked_attention\"", "'layer_types'");
  refused("bert", "\"gelu\"", "\"gelu_new\"", "'hidden_act'");
  refused("gpt2", "\"gelu_new\"", "\"relu\"", "'activation_function'");
  // A tensor too many is another network.
  auto files = Files{{"model.safetensors", bytes_of(tensors_file({{"model.extra.weight", {2}}}))}};
  const auto missing = load(text_of(data_folder("llama") + "/config.json"), files);
  contains(error_of(missing), "missing");
}

TEST_CASE("numbers that are none of a network's are refused") {
  const std::pair<const char*, const char*> changes[] = {
      {"\"num_hidden_layers\": 2", "\"num_hidden_layers\": -1"},
      {"\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1e300"},
      {"\"num_hidden_layers\": 2", "\"num_hidden_layers\": \"2\""},
      {"\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3"},
      {"\"hidden_size\": 32", "\"hidden_size\": 0"},
      {"\"hidden_size\": 32", "\"hidden_size\": 64"},
      {"\"num_attention_heads\": 4", "\"num_attention_heads\": 0"},
      {"\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3"},
      {"\"rope_theta\": 500000.0", "\"rope_theta\": 0"},
      {"\"high_freq_factor\": 4.0", "\"high_freq_factor\": 0.5"},
      {"\"factor\": 8.0", "\"factor\": -8.0"},
      {"\"eos_token_id\": 2", "\"eos_token_id\": -2"}};
  for (const auto& [from, to] : changes) {
    CAPTURE(to);
    CHECK(!load_changed("llama", from, to));
  }
}

TEST_CASE("damaged configurations and files give an answer") {
  std::uint64_t state = 1;
  const auto below = [&](std::uint64_t limit) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % limit;
  };
  for (const std::string name : {"llama", "gemma3", "phi3-long", "bert", "roberta"}) {
    CAPTURE(name);
    const std::string config = text_of(data_folder(name) + "/config.json");
    const std::string file = text_of(data_folder(name) + "/model.safetensors");
    for (int round = 0; round < 60; ++round) {
      std::string json = config;
      std::string tensors = file;
      std::string& hurt = round % 2 == 0 ? json : tensors;
      const std::size_t most = round % 2 == 0 ? hurt.size() : 4096;
      for (std::uint64_t i = 0; i <= below(4); ++i) {
        hurt[below(most)] = static_cast<char>(below(3) == 0 ? '0' + below(10) : below(256));
      }
      if (below(8) == 0) hurt.resize(below(hurt.size()));
      const auto model = load(json, {{"model.safetensors", bytes_of(tensors)}});
      if (!model && model.error().code() == ErrorCode::kInternal) {
        FAIL_CHECK(model.error().message());
      }
    }
  }
}

TEST_CASE("names of modules are those of a table, with their layer's number") {
  const hf::HfArchitecture* llama = hf::find_hf_architecture("llama");
  REQUIRE(llama != nullptr);
  const auto ours = [&](std::string_view name) {
    const auto found = hf::map_name(*llama, name);
    return found ? found->ours : "?";
  };
  CHECK(ours("model.layers.12.self_attn.q_proj.weight") == "blk.12.attn_q.weight");
  CHECK(ours("layers.0.mlp.down_proj.bias") == "blk.0.ffn_down.bias");
  CHECK(ours("lm_head.weight") == "output.weight");
  CHECK(ours("model.layers.0.self_attn.rotary_emb.inv_freq").empty());
  for (const char* name :
       {"model.layers.01.self_attn.q_proj.weight", "model.layers..self_attn.q_proj.weight",
        "model.layers.99999.self_attn.q_proj.weight", "model.layers.0.self_attn.q_projx.weight",
        "model.norm2.weight", "", "model."}) {
    CAPTURE(name);
    CHECK(ours(name) == "?");
  }
}

TEST_CASE("weights are written as safetensors under their names") {
  TemporaryFolder folder;
  TinyLlama tiny;
  tiny.weight_type = 2;  // q4_0
  Source source = Source::in_memory("tiny", tiny_llama(tiny).file());
  const auto model = load_model(source, OpSet::builtin());
  REQUIRE_MESSAGE(model, model.error().message());
  const std::string path = folder.file("out.safetensors");
  const auto report = write_safetensors(*model, path);
  REQUIRE_MESSAGE(report, report.error().message());
  CHECK(report->decoded > 0);
  const auto again = load_model(path, OpSet::builtin());
  REQUIRE_MESSAGE(again, again.error().message());
  CHECK(again->weights.size() == model->weights.size());
  CHECK(report->bytes == static_cast<std::int64_t>(std::filesystem::file_size(path)));
  for (const Weight& weight : again->weights) {
    const auto first = std::ranges::find(model->weights, weight.name, &Weight::name);
    REQUIRE(first != model->weights.end());
    CHECK(first->shape == weight.shape);
    CHECK(weight.storage == "float32");
  }
  // What was plain is the same to the bit, so a second file is the first.
  REQUIRE(write_safetensors(*again, folder.file("again.safetensors")));
  CHECK(text_of(path) == text_of(folder.file("again.safetensors")));
  CHECK(!write_safetensors(Model{}, folder.file("none.safetensors")));
  CHECK(path_kind(folder.file("none.safetensors")) == PathKind::kMissing);
}

}  // namespace polaris
