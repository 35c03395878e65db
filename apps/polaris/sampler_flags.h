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
};

/// A flag for every option, and --sampler FILE.json, --logit-bias and --stop.
void declare_sampler(CLI::App& app, SamplerFlags& flags);

/// The file's options, with those of the command line in their place; a seed from the system where
/// neither names one. Errors: those of read_file, read_sampler_json, check_stop_strings; invalid (a
/// bias that is none, options that contradict each other).
Result<SamplerOptions> chosen_sampler(const CLI::App& app, const SamplerFlags& flags);

}  // namespace polaris::cli
