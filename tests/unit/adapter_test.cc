// What adapters are refused for: the file, the tensor, what was found and what was wanted.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

#include "base/os/files.h"
#include "ir/op_set.h"
#include "load/load.h"
#include "load/load_adapter.h"
#include "support/gguf_builder.h"
#include "support/process.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::json;
using Dims = std::vector<std::uint64_t>;  // ggml's order

constexpr const char* kMatrix = "blk.0.attn_q.weight";  // [32, 32] of tiny_llama

struct Half {
  std::string name;
  Dims dims;
  float value = 0.5f;
};

std::string floats(std::uint64_t count, float value) {
  std::string out;
  for (std::uint64_t i = 0; i < count; ++i) out.append(reinterpret_cast<char*>(&value), 4);
  return out;
}

struct AdapterFile {
  std::string general_type = "adapter";
  std::string type = "lora";
  std::string architecture = "llama";
  float alpha = 8;
  bool begins_at_tokens = false;
  std::vector<Half> halves = {{std::string(kMatrix) + ".lora_a", {32, 4}},
                              {std::string(kMatrix) + ".lora_b", {4, 32}}};

  std::vector<std::byte> bytes() const {
    GgufBuilder out;
    out.add_text("general.architecture", architecture);
    out.add_text("general.type", general_type);
    out.add_text("adapter.type", type);
    out.add_f32("adapter.lora.alpha", alpha);
    if (begins_at_tokens) out.add_u32s("adapter.alora.invocation_tokens", {1});
    for (const Half& half : halves) {
      std::uint64_t count = 1;
      for (const std::uint64_t dim : half.dims) count *= dim;
      out.add_tensor(half.name, 0, half.dims, floats(count, half.value));
    }
    return out.file();
  }
};

/// What is said of an adapter, on its way onto a tiny Llama; empty where it fits.
std::string fault_of(const std::string& path, const std::string& architecture = "llama") {
  auto adapter = load_adapter(path);
  if (!adapter) return adapter.error().message();
  auto set = std::make_shared<AdapterSet>();
  set->adapters.push_back(adapter.take());
  LoadOptions options;
  options.arch.adapters = set;
  auto source = Source::in_memory("base", tiny_llama({}, architecture).file());
  const auto model = load_model(source, OpSet::builtin(), options);
  if (!model) return model.error().message();
  CHECK(model->no_function_reason == "");
  return "";
}

std::string fault_of(const AdapterFile& file, const std::string& architecture = "llama") {
  const TemporaryFolder folder;
  REQUIRE(write_file(folder.file("x.gguf"), file.bytes()));
  return fault_of(folder.file("x.gguf"), architecture);
}

void check_says(const std::string& fault, const std::string& wanted) {
  CAPTURE(fault);
  CHECK(fault.find(wanted) != std::string::npos);
}

}  // namespace

