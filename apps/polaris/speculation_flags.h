#pragma once
#include "base/json_writer.h"
#include "command.h"
#include "generator.h"

namespace polaris::cli {

/// --draft, --lookup and --draft-tokens.
void declare_speculation(CLI::App& app, GeneratorOptions& options);
/// Whether they ask for drafts.
bool has_speculation(const GeneratorOptions& options);
/// The fields "drafted", "accepted" and "acceptance" of JSON output.
void write_speculation(JsonWriter& json, const BatcherCounters& counters);
/// ", 12 of 20 drafted tokens were right"; "" where none was drafted.
std::string speculation_text(const BatcherCounters& counters);

}  // namespace polaris::cli
