// How a decoder's layers are told apart and dealt to devices, and what that takes.

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "base/strings.h"
#include "load/load.h"
#include "pipeline/layer_fit.h"
#include "session/run_order.h"
#include "support/fake_card.h"
#include "support/fake_device.h"
#include "support/split_case.h"
#include "test_paths.h"

namespace polaris {
namespace {

using namespace test;

constexpr std::int64_t kKiB = 1024;

Model load(const GgufBuilder& file) {
  Source source = Source::in_memory("fit.gguf", file.file());
  auto model = load_model(source, OpSet::builtin());
  REQUIRE_MESSAGE(model, model.error().message());
  return model.take();
}

/// Six layers, each of 11 KiB in the file and 2 KiB of cache for 32 tokens.
GgufBuilder small_llama() {
  TinyLlama sizes;
  sizes.layers = 6;
  GgufBuilder out = tiny_llama(sizes);
  add_tokenizer(out, sizes);
  return out;
}

/// A runtime of fake cards with these budgets.
std::shared_ptr<Runtime> fake_runtime(const std::vector<std::int64_t>& budgets,
                                      std::vector<FakeCard*>* out = nullptr) {
  std::vector<std::unique_ptr<Device>> cards;
  for (const std::int64_t budget : budgets) {
    auto card = std::make_unique<FakeCard>(budget);
    if (out != nullptr) out->push_back(card.get());
    cards.push_back(std::move(card));
  }
  return runtime_on(std::move(cards));
}

FitNeed need_of(std::int64_t context) {
  FitNeed need;
  need.cache.tokens = context;
  need.cache.step_tokens = need.step_tokens = context;
  return need;
}

LayerFit fit_of(Runtime& runtime, const Model& model, const FitOptions& options = {}) {
  auto fit = fit_layers(runtime, model, need_of(32), options);
  REQUIRE_MESSAGE(fit, fit.error().message());
  REQUIRE(fit->has_value());
  return **fit;
}

/// Of "blk.3.attn_q": 3.
std::size_t layer_of(const std::string& name) {
  const std::size_t end = name.find('.', 4);
  return static_cast<std::size_t>(parse_i64(name.substr(4, end - 4)).value_or(-1));
}

std::int64_t bytes_of(const MemoryUse& use) {
  return use.weight_bytes + use.arena_bytes + use.state_bytes;
}

}  // namespace

TEST_CASE("layers: every architecture's are told apart where one hidden state is alive") {
  int seen = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(std::string(kSourceDir) + "/tests/data/decoders")) {
    if (file.path().extension() != ".gguf") continue;
    CAPTURE(file.path().string());
    auto model = load_model(file.path().string(), OpSet::builtin());
    REQUIRE_MESSAGE(model, model.error().message());
    REQUIRE(model->decoder);
    Graph& graph = *model->find("main");
    REQUIRE(infer_graph(graph));
    const auto sections = find_sections(graph, *model->decoder);
    REQUIRE(sections);
    const auto& layers = model->hyperparameters.at("block_count");
    CHECK(sections->layers() == std::get<std::int64_t>(layers));
    CHECK(std::is_sorted(sections->layer_begin.begin(), sections->layer_begin.end()));
    CHECK(sections->head_begin > sections->layer_begin.back());
    // What is named after a layer stands in it, and what is not stands outside of all.
    for (std::size_t p = 0; p < graph.order().size(); ++p) {
      const std::string& name = graph.node(graph.order()[p]).name;
      const std::size_t section = sections->section_of(p);
      CAPTURE(name);
      if (name.starts_with("blk.")) {
        CHECK(section == layer_of(name) + 1);
      } else {
        CHECK((section == 0 || section == sections->layer_begin.size() + 1));
      }
    }
    ++seen;
  }
  CHECK(seen >= 15);
}

TEST_CASE("layers: a graph without caches, or with entangled ones, has none") {
  Model model = load(small_llama());
  Graph& graph = *model.find("main");
  REQUIRE(infer_graph(graph));
  CHECK(find_sections(graph, *model.decoder));
  DecoderContract without = *model.decoder;
  without.groups.clear();
  CHECK(!find_sections(graph, without));
  DecoderContract beyond = *model.decoder;
  beyond.logit_rows = 1000;
  CHECK(!find_sections(graph, beyond));
}

TEST_CASE("fit: the larger the card the more layers, and never more than it holds") {
  const Model model = load(small_llama());
  std::int64_t layers = 0;
  bool none = false;
  bool some = false;
  bool whole = false;
  for (std::int64_t budget = 64 * kKiB; budget <= 640 * kKiB; budget += 4 * kKiB) {
    CAPTURE(budget);
    auto runtime = fake_runtime({budget});
    const LayerFit fit = fit_of(*runtime, model);
    CHECK(fit.fits);
    CHECK(fit.layers == 6);
    CHECK(bytes_of(fit.memory[0]) <= budget);
    CHECK(fit.card_layers >= layers);
    CHECK(fit.split.embedding == (fit.whole ? 0 : 1));
    if (fit.whole) CHECK(fit.card_layers == 6);
    CHECK(!(whole && !fit.whole));
    layers = fit.card_layers;
    whole = fit.whole;
    none = none || layers == 0;
    some = some || (layers > 0 && layers < 6);
  }
  CHECK(none);
  CHECK(some);
  CHECK(whole);
}

