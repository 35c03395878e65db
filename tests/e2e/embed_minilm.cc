// all-MiniLM-L6-v2 (BERT, 6 layers) against a float64 forward of the same weights, as
// ../shared/models/reference has it: the file's float32 tensors written as a GGUF here.
// POLARIS_MODELS names the folder in which the shared get_models.py has laid it out.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/os/files.h"
#include "load/load.h"
#include "pipeline/embedder.h"
#include "support/gguf_builder.h"
#include "support/session_run.h"
#include "support/shared_files.h"
#include "support/skip.h"
#include "wire/value_file.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::json;

constexpr std::int64_t kBytesMax = std::int64_t{256} << 20;

std::string text_of(const std::string& path) {
  auto text = read_file(path, kBytesMax);
  REQUIRE_MESSAGE(text, text.error().message());
  return text.take();
}

void add_tokens(GgufBuilder& out, const Json& tokenizer) {
  const Json& vocabulary = tokenizer.at("model").at("vocab");
  std::vector<std::string> tokens(vocabulary.size());
  std::vector<std::uint32_t> kinds(vocabulary.size(), 1);
  for (const auto& [text, id] : vocabulary.items()) {
    const auto at = id.get<std::size_t>();
    // As GGUF has word pieces: what begins a word is marked, not what goes on with one.
    const bool special = text.starts_with("[") && text.ends_with("]");
    tokens.at(at) = special                  ? text
                    : text.starts_with("##") ? text.substr(2)
                                             : "\xE2\x96\x81" + text;
  }
  for (const Json& added : tokenizer.at("added_tokens")) kinds.at(added.at("id")) = 3;
  out.add_text("tokenizer.ggml.model", "bert");
  out.add_texts("tokenizer.ggml.tokens", tokens);
  out.add_u32s("tokenizer.ggml.token_type", kinds);
  out.add_u32("tokenizer.ggml.bos_token_id", vocabulary.at("[CLS]"));
  out.add_u32("tokenizer.ggml.seperator_token_id", vocabulary.at("[SEP]"));
  out.add_u32("tokenizer.ggml.unknown_token_id", vocabulary.at("[UNK]"));
}

/// GGUF's name of a tensor; "" of those that it leaves out.
std::string gguf_name(std::string name) {
  const std::pair<const char*, const char*> parts[] = {
      {"embeddings.word_embeddings", "token_embd"},
      {"embeddings.position_embeddings", "position_embd"},
      {"embeddings.token_type_embeddings", "token_types"},
      {"embeddings.LayerNorm", "token_embd_norm"},
      {"encoder.layer.", "blk."},
      {"attention.self.query", "attn_q"},
      {"attention.self.key", "attn_k"},
      {"attention.self.value", "attn_v"},
      {"attention.output.dense", "attn_output"},
      {"attention.output.LayerNorm", "attn_output_norm"},
      {"intermediate.dense", "ffn_up"},
      {"output.dense", "ffn_down"},
      {"output.LayerNorm", "layer_output_norm"}};
  if (name == "embeddings.position_ids" || name.starts_with("pooler.")) return "";
  for (const auto& [from, to] : parts) {
    const std::size_t at = name.find(from);
    if (at != std::string::npos) name.replace(at, std::strlen(from), to);
  }
  return name;
}

void add_tensors(GgufBuilder& out, const std::string& file) {
  std::uint64_t header = 0;
  REQUIRE(file.size() > sizeof header);
  std::memcpy(&header, file.data(), sizeof header);
  const Json tensors = Json::parse(file.substr(sizeof header, header));
  for (const auto& [name, tensor] : tensors.items()) {
    const std::string to = name == "__metadata__" ? "" : gguf_name(name);
    if (to.empty()) continue;
    REQUIRE(tensor.at("dtype") == "F32");
    auto dims = tensor.at("shape").get<std::vector<std::uint64_t>>();
    std::ranges::reverse(dims);
    const auto place = tensor.at("data_offsets").get<std::vector<std::size_t>>();
    out.add_tensor(to, 0, dims,
                   file.substr(sizeof header + header + place.at(0), place.at(1) - place.at(0)));
  }
}

