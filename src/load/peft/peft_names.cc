#include "load/peft/peft_names.h"

#include <algorithm>
#include <iterator>

#include "base/strings.h"

namespace polaris::peft {
namespace {

struct Name {
  std::string_view module;
  std::string_view matrix;
};
// In a layer. Fused ones hold their rows in the order that GGUF has.
constexpr Name kLayerNames[] = {
    {"self_attn.q_proj", "attn_q"},     {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},     {"self_attn.o_proj", "attn_output"},
    {"self_attn.qkv_proj", "attn_qkv"}, {"mlp.gate_proj", "ffn_gate"},
    {"mlp.up_proj", "ffn_up"},          {"mlp.down_proj", "ffn_down"},
    {"mlp.gate_up_proj", "ffn_up"},     {"mlp.c_fc", "ffn_up"},
    {"mlp.c_proj", "ffn_down"},         {"mlp.gate", "ffn_gate_inp"},
};

bool take(std::string_view& text, std::string_view beginning) {
  if (!text.starts_with(beginning)) return false;
  text.remove_prefix(beginning.size());
  return true;
}

std::string matrix_of(std::string_view module) {
  if (module == "lm_head") return "output.weight";
  take(module, "model.");
  if (!take(module, "layers.")) return {};
  const std::size_t dot = module.find('.');
  if (dot == std::string_view::npos) return {};
  const auto layer = parse_u64(module.substr(0, dot));
  const std::string_view part = module.substr(dot + 1);
  const auto* name =
      std::ranges::find_if(kLayerNames, [&](const Name& row) { return row.module == part; });
  if (!layer || name == std::end(kLayerNames)) return {};
  return "blk." + std::to_string(*layer) + "." + std::string(name->matrix) + ".weight";
}

}  // namespace

std::optional<PeftTensor> peft_tensor(std::string_view name) {
  if (!take(name, "base_model.model.")) return std::nullopt;
  for (const bool is_a : {true, false}) {
    const std::string_view ending = is_a ? ".lora_A.weight" : ".lora_B.weight";
    if (!name.ends_with(ending)) continue;
    name.remove_suffix(ending.size());
    return PeftTensor{std::string(name), matrix_of(name), is_a};
  }
  return std::nullopt;
}

}  // namespace polaris::peft
