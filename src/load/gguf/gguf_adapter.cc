#include "load/gguf/gguf_adapter.h"

#include <optional>
#include <string>
#include <string_view>

#include "base/strings.h"
#include "load/adapter_tensors.h"
#include "load/gguf/gguf_file.h"

namespace polaris::gguf {
namespace {

constexpr std::string_view kInvocation = "adapter.alora.invocation_tokens";

/// "nothing", "'model'" or what a value of another type is.
std::string got_text(const Metadata& metadata, std::string_view key) {
  const auto at = metadata.find(key);
  if (at == metadata.end()) return "nothing";
  const auto* text = std::get_if<std::string>(&at->second);
  return text != nullptr ? "'" + printable(*text) + "'" : "no text";
}

Status check_key(const Metadata& metadata, std::string_view key, std::string_view wanted) {
  const auto at = metadata.find(key);
  const auto* text = at == metadata.end() ? nullptr : std::get_if<std::string>(&at->second);
  if (text != nullptr && *text == wanted) return Status::success();
  return Error::unsupported("[lora] " + std::string(key) + ", got " + got_text(metadata, key) +
                            ", wanted '" + std::string(wanted) + "'");
}

/// What A and B are multiplied by, times the rank; 0 where the file does not say.
Result<double> read_alpha(const Metadata& metadata) {
  const auto at = metadata.find("adapter.lora.alpha");
  if (at == metadata.end()) return 0.0;
  if (const auto* number = std::get_if<double>(&at->second)) return *number;
  if (const auto* whole = std::get_if<std::int64_t>(&at->second)) {
    return static_cast<double>(*whole);
  }
  return Error::invalid("[lora] adapter.lora.alpha, got no number, wanted one");
}

/// The tensor that a half is for, and which half; nothing where its name does not say.
std::optional<std::pair<std::string, bool>> half_of(std::string_view name) {
  for (const bool is_a : {true, false}) {
    const std::string_view ending = is_a ? ".lora_a" : ".lora_b";
    if (!name.ends_with(ending) || name.size() == ending.size()) continue;
    return std::pair(std::string(name.substr(0, name.size() - ending.size())), is_a);
  }
  return std::nullopt;
}

Status add_tensor(const Source& source, const TensorInfo& info, Adapter& adapter) {
  const std::string what = "[lora] tensor '" + printable(info.name) + "', got ";
  const auto half = half_of(info.name);
  if (!half) {
    return Error::unsupported(what +
                              "another name than an adapter's, wanted NAME.lora_a or "
                              "NAME.lora_b");
  }
  const auto type = tensor_type_of(*info.type, info.shape);
  if (!type) {
    return Error::unsupported(what + std::string(info.type->name) +
                              ", wanted plain numbers or blocks that are known here");
  }
  const Tensor tensor = Tensor::view(*type, info.bytes, source.main().owner);
  return add_adapter_tensor(adapter, half->first, half->second, info.name, tensor);
}

}  // namespace

Result<Adapter> read_gguf_adapter(const Source& source) {
  auto file = parse_gguf(source.main().bytes);
  if (!file) return file.error();
  const Metadata& metadata = file->metadata;
  if (auto s = check_key(metadata, "general.type", "adapter"); !s) return s.error();
  if (auto s = check_key(metadata, "adapter.type", "lora"); !s) return s.error();
  if (metadata.contains(kInvocation)) {
    return Error::unsupported("[lora] " + std::string(kInvocation) +
                              ", got an adapter that begins at some tokens, wanted one of whole "
                              "texts");
  }
  Adapter out;
  const auto architecture = metadata.find("general.architecture");
  const auto* name =
      architecture == metadata.end() ? nullptr : std::get_if<std::string>(&architecture->second);
  if (name == nullptr || name->empty()) {
    return Error::invalid("[lora] general.architecture, got " +
                          got_text(metadata, "general.architecture") + ", wanted the base's");
  }
  out.architecture = *name;
  const auto alpha = read_alpha(metadata);
  if (!alpha) return alpha.error();
  for (const TensorInfo& info : file->tensors) {
    if (auto s = add_tensor(source, info, out); !s) return s.error();
  }
  if (auto s = check_adapter_pairs(out); !s) return s.error();
  for (auto& [matrix, pair] : out.pairs) {
    if (*alpha != 0) pair.scale = *alpha / static_cast<double>(pair.a.shape()[0]);
  }
  return out;
}

}  // namespace polaris::gguf
