#pragma once
#include <cstdint>

#include "bench_timing.h"
#include "command.h"
#include "generator.h"

namespace polaris::cli {

/// What a language model is timed on.
struct LlmBench {
  BenchRuns runs;
  std::int64_t prompt_tokens = 512;
  std::int64_t new_tokens = 128;
  std::int64_t depth = 1;  // tokens in the cache before the new ones
  bool profile = false;
};

/// Tokens per second of a prompt and of generation, and what their kernels reached; with `profile`
/// a table of the nodes of each.
Status bench_llm(const Common& common, const GeneratorOptions& options, const LlmBench& bench);

/// A sequence with `depth` tokens in the cache and room for `steps` single steps, its prompt done.
/// Errors: invalid where the context is too short.
Status start_decoding(Batcher& batcher, std::int64_t depth, std::int64_t steps,
                      const RunOptions& options);

}  // namespace polaris::cli
