// Embeddings: encoders of random weights against llama.cpp's float kernels on the same files
// (tests/data/make_embedders.py), and what stands beside a text.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "base/strings.h"
#include "load/load.h"
#include "pipeline/embedder.h"
#include "support/process.h"
#include "support/session_run.h"
#include "test_paths.h"
#include "wire/npy.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::json;
using Rows = std::vector<std::vector<float>>;

constexpr const char* kEncoders[] = {"bert-mean", "bert-cls", "nomic-bert"};
constexpr const char* kDecoders[] = {"qwen2", "gemma2"};
constexpr const char* kDevices[] = {"reference", "cpu", "vulkan"};

std::string data_path(const std::string& name) {
  return std::string(kSourceDir) + "/tests/data/" + name;
}

struct PeerText {
  std::string text;
  std::vector<TokenId> ids;
  std::vector<float> embedding;  // of length 1
};

std::vector<float> of_length_1(std::vector<float> x) {
  double squares = 0;
  for (const float v : x) squares += static_cast<double>(v) * static_cast<double>(v);
  REQUIRE(squares > 0);
  for (float& v : x) v = static_cast<float>(static_cast<double>(v) / std::sqrt(squares));
  return x;
}

std::vector<PeerText> peer_texts(const std::string& name) {
  const auto text = read_file(data_path("embedders/" + name + ".json"), 1 << 22);
  REQUIRE_MESSAGE(text.ok(), text.error().message());
  std::vector<PeerText> out;
  for (const Json& row : Json::parse(*text)) {
    out.push_back({row.at("text"), row.at("ids").get<std::vector<TokenId>>(),
                   of_length_1(row.at("embedding").get<std::vector<float>>())});
  }
  REQUIRE(out.size() > 3);
  return out;
}

Embedder open(const std::string& path, std::shared_ptr<Runtime> runtime) {
  LoadOptions options;
  options.arch.embed = true;
  auto model = load_model(path, runtime->ops(), options);
  REQUIRE_MESSAGE(model, model.error().message());
  auto embedder = Embedder::create(std::move(runtime), *model);
  REQUIRE_MESSAGE(embedder, embedder.error().message());
  return embedder.take();
}

Rows embed(Embedder& embedder, const std::vector<std::vector<TokenId>>& texts,
           const EmbedOptions& options = {}) {
  auto rows = embedder.embed(texts, options);
  REQUIRE_MESSAGE(rows, rows.error().message());
  REQUIRE(rows->size() == texts.size());
  return rows.take();
}

double farthest(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double out = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    out = std::max(out, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return out;
}

void check_against_peer(const std::string& name, Embedder embedder) {
  const std::vector<PeerText> peers = peer_texts(name);
  std::vector<std::vector<TokenId>> ids;
  for (const PeerText& peer : peers) {
    CAPTURE(peer.text);
    const auto encoded = embedder.encode(peer.text, false);
    REQUIRE_MESSAGE(encoded, encoded.error().message());
    CHECK(*encoded == peer.ids);
    ids.push_back(*encoded);
  }
  const Rows got = embed(embedder, ids);
  double worst = 0;
  for (std::size_t t = 0; t < peers.size(); ++t) {
    const std::vector<float>& want = peers[t].embedding;
    const double largest = std::abs(*std::ranges::max_element(
        want, [](float a, float b) { return std::abs(a) < std::abs(b); }));
    worst = std::max(worst, farthest(got[t], want) / largest);
  }
  MESSAGE(name << ": off by " << worst << " of the largest number, over " << peers.size()
               << " texts");
  CHECK(worst <= 1e-2);
}

/// Texts alone, together, and together in another order.
void check_independent(const std::string& path, const std::string& device, TokenId count) {
  auto runtime = make_runtime({device});
  if (!runtime) return;
  CAPTURE(path);
  std::vector<std::vector<TokenId>> texts;
  for (TokenId t = 0; t < count; ++t) {
    std::vector<TokenId>& text = texts.emplace_back();
    for (TokenId i = 0; i < 1 + t * 37 % 64; ++i) text.push_back((t * 7 + i * 3) % 60);
  }
  Embedder embedder = open(data_path(path), std::move(runtime));
  const Rows together = embed(embedder, texts);
  const Rows turned = embed(embedder, {texts.rbegin(), texts.rend()});
  for (std::size_t t = 0; t < texts.size(); ++t) {
    CAPTURE(t);
    const Rows alone = embed(embedder, {texts[t]});
    CHECK(farthest(alone[0], together[t]) <= 2e-6);
    CHECK(farthest(turned[texts.size() - 1 - t], together[t]) <= 2e-6);
  }
}

}  // namespace

