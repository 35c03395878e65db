#include "generator.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "number_option.h"

namespace polaris::cli {
namespace {

// A model trained for very long texts would take all memory for its cache.
constexpr std::int64_t kContextDefaultMax = 4096;
constexpr std::int64_t kContextMax = INT32_MAX;  // positions are int32

}  // namespace

void declare_generator(CLI::App& app, GeneratorOptions& options) {
  app.add_option("model", options.model, "model file")->required();
  app.add_option("--kv-type", options.kv_type, "storage of the cache: f16, f32, q8_0 or q4_0")
      ->check(CLI::IsMember({"f16", "f32", "q8_0", "q4_0"}));
  add_number(app, "-c,--context", options.context, {0, kContextMax},
             "tokens of context to keep, 0 for what the model was trained for, up to " +
                 std::to_string(kContextDefaultMax));
}

ArchOptions arch_options(const GeneratorOptions& options) {
  ArchOptions out;
  out.kv_type = kv_type_from_name(options.kv_type).value_or(KvType::kF16);
  out.context_max = options.context > 0 ? options.context : kContextDefaultMax;
  return out;
}

void warn_double_bos(const Common& common, const Tokenizer& tokenizer,
                     std::span<const TokenId> ids) {
  if (common.quiet || !tokenizer.has_double_bos(ids)) return;
  common.logger().warning("the prompt begins with two " +
                          tokenizer.vocabulary().token(ids[0]).text +
                          ": one is its own, the other was added as the model's file says");
}

Result<Generator> open_generator(const Common& common, const GeneratorOptions& options) {
  auto opened = open_model(common, options.model, arch_options(options));
  if (!opened) return opened.error();
  opened->options.cached_tokens = options.context > 0 ? options.context : kContextDefaultMax;
  auto model = LanguageModel::create(opened->runtime, opened->model, opened->options);
  if (!model) return model.error().with_context("'" + options.model + "'");
  const std::int64_t page = KvPool::page_tokens(*model->program);
  auto pool = KvPool::create(model->program,
                             ceil_div(model->context_tokens, std::max<std::int64_t>(page, 1)));
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
