#include "context_shift_flags.h"

#include <CLI/CLI.hpp>

#include "number_option.h"

namespace polaris::cli {

void declare_context_shift(CLI::App& app, ContextShift& shift, const std::string& kept) {
  auto* flag = app.add_flag("--context-shift,!--no-context-shift", shift.on,
                            "where the context is full, drop the oldest half of what is not kept, "
                            "compute the rest again and go on");
  if (shift.on) flag->default_str("true");
  add_number(app, "--keep", shift.keep, {0, INT32_MAX},
             "tokens at the beginning that a context shift keeps, in place of " + kept);
}

Status check_context_shift(const Common& common, const ContextShift& shift) {
  if (shift.on || shift.keep < 0) return Status::success();
  return common.usage_error("--keep goes with --context-shift");
}

void write_context_shift(JsonWriter& json, const BatcherCounters& counters) {
  json.field("context_shifts", counters.shifts).field("dropped_tokens", counters.dropped_tokens);
  json.field("recomputed_tokens", counters.recomputed_tokens);
}

void warn_context_shift(const Common& common, const Batcher& batcher,
                        const BatcherCounters& before) {
  const BatcherCounters& now = batcher.counters();
  if (now.shifts == before.shifts || common.quiet) return;
  common.logger().warning(
      "the context of " + std::to_string(batcher.context_tokens()) +
      " tokens is full: " + std::to_string(now.dropped_tokens - before.dropped_tokens) +
      " of them are dropped, and what follows them is computed again");
}

}  // namespace polaris::cli
