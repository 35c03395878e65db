#include "generator.h"

#include <CLI/CLI.hpp>
#include <optional>
#include <utility>

#include "base/strings.h"
#include "lora_options.h"
#include "number_option.h"
#include "speculation_flags.h"

namespace polaris::cli {
namespace {

constexpr std::int64_t kMicroBatchesMax = 64;
constexpr std::int64_t kContextMax = INT32_MAX;  // positions are int32

/// How many layers are asked for; nothing for "auto".
std::optional<std::int64_t> layers_of(const std::string& text) {
  return text == "auto" ? std::nullopt : parse_i64(text);
}

std::string layers_error(const std::string& text) {
  if (text == "auto" || parse_i64(text).value_or(-1) >= 0) return {};
  return "got '" + printable(text, 64) + "', wanted auto or a whole number, 0 or more";
}

}  // namespace

void declare_model(CLI::App& app, GeneratorOptions& options) {
  app.add_option("model", options.model, "model file")->required();
  app.add_option("--kv-type", options.kv_type, "storage of the cache: f16, f32, q8_0 or q4_0")
      ->check(CLI::IsMember({"f16", "f32", "q8_0", "q4_0"}));
  app.add_option("--gpu-layers,--n-gpu-layers", options.gpu_layers,
                 "layers on the GPUs, the head counting as one more; the cpu has the others; auto "
                 "for as many as fit")
      ->check(layers_error, "");
  add_number(app, "--micro-batches", options.batcher.micro_batches.count_max, {0, kMicroBatchesMax},
             "parts of a step in flight where layers stand on several devices, 0 for twice as many "
             "as these");
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
  out.gpu_layers = layers_of(options.gpu_layers);
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
  // What is of the model that is drafted for.
  generation.adapters = nullptr;
  if (generation.gpu_layers.value_or(0) > 0) generation.gpu_layers.reset();
  generation.logit_rows = 0;
  auto opened =
      open_model_on(generator.runtime, common, options.draft, generator_arch_options(generation));
  if (!opened) return opened.error();
  const Status status = add_draft_model(*generator.batcher, generator.runtime, opened->model,
                                        opened->options, generation);
  return status ? status : Status(status.error().with_context("'" + options.draft + "'"));
}

}  // namespace

std::string layers_text(const LanguageModel& model) {
  if (!model.fit || model.fit->card_layers == model.fit->layers) return "";
  return " (" + std::to_string(model.fit->card_layers) + " of " +
         std::to_string(model.fit->layers) + " layers)";
}

Result<Generator> open_generator(const Common& common, const GeneratorOptions& options) {
  GenerationOptions generation = generation_options(options);
  auto adapters = load_adapters(common, options.loras);
  if (!adapters) return adapters.error();
  generation.adapters = adapters.take();
  if (has_speculation(options)) {
    generation.logit_rows = options.sequences * (1 + options.batcher.speculation.draft_tokens);
  }
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
