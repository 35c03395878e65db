#include "generator.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "lora_options.h"
#include "number_option.h"

namespace polaris::cli {
namespace {

constexpr std::int64_t kContextMax = INT32_MAX;  // positions are int32

}  // namespace

void declare_model(CLI::App& app, GeneratorOptions& options) {
  app.add_option("model", options.model, "model file")->required();
  app.add_option("--kv-type", options.kv_type, "storage of the cache: f16, f32, q8_0 or q4_0")
      ->check(CLI::IsMember({"f16", "f32", "q8_0", "q4_0"}));
}

void declare_generator(CLI::App& app, GeneratorOptions& options) {
  declare_model(app, options);
  add_number(app, "-c,--context", options.context, {0, kContextMax},
             "tokens of context to keep, 0 for what the model was trained for, up to " +
                 std::to_string(kContextDefault));
}

GenerationOptions generation_options(const GeneratorOptions& options) {
  GenerationOptions out;
  out.kv_type = kv_type_from_name(options.kv_type).value_or(KvType::kF16);
  out.context = options.context;
  out.sequences = options.sequences;
  out.batcher = options.batcher;
  return out;
}

void warn_double_bos(const Common& common, const Tokenizer& tokenizer,
                     std::span<const TokenId> ids) {
  if (common.quiet || !tokenizer.has_double_bos(ids)) return;
  common.logger().warning("the prompt begins with two " +
                          tokenizer.vocabulary().token(ids[0]).text +
                          ": one is its own, the other was added as the model's file says");
}

namespace {

Status open_draft(const Common& common, const GeneratorOptions& options,
                  GenerationOptions generation, const Generator& generator) {
  generation.adapters = nullptr;  // they are of the model that is drafted for
  auto opened =
      open_model_on(generator.runtime, common, options.draft, generator_arch_options(generation));
  if (!opened) return opened.error();
  const Status status = add_draft_model(*generator.batcher, generator.runtime, opened->model,
                                        opened->options, generation);
  return status ? status : Status(status.error().with_context("'" + options.draft + "'"));
}

}  // namespace

Result<Generator> open_generator(const Common& common, const GeneratorOptions& options) {
  GenerationOptions generation = generation_options(options);
  auto adapters = load_adapters(common, options.loras);
  if (!adapters) return adapters.error();
  generation.adapters = adapters.take();
  auto opened = open_model(common, options.model, generator_arch_options(generation));
  if (!opened) return opened.error();
  auto batcher = make_batcher(opened->runtime, opened->model, opened->options, generation);
  if (!batcher) return batcher.error().with_context("'" + options.model + "'");
  Generator out{opened->runtime, batcher.take()};
  if (options.draft.empty()) return out;
  if (auto status = open_draft(common, options, generation, out); !status) return status.error();
  return out;
}

}  // namespace polaris::cli
