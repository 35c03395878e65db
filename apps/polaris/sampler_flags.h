#pragma once
#include <string>
#include <vector>

#include "command.h"
#include "text/sampler_options.h"

namespace polaris::cli {

/// Sampler, stop strings and seed as the command line gives them.
struct SamplerFlags {
  std::string file;  // JSON
  SamplerOptions options;
  std::vector<std::string> biases;  // ID=BIAS
  std::vector<std::string> stops;
  std::string grammar;  // GBNF
  std::string grammar_file;
  std::string schema;  // JSON
  std::string schema_file;
};

/// A flag for every option, and --sampler FILE.json, --logit-bias, --stop, --grammar
/// and --json-schema.
void declare_sampler(CLI::App& app, SamplerFlags& flags);

/// The file's options, with those of the command line in their place; a seed from the system where
/// neither names one. Errors: those of read_file, read_sampler_json, check_stop_strings,
/// Grammar::parse, parse_schema; invalid (a bias that is none, options that contradict each other).
Result<SamplerOptions> chosen_sampler(const CLI::App& app, const SamplerFlags& flags);

}  // namespace polaris::cli
