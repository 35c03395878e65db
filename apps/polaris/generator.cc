#include "generator.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "base/checked.h"

namespace polaris::cli {
namespace {

// A model trained for very long texts would take all memory for its cache.
constexpr std::int64_t kContextDefaultMax = 4096;

}  // namespace

void declare_generator(CLI::App& app, GeneratorOptions& options) {
  app.add_option("model", options.model, "model file")->required();
  app.add_option("--kv-type", options.kv_type, "storage of the cache: f16, f32, q8_0 or q4_0")
      ->check(CLI::IsMember({"f16", "f32", "q8_0", "q4_0"}));
  app.add_option("-c,--context", options.context, "tokens of context to keep");
}

Result<std::int64_t> context_of(const GeneratorOptions& options, std::int64_t trained) {
  if (options.context < 0) {
    return Error::invalid("[cli] --context, got a negative number, wanted 0 or more");
  }
  return std::min(options.context > 0 ? options.context : kContextDefaultMax, trained);
}

Result<Generator> open_generator(const Common& common, const GeneratorOptions& options) {
  ArchOptions arch;
  arch.kv_type = kv_type_from_name(options.kv_type).value_or(KvType::kF16);
  auto opened = open_model(common, options.model, arch);
  if (!opened) return opened.error();
  opened->options.cached_tokens = options.context > 0 ? options.context : kContextDefaultMax;
  auto model = LanguageModel::create(opened->runtime, opened->model, opened->options);
  if (!model) return model.error();
  auto context = context_of(options, model->context_tokens);
  if (!context) return context.error();
  model->context_tokens = *context;
  const std::int64_t page = KvPool::page_tokens(*model->program);
  auto pool = KvPool::create(model->program, ceil_div(*context, std::max<std::int64_t>(page, 1)));
  if (!pool) return pool.error();
  auto session = Session::create(model->program, *pool);
  if (!session) return session.error();
  Generator out;
  out.runtime = opened->runtime;
  out.batcher =
      std::make_unique<Batcher>(model.take(), session.take(), pool.take(), BatcherOptions{});
  return out;
}

}  // namespace polaris::cli