TEST_CASE("encoders of random weights give llama.cpp's embeddings") {
  for (const std::string device : kDevices) {
    auto runtime = make_runtime({device});
    if (!runtime) continue;
    CAPTURE(device);
    for (const std::string name : kEncoders) {
      check_against_peer(name, open(data_path("embedders/" + name + ".gguf"), runtime));
    }
  }
}

TEST_CASE("decoders give llama.cpp's embeddings of a text's last token") {
  for (const std::string device : kDevices) {
    auto runtime = make_runtime({device});
    if (!runtime) continue;
    CAPTURE(device);
    for (const std::string name : kDecoders) {
      check_against_peer("decoder-" + name, open(data_path("decoders/" + name + ".gguf"), runtime));
    }
  }
}

TEST_CASE("an embedding does not depend on the texts beside it, on the cpu") {
  // More tokens than a run takes, short and long ones mixed.
  for (const std::string path : {"embedders/bert-mean.gguf", "embedders/bert-cls.gguf",
                                 "embedders/nomic-bert.gguf", "decoders/gemma2.gguf"}) {
    check_independent(path, "cpu", 24);
  }
}

TEST_CASE("an embedding does not depend on the texts beside it, on vulkan") {
  for (const std::string path : {"embedders/bert-mean.gguf", "decoders/gemma2.gguf"}) {
    check_independent(path, "vulkan", 4);
  }
}

TEST_CASE("pooling is that of the file unless another is asked for") {
  Embedder mean = open(data_path("embedders/bert-mean.gguf"), make_runtime({"cpu"}));
  CHECK(mean.pooling() == Pooling::kMean);
  CHECK(open(data_path("embedders/bert-cls.gguf"), make_runtime({"cpu"})).pooling() ==
        Pooling::kFirst);
  CHECK(open(data_path("decoders/qwen2.gguf"), make_runtime({"cpu"})).pooling() == Pooling::kLast);
  const std::vector<std::vector<TokenId>> text = {{2, 9, 5, 3}};
  const Rows first = embed(mean, text, {Pooling::kFirst, false});
  const Rows last = embed(mean, text, {Pooling::kLast, false});
  const Rows all = embed(mean, text, {Pooling::kMean, false});
  CHECK(farthest(first[0], last[0]) > 0.01);
  CHECK(farthest(first[0], all[0]) > 0.01);
  // Length 1 is the same direction.
  CHECK(farthest(embed(mean, text)[0], of_length_1(all[0])) <= 1e-6);
  // A text of one token is that token's row, whichever pooling.
  const std::vector<std::vector<TokenId>> one = {{7}};
  CHECK(embed(mean, one, {Pooling::kFirst, true}) == embed(mean, one, {Pooling::kLast, true}));
}

