#pragma once
#include "arch/adapter/adapter.h"
#include "base/result.h"
#include "load/source.h"

namespace polaris::peft {

/// An adapter as PEFT saves it: `source` is its adapter_config.json, beside which lies
/// adapter_model.safetensors. Modules of transformers become GGUF's names. Errors: Source::file's;
/// invalid; unsupported, naming the setting or the tensor that nothing here applies.
Result<Adapter> read_peft_adapter(Source& source);

}  // namespace polaris::peft
