#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace polaris::peft {

/// A tensor of adapter_model.safetensors: half of what is added to a module of transformers.
struct PeftTensor {
  std::string module;  // "model.layers.0.self_attn.q_proj"
  std::string matrix;  // "blk.0.attn_q.weight", as GGUF names it; empty where it has none
  bool is_a = false;
};

/// Nothing where it is no half of a linear module.
std::optional<PeftTensor> peft_tensor(std::string_view name);

}  // namespace polaris::peft
