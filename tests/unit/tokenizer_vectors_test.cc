// Tokenizers of GGUF files against what llama.cpp says of them: its .inp/.out files, and references
// of real models.
#include <doctest/doctest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "base/strings.h"
#include "load/load.h"
#include "pipeline/model_tokenizer.h"
#include "support/shared_files.h"
#include "support/skip.h"

namespace polaris {
namespace {

using namespace test;

std::unique_ptr<Tokenizer> tokenizer_of(const std::string& path) {
  auto model = load_model(path, OpSet::builtin());
  REQUIRE_MESSAGE(model.ok(), model.error().message());
  auto tokenizer = make_tokenizer(*model);
  REQUIRE_MESSAGE(tokenizer.ok(), tokenizer.error().message());
  return tokenizer.take();
}

std::vector<std::string> inputs_of(const std::string& text) {
  static constexpr std::string_view kBetween = "\n__ggml_vocab_test__\n";
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find(kBetween, at);
    if (end == std::string::npos) break;
    out.push_back(text.substr(at, end - at));
    at = end + kBetween.size();
  }
  return out;
}

void check_vectors(const std::string& path) {
  CAPTURE(path);
  const auto tokenizer = tokenizer_of(path);
  auto inputs_text = read_file(path + ".inp", 1 << 20);
  auto outputs_text = read_file(path + ".out", 1 << 20);
  REQUIRE(inputs_text);
  REQUIRE(outputs_text);
  const std::vector<std::string> inputs = inputs_of(*inputs_text);
  const auto outputs = split(*outputs_text, '\n');
  REQUIRE(inputs.size() >= 40);
  REQUIRE(outputs.size() >= inputs.size());
  const bool lossless = tokenizer->settings().model != TokenModelKind::kWordPiece;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    CAPTURE(inputs[i]);
    std::vector<TokenId> wanted;
    for (std::string_view id : split(outputs[i], ' ')) {
      if (!id.empty()) wanted.push_back(static_cast<TokenId>(parse_i64(id).value_or(-1)));
    }
    const std::vector<TokenId> got = tokenizer->encode(inputs[i], {false, false}).take();
    CHECK(got == wanted);
    if (lossless) CHECK(tokenizer->decode(got) == inputs[i]);
  }
}

TEST_CASE("llama.cpp's vectors of every vocabulary that is there") {
  const auto folder = shared_file("models/gguf");
  if (!folder) return;
  const auto names = list_folder(*folder, 1000);
  REQUIRE(names);
  int count = 0;
  for (const std::string& name : *names) {
    if (!name.ends_with(".inp")) continue;
    const std::string path = *folder + "/" + name.substr(0, name.size() - 4);
    if (path_kind(path) == PathKind::kMissing) {
      skip(path + " is not there");
      continue;
    }
    check_vectors(path);
    ++count;
  }
  CHECK(count >= 5);
}

// POLARIS_MODELS names the folder in which the shared get_models.py has laid out real models.
void check_reference(const std::string& file, const std::string& name) {
  const char* folder = std::getenv("POLARIS_MODELS");
  if (folder == nullptr) return skip("POLARIS_MODELS is not set");
  const auto reference = shared_file("models/reference/" + name + ".json");
  if (!reference) return;
  const auto text = read_file(*reference, 1 << 24);
  REQUIRE(text.ok());
  const auto tokenizer = tokenizer_of(std::string(folder) + "/" + file);
  const nlohmann::json cases = nlohmann::json::parse(*text).at("tokenization");
  CHECK(cases.size() >= 30);
  for (const auto& row : cases) {
    const auto input = row.at("text").get<std::string>();
    CAPTURE(input);
    const auto wanted = [&](const char* key) { return row.at(key).get<std::vector<TokenId>>(); };
    CHECK(*tokenizer->encode(input, {false, false}) == wanted("ids"));
    CHECK(*tokenizer->encode(input, {false, true}) == wanted("ids_parse_special"));
    CHECK(*tokenizer->encode(input, {true, true}) == wanted("ids_add_special_parse_special"));
  }
}

TEST_CASE("llama.cpp's tokenizations of Qwen2.5-Coder 0.5B") {
  check_reference("qwen2.5-coder-0.5b/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
                  "qwen2.5-coder-0.5b");
}

TEST_CASE("llama.cpp's tokenizations of Gemma 3 270M") {
  check_reference("gemma3-270m/gemma-3-270m-q4_k_m.gguf", "gemma3-270m-q4_k_m");
}

}  // namespace
}  // namespace polaris
