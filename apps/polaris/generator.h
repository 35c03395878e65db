#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "command.h"
#include "model_io.h"
#include "pipeline/batcher.h"

namespace polaris::cli {

struct GeneratorOptions {
  std::string model;
  std::string kv_type = "f16";
  std::int64_t context = 0;  // tokens; 0: what the model was trained for, at most 4096
};

/// A language model with a cache for one sequence, ready to generate.
struct Generator {
  std::shared_ptr<Runtime> runtime;
  std::unique_ptr<Batcher> batcher;
};

void declare_generator(CLI::App& app, GeneratorOptions& options);
/// Tokens to keep for a model trained for `trained`. Errors: invalid.
Result<std::int64_t> context_of(const GeneratorOptions& options, std::int64_t trained);
Result<Generator> open_generator(const Common& common, const GeneratorOptions& options);

}  // namespace polaris::cli
