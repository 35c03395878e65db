#include "support/split_case.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "backend/cpu/cpu_device.h"
#include "load/load.h"

namespace polaris::test {

GgufBuilder layered_llama(std::uint32_t layers) {
  TinyLlama sizes;
  sizes.layers = layers;
  sizes.width = 256;
  sizes.feed_forward = 832;
  sizes.heads = 4;
  sizes.kv_heads = 4;
  sizes.vocab = 512;
  sizes.context = 256;
  GgufBuilder out = tiny_llama(sizes);
  add_tokenizer(out, sizes);
  return out;
}

std::shared_ptr<Runtime> runtime_on(std::vector<std::unique_ptr<Device>> cards) {
  const auto spread = static_cast<DeviceIndex>(std::max<std::size_t>(cards.size(), 1));
  auto cpu = make_cpu_device({});
  REQUIRE(cpu);
  cards.push_back(cpu.take());
  return std::make_shared<Runtime>(std::move(cards), spread, OpSet::builtin());
}

Result<SplitCase> open_split(const GgufBuilder& file, std::shared_ptr<Runtime> runtime,
                             const GenerationOptions& options) {
  Source source = Source::in_memory("split.gguf", file.file());
  LoadOptions load;
  load.arch = generator_arch_options(options);
  auto model = load_model(source, runtime->ops(), load);
  if (!model) return model.error();
  SplitCase out;
  out.runtime = runtime;
  auto batcher = polaris::make_batcher(std::move(runtime), *model, {}, options);
  if (!batcher) return batcher.error();
  out.batcher = batcher.take();
  return out;
}

std::vector<TokenId> made_up_prompt(std::int64_t count, int seed) {
  std::mt19937 random(static_cast<std::uint32_t>(seed));
  std::vector<TokenId> out = {1};
  while (static_cast<std::int64_t>(out.size()) < count) {
    out.push_back(static_cast<TokenId>(3 + random() % 500));
  }
  return out;
}

namespace {

std::vector<double> softmax(const std::vector<float>& logits) {
  const double most = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  std::vector<double> out;
  double sum = 0;
  for (const float x : logits) sum += out.emplace_back(std::exp(static_cast<double>(x) - most));
  for (double& p : out) p /= sum;
  return out;
}

}  // namespace

LogitsError compare_logits(const Generated& got, const Generated& want) {
  REQUIRE(got.logits.size() == want.logits.size());
  LogitsError out;
  for (std::size_t s = 0; s < want.logits.size(); ++s) {
    const std::vector<float>& a = got.logits[s];
    const std::vector<float>& b = want.logits[s];
    REQUIRE(a.size() == b.size());
    double worst = 0;
    double largest = 0;
    for (std::size_t i = 0; i < b.size(); ++i) {
      worst = std::max(worst, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
      largest = std::max(largest, std::abs(static_cast<double>(b[i])));
    }
    out.relative_max = std::max(out.relative_max, worst / largest);
    std::vector<float> sorted = b;
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    const double margin = static_cast<double>(sorted[0]) - static_cast<double>(sorted[1]);
    if (margin > 2 * worst && argmax(a) != argmax(b)) ++out.wrong_argmax;
    const std::vector<double> p = softmax(b);
    const std::vector<double> q = softmax(a);
    for (std::size_t i = 0; i < p.size(); ++i) {
      if (p[i] > 0) out.kl_mean += p[i] * std::log(p[i] / std::max(q[i], 1e-300));
    }
  }
  out.kl_mean /= static_cast<double>(std::max<std::size_t>(want.logits.size(), 1));
  return out;
}

}  // namespace polaris::test