TEST_CASE("a GGUF adapter that does not fit says what is wrong with it") {
  CHECK(fault_of(AdapterFile{}) == "");
  check_says(fault_of(AdapterFile{.general_type = "model"}),
             "x.gguf': [lora] general.type, got 'model', wanted 'adapter'");
  check_says(fault_of(AdapterFile{.type = "control_vector"}),
             "x.gguf': [lora] adapter.type, got 'control_vector', wanted 'lora'");
  check_says(fault_of(AdapterFile{}, "qwen2"),
             "x.gguf' general.architecture, got 'llama', wanted 'qwen2', the base's");
  check_says(fault_of(AdapterFile{.alpha = std::nanf("")}), "got nan, wanted a finite number");
  check_says(fault_of(AdapterFile{.begins_at_tokens = true}), "adapter.alora.invocation_tokens");

  const std::string a = std::string(kMatrix) + ".lora_a";
  const std::string b = std::string(kMatrix) + ".lora_b";
  const auto with = [](std::vector<Half> halves) {
    AdapterFile file;
    file.halves = std::move(halves);
    return fault_of(file);
  };
  check_says(with({}), "x.gguf': [lora] tensors, got none");
  check_says(with({{a, {32, 4}}}),
             "[lora] tensor 'blk.0.attn_q.weight.lora_a' got no B to this A, wanted both");
  check_says(with({{b, {4, 32}}}),
             "[lora] tensor 'blk.0.attn_q.weight.lora_b' got no A to this B, wanted both");
  check_says(with({{a, {32, 4}}, {b, {5, 32}}}),
             "tensor 'blk.0.attn_q.weight.lora_b' rank, got 5, wanted the 4 of");
  check_says(with({{a, {32, 5000}}, {b, {5000, 32}}}),
             "tensor 'blk.0.attn_q.weight.lora_a' rank, got 5000, wanted 1 to 4096");
  check_says(with({{a, {32, 0}}, {b, {0, 32}}}), "blk.0.attn_q.weight.lora_a");
  check_says(with({{a, {31, 4}}, {b, {4, 32}}}),
             "x.gguf' tensor 'blk.0.attn_q.weight.lora_a', shape, got [4, 31], wanted [4, 32]");
  check_says(with({{a, {32, 4}}, {b, {4, 64}}}),
             "x.gguf' tensor 'blk.0.attn_q.weight.lora_b', shape, got [64, 4], wanted [32, 4]");
  check_says(with({{a, {32, 4, 2}}, {b, {4, 32}}}), "wanted floats of rank 2");
  check_says(with({{a, {32, 4}, std::nanf("")}, {b, {4, 32}}}),
             "tensor 'blk.0.attn_q.weight.lora_a' got a value that is no finite number");
  check_says(with({{a, {32, 4}}, {kMatrix, {4, 32}}}),
             "tensor 'blk.0.attn_q.weight', got another name than an adapter's");
  check_says(
      with({{"blk.7.attn_q.weight.lora_a", {32, 4}}, {"blk.7.attn_q.weight.lora_b", {4, 32}}}),
      "tensor 'blk.7.attn_q.weight.lora_a', got none of the base's");
  check_says(with({{"token_embd.weight.lora_a", {24, 4}}, {"token_embd.weight.lora_b", {4, 32}}}),
             "tensor 'token_embd.weight.lora_a', got a matrix that takes no adapter here");
  // A rank of 10^9 has no bytes in a file of some hundred.
  GgufBuilder huge;
  huge.add_text("general.architecture", "llama");
  huge.add_text("general.type", "adapter");
  huge.add_text("adapter.type", "lora");
  huge.add_tensor(a, 0, {32, 1000000000}, "");
  const TemporaryFolder folder;
  REQUIRE(write_file(folder.file("x.gguf"), huge.file()));
  check_says(fault_of(folder.file("x.gguf")), "blk.0.attn_q.weight.lora_a");
  check_says(fault_of(folder.file("none.gguf")), "none.gguf");
  REQUIRE(write_file(folder.file("text"), std::string_view("lora")));
  check_says(fault_of(folder.file("text")), "wanted a GGUF adapter, or a folder");
}

namespace {

constexpr const char* kModule = "base_model.model.model.layers.0.self_attn.q_proj";

struct PeftFolder {
  Json config = {{"peft_type", "LORA"}, {"r", 4}, {"lora_alpha", 8}, {"bias", "none"}};
  std::vector<Half> halves = {{std::string(kModule) + ".lora_A.weight", {4, 32}},
                              {std::string(kModule) + ".lora_B.weight", {32, 4}}};

  void write(const TemporaryFolder& folder) const {
    REQUIRE(write_file(folder.file("adapter_config.json"), config.dump()));
    Json header = Json::object();
    std::string data;
    for (const Half& half : halves) {
      std::uint64_t count = 1;
      for (const std::uint64_t dim : half.dims) count *= dim;
      const std::size_t begin = data.size();
      data += floats(count, half.value);
      header[half.name] = {
          {"dtype", "F32"}, {"shape", half.dims}, {"data_offsets", {begin, data.size()}}};
    }
    const std::string text = header.dump();
    const std::uint64_t length = text.size();
    std::string file(reinterpret_cast<const char*>(&length), sizeof length);
    REQUIRE(write_file(folder.file("adapter_model.safetensors"), file + text + data));
  }
};

std::string fault_of(const PeftFolder& peft) {
  const TemporaryFolder folder;
  peft.write(folder);
  return fault_of(folder.path());
}

}  // namespace

