#include "speculation_flags.h"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "number_option.h"

namespace polaris::cli {
namespace {

constexpr std::int64_t kDraftTokensMax = 64;
constexpr std::int64_t kLookupMax = 64;

}  // namespace

void declare_speculation(CLI::App& app, GeneratorOptions& options) {
  SpeculationOptions& speculation = options.batcher.speculation;
  app.add_option("--draft", options.draft,
                 "file of a small model with the same vocabulary, which writes ahead what this one "
                 "checks, several tokens a step: the text stays the same");
  add_number(app, "--lookup", speculation.lookup_tokens, {0, kLookupMax},
             "where so many of the last tokens stood in the text before, what followed there is "
             "checked in the same way; 0 looks nothing up");
  add_number(app, "--draft-tokens", speculation.draft_tokens, {0, kDraftTokensMax},
             "tokens that are checked ahead, at most: fewer, or none, while they do not pay");
}

bool has_speculation(const GeneratorOptions& options) {
  const SpeculationOptions& speculation = options.batcher.speculation;
  return !options.draft.empty() || speculation.lookup_tokens > 0;
}

void write_speculation(JsonWriter& json, const BatcherCounters& counters) {
  const double share = counters.drafted > 0 ? static_cast<double>(counters.accepted) /
                                                  static_cast<double>(counters.drafted)
                                            : 0;
  json.field("drafted", counters.drafted).field("accepted", counters.accepted);
  json.field("acceptance", share);
}

std::string speculation_text(const BatcherCounters& counters) {
  if (counters.drafted == 0) return "";
  return ", " + std::to_string(counters.accepted) + " of " + std::to_string(counters.drafted) +
         " drafted tokens were right";
}

}  // namespace polaris::cli