TEST_CASE("fit: the cache counts, and a longer one leaves room for fewer layers") {
  const Model model = load(small_llama());
  auto runtime = fake_runtime({400 * kKiB});
  FitNeed few = need_of(32);
  FitNeed many = need_of(32);
  many.cache.sequences = 16;
  auto a = fit_layers(*runtime, model, few, {});
  auto b = fit_layers(*runtime, model, many, {});
  REQUIRE(a);
  REQUIRE(b);
  CHECK((*a)->card_layers > (*b)->card_layers);
  // Two pages of 16 tokens of 16 elements, keys and values, f16.
  CHECK((*a)->memory[0].state_bytes == (*a)->card_layers * 2 * 32 * 16 * 2);
}

TEST_CASE("fit: as many layers as told, the head being one more") {
  const Model model = load(small_llama());
  auto runtime = fake_runtime({64 * 1024 * kKiB});
  for (const std::int64_t layers : {0, 1, 5, 6, 7, 1000}) {
    CAPTURE(layers);
    FitOptions options;
    options.layers = layers;
    const LayerFit fit = fit_of(*runtime, model, options);
    CHECK(fit.card_layers == std::min<std::int64_t>(layers, 6));
    CHECK(fit.split.head == (layers > 6 ? 0 : 1));
    CHECK(fit.whole == (layers > 6));
    if (layers == 0) CHECK(bytes_of(fit.memory[0]) == 0);
  }
}

TEST_CASE("fit: cards share the layers equally, by shares, and as each has room") {
  const Model model = load(small_llama());
  const std::int64_t large = 64 * 1024 * kKiB;
  auto even = fake_runtime({large, large});
  const LayerFit both = fit_of(*even, model);
  CHECK(both.whole);
  CHECK(both.split.layers[0] + both.split.layers[1] == 6);
  CHECK(std::abs(both.split.layers[0] - both.split.layers[1]) <= 2);
  CHECK(both.split.head == 1);
  FitOptions shares;
  shares.program.shares = {1, 6};
  CHECK(fit_of(*even, model, shares).split.layers[0] == 1);
  // The first has room for little, the second for the rest.
  auto uneven = fake_runtime({330 * kKiB, large});
  const LayerFit fit = fit_of(*uneven, model);
  CHECK(fit.fits);
  CHECK(fit.split.layers[0] <= fit.split.layers[1]);
  CHECK(fit.card_layers == 6);
  // Neither holds it alone.
  auto small = fake_runtime({340 * kKiB, 340 * kKiB});
  const LayerFit split = fit_of(*small, model);
  CHECK(split.fits);
  CHECK(split.split.layers[0] > 0);
  CHECK(split.split.layers[1] > 0);
}

TEST_CASE("fit: the cpu alone has nothing to deal") {
  const Model model = load(small_llama());
  auto fit = fit_layers(*runtime_on({}), model, need_of(32), {});
  REQUIRE(fit);
  CHECK(!fit->has_value());
}

TEST_CASE("run order: runs come to each device one after the other, and a failure stops the rest") {
  RunOrder order(3, 2);
  auto first = order.enter(0, 0, nullptr);
  REQUIRE(first);
  CHECK(first->value == 0);
  std::atomic<int> entered{0};
  std::thread second([&] {
    const auto fence = order.enter(1, 0, nullptr);
    entered = fence && fence->value == 7 ? 1 : -1;
    order.leave(1, 0, Fence{9, 0});
  });
  CHECK(entered == 0);
  order.leave(0, 0, Fence{7, 0});
  second.join();
  CHECK(entered == 1);
  // Devices are independent of each other.
  const auto third = order.enter(2, 0, nullptr);
  REQUIRE(third);
  CHECK(third->value == 9);
  CancelToken cancel;
  cancel.cancel();
  CHECK(order.enter(1, 1, &cancel).error().code() == ErrorCode::kCancelled);
  std::thread waiting(
      [&] { CHECK(order.enter(2, 1, nullptr).error().code() == ErrorCode::kCancelled); });
  order.end(0, false);
  waiting.join();
}

TEST_CASE("run order: a run that ends leaves what it never was at") {
  RunOrder order(2, 1);
  order.end(0, true);
  const auto fence = order.enter(1, 0, nullptr);
  REQUIRE(fence);
  CHECK(fence->value == 0);
}

}  // namespace polaris