TEST_CASE("a PEFT adapter that cannot be applied says by which setting or tensor") {
  CHECK(fault_of(PeftFolder{}) == "");
  const auto with = [](const Json& settings) {
    PeftFolder peft;
    peft.config.update(settings);
    return fault_of(peft);
  };
  CHECK(with({{"use_dora", false},
              {"modules_to_save", nullptr},
              {"rank_pattern", Json::object()},
              {"target_modules", {"q_proj"}},
              {"init_lora_weights", true}}) == "");
  const std::string file = "[peft] adapter_config.json '";
  check_says(with({{"peft_type", "IA3"}}), file + "peft_type', got 'IA3', wanted 'LORA'");
  for (const char* key : {"use_dora", "fan_in_fan_out", "lora_bias", "use_qalora"}) {
    check_says(with({{key, true}}), file + key + "', got true, wanted none");
  }
  check_says(with({{"modules_to_save", {"lm_head"}}}), file + "modules_to_save', got a list");
  check_says(with({{"layer_replication", {{0, 1}}}}), file + "layer_replication', got a list");
  check_says(with({{"bias", "all"}}), file + "bias', got 'all', wanted 'none'");
  check_says(with({{"init_lora_weights", "pissa_niter_4"}}), file + "init_lora_weights', got");
  for (const Json& rank : {Json(0), Json(-4), Json(1000000000), Json(2.5), Json("4")}) {
    check_says(with({{"r", rank}}), file + "r', got ");
    check_says(with({{"rank_pattern", {{"q_proj", rank}}}}), file + "q_proj', got ");
  }
  check_says(with({{"lora_alpha", "8"}}), file + "lora_alpha', got '8', wanted a finite number");
  check_says(with({{"rank_pattern", {{"^model.*q_proj$", 4}}}}),
             file + "rank_pattern', got '^model.*q_proj$', wanted a module's name");
  check_says(with({{"rank_pattern", {{"q_proj", 8}}}}),
             "rank, got 4, wanted 8 as adapter_config.json says");

  const auto of = [](std::vector<Half> halves) {
    PeftFolder peft;
    peft.halves = std::move(halves);
    return fault_of(peft);
  };
  const std::string a = std::string(kModule) + ".lora_A.weight";
  const std::string b = std::string(kModule) + ".lora_B.weight";
  check_says(of({{a, {4, 32}}}), "tensor '" + a + "' got no B to this A");
  check_says(of({{a, {4, 31}}, {b, {32, 4}}}), "tensor '" + a + "', shape, got [4, 31], wanted");
  check_says(
      of({{a, {4, 32}}, {b, {32, 4}}, {std::string(kModule) + ".lora_magnitude_vector", {4}}}),
      "lora_magnitude_vector', got another name");
  check_says(of({{"base_model.model.model.layers.0.conv.lora_A.weight", {4, 32}}}),
             "got the module 'model.layers.0.conv', wanted one that takes adapters");
  const TemporaryFolder folder;
  REQUIRE(write_file(folder.file("adapter_config.json"), PeftFolder{}.config.dump()));
  check_says(fault_of(folder.path()), "adapter_model.safetensors");
}

TEST_CASE("PEFT's patterns and root scale what they name") {
  const TemporaryFolder folder;
  PeftFolder peft;
  const std::string other = "base_model.model.model.layers.1.mlp.down_proj";
  peft.halves.push_back({other + ".lora_A.weight", {9, 64}});
  peft.halves.push_back({other + ".lora_B.weight", {32, 9}});
  peft.config["rank_pattern"] = {{"down_proj", 9}, {"layers.1.mlp.down_proj", 5}};
  peft.config["alpha_pattern"] = {{"proj", 1}, {"model.layers.1.mlp.down_proj", 6}};
  peft.write(folder);
  auto adapter = load_adapter(folder.path(), 0.5);
  REQUIRE_MESSAGE(adapter, adapter.error().message());
  CHECK(adapter->pairs.at(kMatrix).scale == 1.0);
  CHECK(adapter->pairs.at("blk.1.ffn_down.weight").scale == doctest::Approx(1.0 / 3));
  CHECK(fault_of(folder.path()) == "");
  peft.config["use_rslora"] = true;
  peft.write(folder);
  adapter = load_adapter(folder.path());
  REQUIRE(adapter);
  CHECK(adapter->pairs.at(kMatrix).scale == 4.0);
  CHECK(adapter->pairs.at("blk.1.ffn_down.weight").scale == 2.0);
}

}  // namespace polaris
