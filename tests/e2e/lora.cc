// Low-rank adapters against llama.cpp with the same adapters (tests/data/make_adapters.py), and
// against weights that the test merges itself.
#include <doctest/doctest.h>

#include <map>
#include <string>

#include "base/os/files.h"
#include "load/gguf/gguf_file.h"
#include "load/load.h"
#include "load/load_adapter.h"
#include "support/generation.h"
#include "support/gguf_builder.h"
#include "support/peer_story.h"
#include "support/process.h"
#include "support/session_run.h"
#include "support/shared_files.h"
#include "support/split_mix.h"
#include "test_paths.h"
#include "wire/npy.h"

namespace polaris {
namespace {

using namespace test;

constexpr const char* kBases[] = {"llama-divisors", "qwen2", "phi3-short", "gpt2", "gpt-oss"};
constexpr const char* kDevices[] = {"reference", "cpu", "vulkan"};

std::string data_path(const std::string& folder, const std::string& name) {
  return std::string(kSourceDir) + "/tests/data/" + folder + "/" + name;
}
std::string adapter_path(const std::string& name) { return data_path("adapters", name); }

Adapter must_load(const std::string& path, double scale = 1.0) {
  auto adapter = load_adapter(path, scale);
  REQUIRE_MESSAGE(adapter, adapter.error().message());
  return adapter.take();
}

ArchOptions with_adapters(std::vector<Adapter> adapters, std::int64_t per_text) {
  auto set = std::make_shared<AdapterSet>();
  set->adapters = std::move(adapters);
  set->per_text = per_text;
  ArchOptions out;
  out.kv_type = KvType::kF32;
  out.page_size = 4;
  out.tokens_max = 16;
  out.adapters = std::move(set);
  return out;
}

/// Adapters a, and b at half.
LanguageModel load_adapted(const std::string& base, std::shared_ptr<Runtime> runtime) {
  std::vector<Adapter> adapters;
  adapters.push_back(must_load(adapter_path(base + ".a.gguf")));
  adapters.push_back(must_load(adapter_path(base + ".b.gguf"), 0.5));
  return load_language_model(data_path("decoders", base + ".gguf"), std::move(runtime),
                             with_adapters(std::move(adapters), 2));
}

GenerateRequest forced_request(const PeerStory& story, std::vector<std::int32_t> adapters) {
  GenerateRequest out;
  out.prompt = story.prompt_ids;
  out.forced = story.ids;
  out.max_new_tokens = static_cast<std::int64_t>(story.ids.size());
  out.adapters = std::move(adapters);
  return out;
}

std::vector<Generated> run_together(Batcher& batcher, std::vector<GenerateRequest> requests) {
  for (GenerateRequest& request : requests) {
    auto id = batcher.add(std::move(request));
    REQUIRE_MESSAGE(id, id.error().message());
  }
  std::vector<Generated> out;
  while (!batcher.idle()) {
    auto events = batcher.step();
    REQUIRE_MESSAGE(events, events.error().message());
    collect(*events, out);
  }
  return out;
}

void check_error(const std::string& what, const PeerStory& story, const Generated& got) {
  CAPTURE(what);
  const PeerError error = compare_with_peer(story, got);
  MESSAGE(what << ": logits off by " << error.relative_max << " of the largest ("
               << error.step_relative_max << " of each step's), KL " << error.kl_mean << ", over "
               << error.steps << " tokens");
  CHECK(error.steps == story.ids.size());
  CHECK(error.step_relative_max <= 1e-2);
  CHECK(error.kl_mean <= 1e-3);
  CHECK(error.wrong_argmax == 0);
}

}  // namespace

TEST_CASE("texts with one adapter, both and none in one batch give llama.cpp's logits") {
  for (const std::string device : kDevices) {
    auto runtime = make_runtime({device});
    if (!runtime) continue;
    for (const std::string base : kBases) {
      const LanguageModel model = load_adapted(base, runtime);
      TestBatcher test = make_batcher(model, 128);
      // Adapter b alone was asked of the peer whole, so it stands beside a here only.
      const PeerStory alone = read_peer_rows(data_path("decoders", base + ".npy"), 29);
      const PeerStory a = read_peer_rows(adapter_path(base + ".a.npy"), 23);
      const PeerStory both = read_peer_rows(adapter_path(base + ".ab.npy"), 5);
      const auto got = run_together(
          *test.batcher,
          {forced_request(a, {0}), forced_request(alone, {}), forced_request(both, {1, 0})});
      REQUIRE(got.size() == 3);
      check_error(device + " " + base + " a", a, got[0]);
      check_error(device + " " + base + " none", alone, got[1]);
      check_error(device + " " + base + " both", both, got[2]);
    }
  }
}

TEST_CASE("an adapter as PEFT saves it gives what llama.cpp gives with the converted one") {
  for (const std::string base : {"llama-divisors", "qwen2", "phi3-short"}) {
    std::vector<Adapter> adapters;
    adapters.push_back(must_load(adapter_path(base + ".peft")));
    adapters.push_back(must_load(adapter_path(base + ".b.gguf")));
    const LanguageModel model =
        load_language_model(data_path("decoders", base + ".gguf"), make_runtime({"cpu"}),
                            with_adapters(std::move(adapters), 1));
    TestBatcher test = make_batcher(model, 128);
    const PeerStory a = read_peer_rows(adapter_path(base + ".a.npy"), 23);
    const PeerStory b = read_peer_rows(adapter_path(base + ".b.npy"), 7);
    const auto got = run_together(*test.batcher, {forced_request(b, {1}), forced_request(a, {0})});
    check_error("cpu " + base + " PEFT", a, got[1]);
    check_error("cpu " + base + " b", b, got[0]);
  }
}

TEST_CASE("a trained model with adapters of both forms gives llama.cpp's logits") {
  const auto path = shared_file("models/gguf/stories260K/stories260K-f32.gguf");
  if (!path) return;
  for (const std::string device : kDevices) {
    auto runtime = make_runtime({device});
    if (!runtime) continue;
    std::vector<Adapter> adapters;
    adapters.push_back(must_load(adapter_path("stories260K.a.gguf")));
    adapters.push_back(must_load(adapter_path("stories260K.b.gguf"), 0.5));
    adapters.push_back(must_load(adapter_path("stories260K.peft")));
    const LanguageModel model =
        load_language_model(*path, runtime, with_adapters(std::move(adapters), 2));
    TestBatcher test = make_batcher(model, 128);
    const PeerStory a = read_peer_rows(adapter_path("stories260K.a.npy"), 17);
    const PeerStory both = read_peer_rows(adapter_path("stories260K.ab.npy"), 3);
    const auto got =
        run_together(*test.batcher, {forced_request(a, {0}), forced_request(a, {2}),
                                     forced_request(both, {0, 1}), forced_request(both, {2, 1})});
    REQUIRE(got.size() == 4);
    check_error(device + " a", a, got[0]);
    check_error(device + " a by PEFT", a, got[1]);
    check_error(device + " both", both, got[2]);
    check_error(device + " both, one by PEFT", both, got[3]);
  }
}

TEST_CASE("texts of other adapters share nothing in the cache, those of the same ones do") {
  const LanguageModel model = load_adapted("llama-divisors", make_runtime({"cpu"}));
  BatcherOptions options;
  options.retained_texts_max = 8;
  TestBatcher test = make_batcher(model, 128, options);
  const PeerStory a = read_peer_rows(adapter_path("llama-divisors.a.npy"), 29);
  const PeerStory both = read_peer_rows(adapter_path("llama-divisors.ab.npy"), 29);
  const PeerStory alone = read_peer_rows(data_path("decoders", "llama-divisors.npy"), 29);
  check_error("a", a, generate(*test.batcher, forced_request(a, {0})));
  check_error("none", alone, generate(*test.batcher, forced_request(alone, {})));
  check_error("both", both, generate(*test.batcher, forced_request(both, {0, 1})));
  CHECK(test.batcher->shared_tokens() == 0);
  // A salt that spells out another's adapters is no way around it.
  GenerateRequest salted = forced_request(alone, {});
  salted.salt = "0:,0";
  check_error("salted", alone, generate(*test.batcher, salted));
  CHECK(test.batcher->shared_tokens() == 0);
  check_error("a again", a, generate(*test.batcher, forced_request(a, {0})));
  CHECK(test.batcher->shared_tokens() == 28);
  check_error("both again", both, generate(*test.batcher, forced_request(both, {1, 0})));
  CHECK(test.batcher->shared_tokens() == 56);
}

TEST_CASE("adapters that a text cannot have are refused") {
  const LanguageModel model = load_adapted("llama-divisors", make_runtime({"cpu"}));
  const LanguageModel plain =
      load_language_model(data_path("decoders", "llama-divisors.gguf"), make_runtime({"cpu"}));
  CHECK(model.all_adapters() == std::vector<std::int32_t>{0, 1});
  CHECK(plain.all_adapters().empty());
  TestBatcher test = make_batcher(model, 16);
  TestBatcher other = make_batcher(plain, 16);
  const auto message = [](Batcher& batcher, std::vector<std::int32_t> adapters) {
    GenerateRequest request;
    request.prompt = {3};
    request.adapters = std::move(adapters);
    const auto id = batcher.add(request);
    return id ? std::string() : id.error().message();
  };
  CHECK(message(*test.batcher, {2}) == "[generate] adapter, got 2, wanted each once of 0 to 1");
  CHECK(message(*test.batcher, {-1}) == "[generate] adapter, got -1, wanted each once of 0 to 1");
  CHECK(message(*test.batcher, {1, 1}) ==
        "[generate] adapter, got 1 twice, wanted each once of 0 to 1");
  CHECK(message(*test.batcher, {0, 1, 0}) ==
        "[generate] adapters, got 3, wanted at most 2 of a text");
  CHECK(message(*other.batcher, {0}) == "[generate] adapters, got 1, wanted at most 0 of a text");
  CHECK(message(*test.batcher, {1, 0}).empty());
}

namespace {

/// A matrix as plain numbers, row-major [rows, columns].
struct Matrix {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<float> values;
};
using Pairs = std::map<std::string, std::pair<Matrix, Matrix>>;  // A, B by the base's tensor

/// Numbers in [-0.1, 0.1).
Matrix random_matrix(std::uint64_t& state, std::int64_t rows, std::int64_t columns) {
  Matrix out{rows, columns, {}};
  for (const std::byte byte : split_mix(++state, static_cast<std::size_t>(rows * columns))) {
    out.values.push_back((static_cast<float>(byte) / 128 - 1) * 0.1f);
  }
  return out;
}

std::string bytes_text_of(const Matrix& m) {
  return {reinterpret_cast<const char*>(m.values.data()), m.values.size() * sizeof(float)};
}

/// For all matrices of layers, or every second one.
Pairs random_pairs(const Model& base, std::uint64_t state, std::int64_t rank, bool half) {
  Pairs out;
  std::size_t at = 0;
  for (const Weight& weight : base.weights) {
    if (weight.shape.rank() != 2 || !weight.name.starts_with("blk.")) continue;
    if (half && at++ % 2 == 0) continue;
    Matrix a = random_matrix(state, rank, weight.shape[1]);
    out[weight.name] = {std::move(a), random_matrix(state, weight.shape[0], rank)};
  }
  REQUIRE_FALSE(out.empty());
  return out;
}

void save_adapter(const std::string& path, const Pairs& pairs, float alpha) {
  GgufBuilder out;
  out.add_text("general.architecture", "llama");
  out.add_text("general.type", "adapter");
  out.add_text("adapter.type", "lora");
  out.add_f32("adapter.lora.alpha", alpha);
  for (const auto& [name, pair] : pairs) {
    for (const auto& [ending, m] : {std::pair(".lora_a", pair.first), {".lora_b", pair.second}}) {
      out.add_tensor(name + ending, 0,
                     {static_cast<std::uint64_t>(m.columns), static_cast<std::uint64_t>(m.rows)},
                     bytes_text_of(m));
    }
  }
  REQUIRE(write_file(path, out.file()));
}

/// The base with W + scale * B A in place of each W, in float32.
LanguageModel merged(const std::string& path, std::shared_ptr<Runtime> runtime, const Pairs& pairs,
                     float scale) {
  LoadOptions options;
  options.arch.kv_type = KvType::kF32;
  auto model = load_model(path, runtime->ops(), options);
  REQUIRE_MESSAGE(model, model.error().message());
  Graph& graph = *model->find("main");
  std::size_t changed = 0;
  for (const ValueId id : graph.value_ids()) {
    Value& value = graph.value(id);
    if (!value.constant || !pairs.contains(value.constant->name)) continue;
    const auto& [a, b] = pairs.at(value.constant->name);
    auto w = Tensor::from_bytes(value.constant->data.type(), value.constant->data.bytes());
    REQUIRE(w);
    for (std::int64_t n = 0; n < b.rows; ++n) {
      for (std::int64_t k = 0; k < a.columns; ++k) {
        float sum = 0;
        for (std::int64_t r = 0; r < a.rows; ++r) {
          sum += b.values[static_cast<std::size_t>(n * a.rows + r)] *
                 a.values[static_cast<std::size_t>(r * a.columns + k)];
        }
        w->mutable_data<float>()[n * a.columns + k] += scale * sum;
      }
    }
    auto constant = std::make_shared<Constant>();
    constant->name = value.constant->name;
    constant->data = w.take();
    value.constant = std::move(constant);
    ++changed;
  }
  REQUIRE(changed == pairs.size());
  auto out = LanguageModel::create(std::move(runtime), *model);
  REQUIRE_MESSAGE(out, out.error().message());
  return out.take();
}

double distance(const Generated& a, const Generated& b) {
  REQUIRE(a.logits.size() == b.logits.size());
  double error = 0;
  double largest = 0;
  for (std::size_t s = 0; s < a.logits.size(); ++s) {
    for (std::size_t t = 0; t < a.logits[s].size(); ++t) {
      const auto x = static_cast<double>(a.logits[s][t]);
      error = std::max(error, std::abs(x - static_cast<double>(b.logits[s][t])));
      largest = std::max(largest, std::abs(x));
    }
  }
  return error / largest;
}

GenerateRequest text_request(std::int64_t first, std::int64_t prompt, std::int64_t count) {
  GenerateRequest out;
  for (std::int64_t i = 0; i < prompt + count; ++i) {
    const auto id = static_cast<TokenId>(3 + (first + i * 37) % 500);
    (i < prompt ? out.prompt : out.forced).push_back(id);
  }
  out.max_new_tokens = count;
  return out;
}

}  // namespace

TEST_CASE("two adapters and none in one batch give what merged weights give") {
  const auto path = shared_file("models/gguf/stories260K/stories260K-f32.gguf");
  if (!path) return;
  const TemporaryFolder folder;
  for (const std::string device : kDevices) {
    auto runtime = make_runtime({device});
    if (!runtime) continue;
    auto base = load_model(*path, runtime->ops());
    REQUIRE(base);
    const Pairs first = random_pairs(*base, 1000, 16, false);
    const Pairs second = random_pairs(*base, 2000, 5, true);
    save_adapter(folder.file("first.gguf"), first, 32);
    save_adapter(folder.file("second.gguf"), second, 0);  // says nothing: as it stands
    std::vector<Adapter> adapters;
    adapters.push_back(must_load(folder.file("first.gguf")));
    adapters.push_back(must_load(folder.file("second.gguf"), 1.5));
    ArchOptions options = with_adapters(std::move(adapters), 1);
    options.tokens_max = 64;
    const LanguageModel model = load_language_model(*path, runtime, options);
    TestBatcher test = make_batcher(model, 256);
    std::vector<GenerateRequest> requests = {text_request(0, 11, 20), text_request(7, 3, 24),
                                             text_request(90, 19, 16)};
    requests[0].adapters = {0};
    requests[1].adapters = {1};
    const auto got = run_together(*test.batcher, requests);
    const Pairs nothing;
    const Pairs* pairs[] = {&first, &second, &nothing};
    const float scales[] = {2.0f, 1.5f, 1.0f};
    for (std::size_t i = 0; i < 3; ++i) {
      CAPTURE(i);
      GenerateRequest request = requests[i];
      request.adapters.clear();
      TestBatcher whole = make_batcher(merged(*path, runtime, *pairs[i], scales[i]), 64);
      const double off = distance(generate(*whole.batcher, request), got[i]);
      TestBatcher without = make_batcher(merged(*path, runtime, nothing, 1), 64);
      const double moved = distance(generate(*without.batcher, request), got[i]);
      MESSAGE(device << " text " << i << ": " << off
                     << " of the largest logit from merged weights, " << moved
                     << " from the base's");
      CHECK(off <= 1e-3);
      if (i < 2) CHECK(moved > 0.1);
    }
  }
}

TEST_CASE("generate applies the adapters of its command line") {
  const TemporaryFolder folder;
  const std::string base = data_path("decoders", "llama-divisors.gguf");
  const PeerStory both = read_peer_rows(adapter_path("llama-divisors.ab.npy"), 1);
  const PeerStory alone = read_peer_rows(data_path("decoders", "llama-divisors.npy"), 1);
  std::string ids = "[";
  for (const TokenId id : both.ids) ids += (ids.size() > 1 ? "," : "") + std::to_string(id);
  REQUIRE(write_file(folder.file("prompt.json"), std::string_view("[3]")));
  REQUIRE(write_file(folder.file("ids.json"), ids + "]"));
  const auto run = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"generate",    base,
                                          "--ids-file",  folder.file("prompt.json"),
                                          "--device",    "cpu",
                                          "--force-ids", folder.file("ids.json"),
                                          "--logits",    folder.file("logits.npy"),
                                          "--kv-type",   "f32",
                                          "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_polaris(arguments);
  };
  const auto logits = [&](const std::vector<std::string>& more) {
    const ProcessResult result = run(more);
    REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    const auto rows = load_npy(folder.file("logits.npy"));
    REQUIRE(rows);
    Generated out;
    const auto width = static_cast<std::size_t>(rows->shape()[1]);
    for (std::int64_t r = 0; r < rows->shape()[0]; ++r) {
      const float* row = rows->data<float>() + static_cast<std::size_t>(r) * width;
      out.logits.emplace_back(row, row + width);
    }
    return out;
  };
  const std::string a = adapter_path("llama-divisors.a.gguf");
  const std::string b = adapter_path("llama-divisors.b.gguf");
  check_error("--lora A --lora B=0.5", both, logits({"--lora", a, "--lora", b + "=0.5"}));
  check_error("--lora PEFT --lora B=0.5", both,
              logits({"--lora", adapter_path("llama-divisors.peft"), "--lora", b + "=0.5"}));
  check_error("--lora A=0", alone, logits({"--lora", a + "=0"}));

