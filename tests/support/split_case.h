#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/generation.h"
#include "support/generation.h"
#include "support/gguf_builder.h"

namespace polaris::test {

/// A language model of made-up weights, so many layers of 3.4 MiB.
GgufBuilder layered_llama(std::uint32_t layers);

/// The devices, and behind them a cpu.
std::shared_ptr<Runtime> runtime_on(std::vector<std::unique_ptr<Device>> cards);

/// A model made ready to generate, its layers dealt.
struct SplitCase {
  std::shared_ptr<Runtime> runtime;
  std::unique_ptr<Batcher> batcher;
  const LayerFit& fit() const { return *batcher->model().fit; }
};
Result<SplitCase> open_split(const GgufBuilder& file, std::shared_ptr<Runtime> runtime,
                             const GenerationOptions& options);

/// A prompt of made-up ids.
std::vector<TokenId> made_up_prompt(std::int64_t count, int seed);

/// How far logits along the same tokens are from those that are taken to be right.
struct LogitsError {
  double relative_max = 0;  // largest |difference| / largest |logit|
  double kl_mean = 0;
  std::size_t wrong_argmax = 0;  // where the margin exceeds twice the error
};
LogitsError compare_logits(const Generated& got, const Generated& want);

}  // namespace polaris::test
