#include "load/hf/sentence_config.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/strings.h"

namespace polaris::hf {
namespace {

constexpr std::string_view kPooling = "1_Pooling/config.json";
constexpr std::string_view kModules = "modules.json";
constexpr std::string_view kLength = "sentence_bert_config.json";

Error refused(std::string_view file, const std::string& got, const std::string& wanted) {
  return Error::unsupported("[hf] " + std::string(file) + ", got " + got + ", wanted " + wanted);
}

/// Modules behind the network: pooling, and what makes lengths 1.
Status check_modules(JsonValue root) {
  if (!root.is(JsonKind::kArray) || root.size() > 16) {
    return Error::invalid("[hf] modules.json, got " + got_text(root) +
                          ", wanted a list of at most 16 modules");
  }
  for (JsonValue module = root.first(); module; module = module.next()) {
    const std::string_view type = module["type"].text().value_or("");
    const std::string_view name = type.substr(type.rfind('.') + 1);
    if (name == "Transformer" || name == "Normalize") continue;
    if (name == "Pooling" && module["path"].text() == kPooling.substr(0, kPooling.find('/'))) {
      continue;
    }
    return refused(kModules, "'" + printable(type) + "'", "Transformer, 1_Pooling or Normalize");
  }
  return Status::success();
}

/// As GGUF numbers them.
Status read_pooling(JsonValue root, Config& config) {
  constexpr std::pair<std::string_view, std::int64_t> kModes[] = {{"pooling_mode_mean_tokens", 1},
                                                                  {"pooling_mode_cls_token", 2},
                                                                  {"pooling_mode_lasttoken", 3}};
  std::int64_t chosen = 0;
  std::int64_t count = 0;
  for (JsonValue value = root.first(); value; value = value.next()) {
    if (!value.name().starts_with("pooling_mode_") || !value.boolean().value_or(false)) continue;
    const auto* mode =
        std::ranges::find_if(kModes, [&](const auto& m) { return m.first == value.name(); });
    if (mode == std::end(kModes)) {
      return refused(kPooling, "'" + printable(value.name()) + "'",
                     "mean_tokens, cls_token or lasttoken");
    }
    chosen = mode->second;
    ++count;
  }
  if (const auto text = root["pooling_mode"].text(); text && count == 0) {
    chosen = *text == "mean" ? 1 : *text == "cls" ? 2 : *text == "lasttoken" ? 3 : 0;
    if (chosen == 0) {
      return refused(kPooling, "'" + printable(*text) + "'", "mean, cls or lasttoken");
    }
    count = 1;
  }
  if (count > 1) return refused(kPooling, "several poolings at once", "one");
  if (count == 1) config.set("pooling_type", chosen);
  return Status::success();
}

Status read_length(JsonValue root, Config& config) {
  const JsonValue value = Config::get(root, "max_seq_length");
  if (!value) return Status::success();
  const auto length = value.i64();
  if (!length || *length < 1 || *length > INT32_MAX) {
    return Error::invalid("[hf] sentence_bert_config.json 'max_seq_length', got " +
                          got_text(value) + ", wanted 1 to 2^31 - 1");
  }
  const MetadataValue* context = config.find("context_length");
  const auto* most = context != nullptr ? std::get_if<std::int64_t>(context) : nullptr;
  config.set("context_length", most != nullptr ? std::min(*most, *length) : *length);
  return Status::success();
}

}  // namespace

Status read_sentence_config(Source& source, Config& config) {
  const auto modules = read_json_beside(source, kModules);
  if (!modules) return modules.error();
  if (*modules) {
    if (auto s = check_modules((*modules)->root()); !s) return s;
  }
  const auto pooling = read_json_beside(source, kPooling);
  if (!pooling) return pooling.error();
  if (*pooling) {
    if (auto s = read_pooling((*pooling)->root(), config); !s) return s;
  }
  const auto length = read_json_beside(source, kLength);
  if (!length) return length.error();
  return *length ? read_length((*length)->root(), config) : Status::success();
}

}  // namespace polaris::hf