std::vector<std::byte> as_gguf(const std::string& folder) {
  const Json config = Json::parse(text_of(folder + "/config.json"));
  GgufBuilder out;
  out.add_text("general.architecture", "bert");
  const std::pair<const char*, const char*> numbers[] = {
      {"block_count", "num_hidden_layers"},
      {"context_length", "max_position_embeddings"},
      {"embedding_length", "hidden_size"},
      {"feed_forward_length", "intermediate_size"},
      {"attention.head_count", "num_attention_heads"}};
  for (const auto& [key, name] : numbers) out.add_u32(std::string("bert.") + key, config.at(name));
  out.add_f32("bert.attention.layer_norm_epsilon", config.at("layer_norm_eps"));
  out.add_u32("bert.pooling_type", 1);
  out.add_bool("bert.attention.causal", false);
  add_tokens(out, Json::parse(text_of(folder + "/tokenizer.json")));
  add_tensors(out, text_of(folder + "/model.safetensors"));
  return out.file();
}

Tensor embeddings_of(const std::string& path) {
  auto arrays = load_npz(path, [](const std::string&) -> Result<DType> { return DType::kF32; });
  REQUIRE_MESSAGE(arrays, arrays.error().message());
  for (auto& [name, tensor] : *arrays) {
    if (name == "embeddings") return std::move(tensor);
  }
  FAIL("no embeddings in " << path);
  return {};
}

void check_minilm(const std::string& device, std::size_t count) {
  const char* models = std::getenv("POLARIS_MODELS");
  if (models == nullptr) return skip("POLARIS_MODELS is not set");
  const std::string folder = std::string(models) + "/all-MiniLM-L6-v2";
  if (path_kind(folder) == PathKind::kMissing) return skip(folder + " is not there");
  const auto texts = shared_file("models/reference/minilm.json");
  const auto arrays = shared_file("models/reference/minilm.npz");
  if (!texts || !arrays) return;
  auto runtime = make_runtime({device});
  if (!runtime) return;
  const Tensor want = embeddings_of(*arrays);
  Source source = Source::in_memory("minilm.gguf", as_gguf(folder));
  LoadOptions options;
  options.arch.context_max = 256;  // the reference cuts texts there
  auto model = load_model(source, runtime->ops(), options);
  REQUIRE_MESSAGE(model, model.error().message());
  auto embedder = Embedder::create(runtime, *model);
  REQUIRE_MESSAGE(embedder, embedder.error().message());
  std::vector<std::vector<TokenId>> ids;
  const Json sentences = Json::parse(text_of(*texts)).at("sentences");
  REQUIRE(sentences.size() == 20);
  for (const Json& sentence : sentences) {
    if (ids.size() == count) break;
    auto encoded = embedder->encode(sentence.at("text").get<std::string>(), true);
    REQUIRE_MESSAGE(encoded, encoded.error().message());
    CHECK(*encoded == sentence.at("ids").get<std::vector<TokenId>>());
    ids.push_back(encoded.take());
  }
  auto got = embedder->embed(ids);
  REQUIRE_MESSAGE(got, got.error().message());
  REQUIRE(got->size() == count);
  REQUIRE(want.type() == TensorType{DType::kF32, {20, embedder->width()}, {}});
  double worst = 0;
  const float* at = want.data<float>();
  for (const std::vector<float>& row : *got) {
    for (const float x : row) {
      worst = std::max(worst, std::abs(static_cast<double>(x) - static_cast<double>(*at++)));
    }
  }
  MESSAGE(device << ": " << ids.size() << " texts, numbers off by at most " << worst);
  CHECK(worst <= 1e-5);
}

}  // namespace

TEST_CASE("all-MiniLM-L6-v2 gives the reference's ids and embeddings, on the cpu") {
  check_minilm("cpu", 20);
}

TEST_CASE("all-MiniLM-L6-v2 gives the reference's ids and embeddings, on vulkan") {
  check_minilm("vulkan", 4);
}

}  // namespace polaris
