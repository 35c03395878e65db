#include "load/peft/peft_adapter.h"

#include <map>
#include <string>
#include <string_view>

#include "base/strings.h"
#include "load/adapter_tensors.h"
#include "load/peft/peft_config.h"
#include "load/peft/peft_names.h"
#include "wire/safetensors.h"

namespace polaris::peft {
namespace {

constexpr std::string_view kTensors = "adapter_model.safetensors";
constexpr std::size_t kConfigBytesMax = 16 << 20;

Status add_tensor(const SafetensorsTensor& tensor, Adapter& adapter,
                  std::map<std::string, std::string>& modules) {
  const std::string what = "[peft] tensor '" + printable(tensor.name) + "', got ";
  const auto half = peft_tensor(tensor.name);
  if (!half) {
    return Error::unsupported(what +
                              "another name than a linear module's, wanted "
                              "base_model.model.MODULE.lora_A.weight or .lora_B.weight");
  }
  if (half->matrix.empty()) {
    return Error::unsupported(what + "the module '" + printable(half->module) +
                              "', wanted one that takes adapters here, such as "
                              "model.layers.0.self_attn.q_proj");
  }
  modules.emplace(half->matrix, half->module);
  const auto copy = Tensor::from_bytes(tensor.type, tensor.bytes);  // the file may not align it
  if (!copy) return copy.error();
  return add_adapter_tensor(adapter, half->matrix, half->is_a, tensor.name, *copy);
}

}  // namespace

Result<Adapter> read_peft_adapter(Source& source) {
  const auto json = source.main().bytes;
  if (json.size() > kConfigBytesMax) {
    return Error::invalid("[peft] adapter_config.json, got " + std::to_string(json.size()) +
                          " bytes, wanted at most " + std::to_string(kConfigBytesMax));
  }
  const auto config = read_peft_config({reinterpret_cast<const char*>(json.data()), json.size()});
  if (!config) return config.error();
  const auto file = source.file(kTensors);
  if (!file) return file.error();
  const auto tensors = parse_safetensors(file->bytes);
  if (!tensors) return tensors.error().with_context(kTensors);
  Adapter out;
  out.halves_apart = true;
  std::map<std::string, std::string> modules;  // by matrix
  for (const SafetensorsTensor& tensor : tensors->tensors) {
    if (auto s = add_tensor(tensor, out, modules); !s) return s.error();
  }
  if (auto s = check_adapter_pairs(out); !s) return s.error();
  for (auto& [matrix, pair] : out.pairs) {
    const std::string& module = modules.at(matrix);
    if (const auto rank = config->rank_of(module); rank != pair.a.shape()[0]) {
      return Error::invalid("[peft] tensor '" + printable(pair.a_name) + "' rank, got " +
                            std::to_string(pair.a.shape()[0]) + ", wanted " + std::to_string(rank) +
                            " as adapter_config.json says");
    }
    pair.scale = config->scale_of(module);
  }
  return out;
}

}  // namespace polaris::peft
