// all-MiniLM-L6-v2 (BERT, 6 layers) as a folder of Hugging Face's against a float64 forward of the
// same weights, as ../shared/models/reference has it. POLARIS_MODELS names the folder in which the
// shared get_models.py has laid it out.
// shared get_models.py has laid it out.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/os/files.h"
#include "load/load.h"
#include "pipeline/embedder.h"
#include "pipeline/tokenizer_beside.h"
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
  LoadOptions options;
  options.arch.embed = true;
  auto model = load_model(folder, runtime->ops(), options);
  REQUIRE_MESSAGE(model, model.error().message());
  const Status beside = read_tokenizer_beside(folder, *model);
  REQUIRE_MESSAGE(beside, beside.error().message());
  auto embedder = Embedder::create(runtime, *model);
  REQUIRE_MESSAGE(embedder, embedder.error().message());
  CHECK(embedder->tokens_max() == 256);  // where the reference cuts texts
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
