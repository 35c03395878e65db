#pragma once
#include <string>
#include <vector>

#include "command.h"

namespace CLI {
class Option;
}

namespace polaris::cli {

/// A GGUF file written as another, its matrices stored as a scheme says: `quantize`, and `convert`
/// to .gguf.
struct GgufConversion {
  std::string model;
  std::string output;
  std::string scheme;
  bool allow_requantize = false;
  std::vector<std::string> loras;  // FILE[=SCALE], merged into the matrices that they change
};

/// Declares --scheme, which is returned, and --allow-requantize; help says `label` before each.
CLI::Option* declare_gguf_options(CLI::App& app, GgufConversion& what, const std::string& label);

/// Converts and prints what was done. Errors: usage (no such scheme); as quantize_gguf.
Status convert_gguf(const Common& common, const GgufConversion& what);

}  // namespace polaris::cli