TEST_CASE("texts without tokens and texts that are too long are refused, or cut where asked for") {
  Embedder embedder = open(data_path("embedders/bert-mean.gguf"), make_runtime({"cpu"}));
  CHECK(embedder.tokens_max() == 64);
  const std::vector<std::vector<TokenId>> none = {{1, 2}, {}};
  auto got = embedder.embed(none);
  REQUIRE(!got);
  CHECK(got.error().message().find("text 2, got 0 tokens, wanted 1 to 64") != std::string::npos);
  const std::vector<std::vector<TokenId>> longer = {std::vector<TokenId>(65, 7)};
  CHECK(!embedder.embed(longer));
  // [CLS], 63 letters, [SEP]
  std::string text;
  for (int i = 0; i < 63; ++i) text += "a ";
  CHECK(!embedder.encode(text, false));
  const auto cut = embedder.encode(text, true);
  REQUIRE(cut);
  CHECK(cut->size() == 64);
  CHECK(cut->front() == 2);
  CHECK(cut->back() == 3);
  const std::vector<std::vector<TokenId>> unknown = {{1, 100000}};
  CHECK(!embedder.embed(unknown));
}

TEST_CASE("embed prints a line a text, or writes them to a file") {
  const std::string model = data_path("embedders/bert-mean.gguf");
  TemporaryFolder folder;
  REQUIRE(write_file(folder.file("texts"), "the cat\r\nsat on\n\nthe dog\n"));
  const ProcessResult json =
      run_polaris({"embed", model, "-f", folder.file("texts"), "--json", "--device", "cpu"});
  CAPTURE(json.err);
  CHECK(json.exit_code == 0);
  std::vector<Json> lines;
  for (std::string_view line : split(json.out, '\n')) {
    if (!line.empty()) lines.push_back(Json::parse(line));
  }
  REQUIRE(lines.size() == 4);
  CHECK(lines[0].at("tokens") == 4);
  CHECK(lines[2].at("tokens") == 2);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CHECK(lines[i].at("index") == i);
    CHECK(lines[i].at("embedding").size() == 32);
  }
  const ProcessResult text = run_polaris({"embed", model, "the dog", "the cat", "--device", "cpu"});
  CHECK(text.exit_code == 0);
  const auto rows = split(text.out, '\n');
  REQUIRE(rows.size() == 3);
  const auto numbers = split(rows[1], ' ');
  REQUIRE(numbers.size() == 32);
  const auto want = lines[0].at("embedding").get<std::vector<double>>();
  for (std::size_t i = 0; i < 32; ++i) {
    CHECK(Json::parse(numbers[i]).get<double>() == doctest::Approx(want[i]).epsilon(1e-4));
  }
  const ProcessResult file = run_polaris({"embed", model, "the dog", "the cat", "--device", "cpu",
                                          "--no-normalize", "-o", folder.file("out.npy")});
  CHECK(file.exit_code == 0);
  CHECK(file.out.empty());
  const auto saved = load_npy(folder.file("out.npy"));
  REQUIRE(saved);
  CHECK(saved->shape() == Shape{2, 32});
  double squares = 0;
  for (int i = 0; i < 32; ++i) squares += std::pow(static_cast<double>(saved->data<float>()[i]), 2);
  CHECK(std::abs(squares - 1) > 0.1);
}

TEST_CASE("embed says what is missing, and what cannot be embedded") {
  const std::string model = data_path("embedders/bert-mean.gguf");
  CHECK(run_polaris({"embed", model}).exit_code == 2);
  CHECK(run_polaris({"embed", model, "a", "--pooling", "max"}).exit_code == 2);
  const ProcessResult generated = run_polaris({"generate", model, "-p", "a", "--device", "cpu"});
  CHECK(generated.exit_code == 1);
  CHECK(generated.err.find("no decoder over a paged cache") != std::string::npos);
  std::string text;
  for (int i = 0; i < 100; ++i) text += "a ";
  const ProcessResult longer = run_polaris({"embed", model, "b", text, "--device", "cpu"});
  CHECK(longer.exit_code == 1);
  CHECK(longer.err.find("text 2: [embed] text, got 102 tokens, wanted at most 64") !=
        std::string::npos);
  CHECK(run_polaris({"embed", model, text, "--device", "cpu", "--truncate"}).exit_code == 0);
}

}  // namespace polaris
