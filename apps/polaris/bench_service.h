#pragma once
#include <cstdint>

#include "command.h"
#include "generator.h"

namespace polaris::cli {

/// What a model is timed on that serves many texts at once.
struct ServiceBench {
  std::int64_t sequences = 16;
  std::int64_t new_tokens = 64;      // of each
  std::int64_t cache_sequences = 0;  // of the whole context that the cache holds; 0: half of them
  double step_budget_ms = 200;
  std::uint64_t seed = 1;
};

/// Texts with prompts of 20 to 4000 made-up tokens, or as many as the context has room for, each a
/// random count of steps behind the one before: gaps between tokens and times to first tokens, also
/// in processor time, which others' load does not change much, and beside what the schedule
/// expected its steps to take. Then a prompt of 20 tokens behind a long one, a chat of ten turns,
/// and tokens a second of one text and of eight. Everything runs twice, and the second time counts,
/// when plans are there. Errors: invalid where the context is too short.
Status bench_service(const Common& common, GeneratorOptions options, ServiceBench bench);

}  // namespace polaris::cli
