#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "command.h"
#include "model_io.h"
#include "pipeline/generation.h"

namespace polaris::cli {

struct GeneratorOptions {
  std::string model;
  std::string kv_type = "f16";
  std::string gpu_layers = "auto";
  std::int64_t context = 0;        // tokens; 0: what the model was trained for, at most 4096
  std::vector<std::string> loras;  // FILE[=SCALE], where a command declares --lora
  std::string draft;               // file of a model that drafts; empty: none
  // Not of the command line:
  std::int64_t sequences = 1;  // of the whole context that the cache has room for
  BatcherOptions batcher;
};

/// A language model with a cache, ready to generate.
struct Generator {
  std::shared_ptr<Runtime> runtime;
  std::unique_ptr<Batcher> batcher;
};

/// The model and its cache alone, and the context to keep besides.
void declare_model(CLI::App& app, GeneratorOptions& options);
void declare_generator(CLI::App& app, GeneratorOptions& options);
/// How the options want a language model built.
GenerationOptions generation_options(const GeneratorOptions& options);
/// Warns on stderr where a prompt begins with two BOS.
void warn_double_bos(const Common& common, const Tokenizer& tokenizer,
                     std::span<const TokenId> ids);
/// " (12 of 32 layers)" where some of a model's layers are not on the devices asked for, else "".
std::string layers_text(const LanguageModel& model);
/// With the draft model, where the options name one.
Result<Generator> open_generator(const Common& common, const GeneratorOptions& options);

}  // namespace polaris::cli
