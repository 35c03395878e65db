#include "pipeline/generation.h"

#include <algorithm>
#include <utility>

#include "pipeline/top_logits.h"
#include "session/cache_groups.h"

namespace polaris {
namespace {

std::int64_t context_of(const GenerationOptions& options) {
  return options.context > 0 ? options.context : kContextDefault;
}

/// Whether logits are made where the host cannot read them as they are.
bool on_card(Runtime& runtime, const std::optional<LayerFit>& fit) {
  return !runtime.device(fit ? fit->split.head : 0).info().host_memory;
}

}  // namespace

ArchOptions arch_options(const GenerationOptions& options) {
  ArchOptions out;
  out.kv_type = options.kv_type;
  out.context_max = context_of(options);
  out.adapters = options.adapters;
  return out;
}

ArchOptions generator_arch_options(const GenerationOptions& options) {
  ArchOptions out = arch_options(options);
  out.generate = true;
  return out;
}

FitNeed fit_need(const Model& model, const GenerationOptions& options) {
  FitNeed out;
  out.cache.sequences = options.sequences;
  out.cache.tokens = trained_context(model).value_or(context_of(options));
  out.cache.step_tokens = std::min(options.batcher.tokens_per_step, out.cache.tokens);
  out.cache.source = options.source;
  out.step_tokens = options.batcher.tokens_per_step;
  if (options.sequences == 1) out.step_tokens = out.cache.step_tokens;
  out.logit_rows = options.logit_rows > 0 ? options.logit_rows : options.sequences;
  return out;
}

Result<ReadyModel> make_ready(std::shared_ptr<Runtime> runtime, Model& model,
                              ProgramOptions program, const GenerationOptions& options) {
  if (options.adapters && model.decoder && !model.decoder->adapters) {
    return Error::unsupported("[lora] a base of format " + model.format +
                              ", which holds its own graph, wanted one of weights such as GGUF");
  }
  program.cached_tokens = context_of(options) * options.sequences;
  FitOptions fitting{program, options.gpu_layers, {}};
  auto fit = fit_layers(*runtime, model, fit_need(model, options), fitting);
  if (!fit) return fit.error();
  if (*fit) program.layers = (*fit)->split;
  const std::int64_t top =
      options.top_logits.value_or(on_card(*runtime, *fit) ? kTopLogits : std::int64_t{0});
  std::optional<TopOutput> top_output;
  if (top > 0 && model.decoder && model.find("main") != nullptr) {
    auto added = add_top_logits(model, runtime->ops(), top);
    if (!added) return added.error();
    top_output = *added;
  }
  auto language = LanguageModel::create(std::move(runtime), model, program);
  if (!language) return language.error();
  language->fit = fit.take();
  language->top = top_output;
  CacheNeed need;
  need.sequences = options.sequences;
  need.tokens = language->context_tokens;
  need.step_tokens = std::min(options.batcher.tokens_per_step, language->bounds.tokens_max);
  need.source = options.source;
  const auto pages = pages_for(language->contract().groups, need);
  auto pool = KvPool::create(language->program, pages);
  if (!pool) return pool.error();
  auto session = Session::create(language->program, *pool);
  if (!session) return session.error();
  return ReadyModel{language.take(), pool.take(), session.take()};
}

Result<std::unique_ptr<Batcher>> make_batcher(std::shared_ptr<Runtime> runtime, Model& model,
                                              ProgramOptions program,
                                              const GenerationOptions& options) {
  auto ready = make_ready(std::move(runtime), model, std::move(program), options);
  if (!ready) return ready.error();
  return std::make_unique<Batcher>(std::move(ready->model), std::move(ready->session),
                                   std::move(ready->pool), options.batcher);
}

Status add_draft_model(Batcher& batcher, std::shared_ptr<Runtime> runtime, Model& model,
                       ProgramOptions program, const GenerationOptions& options) {
  auto ready = make_ready(std::move(runtime), model, std::move(program), options);
  if (!ready) return ready.error();
  return batcher.set_draft_model(
      std::make_unique<DraftModel>(std::move(ready->model), std::move(ready->session),
                                   std::move(ready->pool), options.batcher.tokens_per_step));
}

}  // namespace polaris
