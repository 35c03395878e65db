#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arch/architecture.h"
#include "pipeline/batcher.h"
#include "session/runtime.h"

namespace polaris::test {

/// The project's own model: "f32", "q8_0" or "q4_0".
std::string stories_path(const std::string& storage);

/// A language model file on a runtime, its graph first given to `rewrite`; fails the test on an
/// error.
LanguageModel load_language_model(const std::string& path, std::shared_ptr<Runtime> runtime,
                                  const ArchOptions& options = {},
                                  void (*rewrite)(Graph& graph) = nullptr);

struct TestBatcher {
  std::shared_ptr<KvPool> pool;
  std::unique_ptr<Batcher> batcher;
};
/// `pages` 0: enough for one sequence of the whole context.
TestBatcher make_batcher(const LanguageModel& model, std::int64_t pages = 0,
                         const BatcherOptions& options = {});

/// What one request brought.
struct Generated {
  std::vector<TokenId> ids;
  std::vector<std::vector<float>> logits;  // that each id was picked from
  FinishReason finish = FinishReason::kNone;
};

/// Adds a step's events to the requests they are of. Requests are numbered from 1.
void collect(std::span<const TokenEvent> events, std::vector<Generated>& requests);
/// Runs one request alone to its end.
Generated generate(Batcher& batcher, GenerateRequest request);
/// Greedy, ended by the model's end tokens.
GenerateRequest greedy_request(const LanguageModel& model, const std::string& prompt,
                               std::int64_t max_new_tokens);

}  // namespace polaris::test
