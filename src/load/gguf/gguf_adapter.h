#pragma once
#include "arch/adapter/adapter.h"
#include "base/result.h"
#include "load/source.h"

namespace polaris::gguf {

/// An adapter as llama.cpp's convert_lora_to_gguf writes it: general.type "adapter", adapter.type
/// "lora", and of each matrix NAME the tensors NAME.lora_a [rank, inputs] and NAME.lora_b. Errors:
/// parse_gguf's; invalid, unsupported, naming the key or tensor.
Result<Adapter> read_gguf_adapter(const Source& source);

}  // namespace polaris::gguf
