#pragma once
#include <string>

#include "command.h"

namespace polaris::cli {

/// Writes the weights of `model` to `output`, and says what was written.
Status convert_safetensors(const Common& common, const std::string& model,
                           const std::string& output);

}  // namespace polaris::cli
