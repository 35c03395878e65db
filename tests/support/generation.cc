#include "support/generation.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "load/load.h"
#include "pipeline/tokenizer_beside.h"
#include "test_paths.h"

namespace polaris::test {

std::string stories_path(const std::string& storage) {
  return std::string(kSourceDir) + "/models/stories/stories-" + storage + ".gguf";
}

LanguageModel load_language_model(const std::string& path, std::shared_ptr<Runtime> runtime,
                                  const ArchOptions& arch, void (*rewrite)(Graph& graph)) {
  LoadOptions options;
  options.arch = arch;
  auto model = load_model(path, runtime->ops(), options);
  if (!model) FAIL(model.error().message());
  if (auto beside = read_tokenizer_beside(path, *model); !beside) FAIL(beside.error().message());
  if (rewrite != nullptr) rewrite(*model->find("main"));
  auto language = LanguageModel::create(std::move(runtime), *model);
  if (!language) FAIL(language.error().message());
  return language.take();
}

TestBatcher make_batcher(const LanguageModel& model, std::int64_t pages,
                         const BatcherOptions& options) {
  TestBatcher out;
  CacheNeed need;
  need.tokens = model.context_tokens;
  need.step_tokens = options.tokens_per_step;
  auto pool = pages > 0 ? KvPool::create(model.program, pages)
                        : KvPool::create(model.program, pages_for(model.contract().groups, need));
  if (!pool) FAIL(pool.error().message());
  out.pool = pool.take();
  auto session = Session::create(model.program, out.pool);
  if (!session) FAIL(session.error().message());
  out.batcher = std::make_unique<Batcher>(model, session.take(), out.pool, options);
  return out;
}

void collect(std::span<const TokenEvent> events, std::vector<Generated>& requests) {
  for (const TokenEvent& event : events) {
    const auto index = static_cast<std::size_t>(event.request - 1);
    if (requests.size() <= index) requests.resize(index + 1);
    Generated& request = requests[index];
    request.finish = event.finish;
    if (event.token < 0) continue;
    request.ids.push_back(event.token);
    request.logits.emplace_back(event.logits.begin(), event.logits.end());
  }
}

Generated generate(Batcher& batcher, GenerateRequest request) {
  auto id = batcher.add(std::move(request));
  if (!id) FAIL(id.error().message());
  std::vector<Generated> requests;
  while (!batcher.idle()) {
    auto events = batcher.step();
    if (!events) FAIL(events.error().message());
    collect(*events, requests);
  }
  REQUIRE(static_cast<RequestId>(requests.size()) == *id);
  return std::move(requests.back());
}

GenerateRequest greedy_request(const LanguageModel& model, const std::string& prompt,
                               std::int64_t max_new_tokens) {
  GenerateRequest request;
  request.prompt = model.tokenizer->encode(prompt).take();
  request.max_new_tokens = max_new_tokens;
  request.sampler.temperature = 0;
  request.end_tokens = model.end_tokens;
  return request;
}

}  // namespace polaris::test
