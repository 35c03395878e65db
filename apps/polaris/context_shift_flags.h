#pragma once
#include <cstdint>
#include <string>

#include "base/json_writer.h"
#include "command.h"
#include "pipeline/batcher.h"

namespace polaris::cli {

/// Whether texts go on where their context is full, and what they keep then.
struct ContextShift {
  bool on = false;
  std::int64_t keep = -1;  // tokens; negative: as the command does
};

void declare_context_shift(CLI::App& app, ContextShift& shift, const std::string& kept);
/// Errors: usage, where something is to be kept in a shift that is off.
Status check_context_shift(const Common& common, const ContextShift& shift);
/// The fields "context_shifts", "dropped_tokens" and "recomputed_tokens" of JSON output.
void write_context_shift(JsonWriter& json, const BatcherCounters& counters);
/// Warns of a shift that a step brought: `before` are the counters before it.
void warn_context_shift(const Common& common, const Batcher& batcher,
                        const BatcherCounters& before);

}  // namespace polaris::cli
