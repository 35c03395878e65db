#include "pipeline/scorer.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "text/logprobs.h"

namespace polaris {
namespace {

// Logits of a step: large vocabularies would take more memory than all else.
constexpr std::int64_t kLogitBytesMax = 64 << 20;

std::int64_t rows_of_step(std::int64_t vocabulary) {
  const std::int64_t row = std::max<std::int64_t>(vocabulary, 1) * std::int64_t{sizeof(float)};
  return std::max<std::int64_t>(kLogitBytesMax / row, 1);
}

}  // namespace

Result<Scorer> Scorer::create(std::shared_ptr<Runtime> runtime, Model& model,
                              ProgramOptions program, const GenerationOptions& options) {
  GenerationOptions sized = options;
  sized.top_logits = 0;  // of each row one is wanted that may be anywhere
  if (const Graph* graph = model.find("main"); graph != nullptr && model.decoder) {
    const TensorType& logits = graph->value(graph->outputs()[model.decoder->logits]).type;
    sized.logit_rows = std::min(rows_of_step(logits.shape.back()), options.batcher.tokens_per_step);
  }
  auto ready = make_ready(std::move(runtime), model, std::move(program), sized);
  if (!ready) return ready.error();
  if (ready->model.contract().encoder) {
    return Error::unsupported("[score] a model that reads a source besides its text, wanted none");
  }
  return Scorer(ready.take(), options.batcher);
}

Scorer::Scorer(ReadyModel ready, const BatcherOptions& options)
    : ready_(std::move(ready)),
      inputs_(ready_.model.contract(), ready_.pool, ready_.model.bounds),
      micro_batches_(ready_.model, ready_.model.bounds, options.micro_batches),
      tokens_max_(std::min({options.tokens_per_step, ready_.model.bounds.tokens_max,
                            ready_.pool->step_tokens_max()})),
      rows_max_(std::min(rows_of_step(ready_.model.vocabulary), tokens_max_)),
      logits_(ready_.model) {}

Status Scorer::check(std::span<const TokenId> ids, std::int64_t first) const {
  const auto count = static_cast<std::int64_t>(ids.size());
  if (first < 1 || first > count) {
    return Error::invalid("[score] first id to score, got " + std::to_string(first) +
                          ", wanted 1 to " + std::to_string(count));
  }
  const std::int64_t limit = std::min(ready_.model.context_tokens, ready_.pool->tokens_max());
  if (count > limit) {
    return Error::exhausted("[score] ids, got " + std::to_string(count) + ", wanted at most " +
                            std::to_string(limit) + ", which the context holds");
  }
  const std::int64_t vocabulary = ready_.model.vocabulary;
  const auto* bad = std::find_if(ids.data(), ids.data() + ids.size(),
                                 [&](TokenId id) { return id < 0 || id >= vocabulary; });
  if (bad == ids.data() + ids.size()) return Status::success();
  return Error::invalid("[score] id, got " + std::to_string(*bad) + ", wanted 0 to " +
                        std::to_string(vocabulary - 1));
}

Status Scorer::run(Sequence& sequence, std::span<const TokenId> ids, std::int64_t begin,
                   std::int64_t end, bool wanted, const RunOptions& options) {
  if (auto status = ready_.pool->reserve(sequence, end); !status) return status;
  const Sequence* const sequences[] = {&sequence};
  if (auto status = inputs_.begin(end - begin, sequences, wanted ? end - begin : 1); !status) {
    return status;
  }
  for (std::int64_t at = begin; at < end; ++at) {
    const std::int32_t index = inputs_.add_token(ids[static_cast<std::size_t>(at)], at, 0);
    if (wanted) inputs_.add_logits(index);
  }
  auto ran = micro_batches_.run(*ready_.session, inputs_.tensors(), logits_, options);
  if (!ran) return ran;
  ready_.pool->commit(sequence, end);
  return Status::success();
}

Result<std::vector<double>> Scorer::score(std::span<const TokenId> ids, std::int64_t first,
                                          const RunOptions& options) {
  if (auto status = check(ids, first); !status) return status.error();
  Sequence sequence = ready_.pool->start();
  std::vector<double> out;
  // The last id follows from those before it, and is itself not run.
  const auto last = static_cast<std::int64_t>(ids.size()) - 1;
  for (std::int64_t begin = 0; begin < last;) {
    const bool wanted = begin >= first - 1;
    const std::int64_t end =
        wanted ? std::min(last, begin + rows_max_) : std::min(first - 1, begin + tokens_max_);
    if (auto status = run(sequence, ids, begin, end, wanted, options); !status) {
      return status.error();
    }
    for (std::int64_t at = begin; wanted && at < end; ++at) {
      const TokenId next = ids[static_cast<std::size_t>(at) + 1];
      const auto row = logits_.row(static_cast<std::int32_t>(at - begin));
      if (!row) return row.error();
      out.push_back(log_probability(*row, next));
      if (std::isfinite(out.back())) continue;
      return Error::invalid("[score] logits after id " + std::to_string(at) +
                            ", got some that are no finite numbers");
    }
    begin = end;
  }
  return out;
}

}  // namespace polaris
