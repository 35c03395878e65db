#pragma once
#include <string>

#include "arch/adapter/adapter.h"
#include "base/result.h"

namespace polaris {

/// A low-rank adapter: a GGUF file, or a folder as PEFT writes it, with adapter_config.json and
/// adapter_model.safetensors. What it adds is multiplied by `scale` besides its own. Errors: as
/// Source has them; invalid and unsupported, naming the file, what was found and what was wanted.
Result<Adapter> load_adapter(const std::string& path, double scale = 1.0);

}  // namespace polaris