  const ProcessResult twice = run({"--lora", a, "--lora", a + "=2"});
  CHECK(twice.exit_code == 2);
  CHECK(twice.err.find("twice") != std::string::npos);
  const ProcessResult other = run({"--lora", adapter_path("qwen2.a.gguf")});
  CHECK(other.exit_code == 1);
  CHECK(other.err.find("qwen2.a.gguf' general.architecture, got 'qwen2', wanted 'llama'") !=
        std::string::npos);
  const ProcessResult model = run({"--lora", base});
  CHECK(model.exit_code == 1);
  CHECK(
      model.err.find("llama-divisors.gguf': [lora] general.type, got nothing, wanted 'adapter'") !=
      std::string::npos);
}

TEST_CASE("convert merges adapters into a file that gives what they gave") {
  const TemporaryFolder folder;
  for (const std::string base : {"llama-divisors", "phi3-short", "gpt-oss"}) {
    const std::string out = folder.file(base + ".gguf");
    const bool peft = base != "gpt-oss";
    const ProcessResult done =
        run_polaris({"convert", data_path("decoders", base + ".gguf"), "-o", out, "--lora",
                     adapter_path(base + (peft ? ".peft" : ".a.gguf")), "--lora",
                     adapter_path(base + ".b.gguf") + "=0.5"});
    REQUIRE_MESSAGE(done.exit_code == 0, done.err);
    ArchOptions options;
    options.kv_type = KvType::kF32;
    const LanguageModel model = load_language_model(out, make_runtime({"cpu"}), options);
    TestBatcher test = make_batcher(model);
    const PeerStory both = read_peer_rows(adapter_path(base + ".ab.npy"), 5);
    check_error(base + " merged", both, generate_forced(*test.batcher, both.prompt_ids, both.ids));
  }
  const auto fault = [&](const std::string& base, const std::string& adapter) {
    const ProcessResult done = run_polaris(
        {"convert", data_path("decoders", base), "-o", folder.file("x.gguf"), "--lora", adapter});
    CHECK(done.exit_code == 1);
    CHECK(path_kind(folder.file("x.gguf")) == PathKind::kMissing);
    return done.err;
  };
  CHECK(fault("gpt2-q4_0.gguf", adapter_path("gpt2.a.gguf")).find("--allow-requantize") !=
        std::string::npos);
  CHECK(fault("qwen2.gguf", adapter_path("llama-divisors.a.gguf"))
            .find("general.architecture, got 'llama', wanted 'qwen2'") != std::string::npos);
  CHECK(fault("gpt2.gguf", adapter_path("llama-divisors.peft"))
            .find("got none of the base's, wanted one of its matrices") != std::string::npos);
}

}  // namespace polaris
