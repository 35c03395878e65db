#include "load/peft/peft_config.h"

#include <algorithm>
#include <cmath>

#include "arch/adapter/adapter.h"
#include "base/strings.h"
#include "wire/json.h"

namespace polaris::peft {
namespace {

Error bad(std::string_view key, const std::string& got, const std::string& wanted) {
  return Error::invalid("[peft] adapter_config.json '" + printable(key) + "', got " + got +
                        ", wanted " + wanted);
}

std::string got_text(JsonValue value) {
  if (const auto text = value.text()) return "'" + printable(*text) + "'";
  if (const auto flag = value.boolean()) return *flag ? "true" : "false";
  if (const auto number = value.number()) return format_f64(*number);
  if (value.is(JsonKind::kArray)) return "a list";
  if (value.is(JsonKind::kObject)) return "an object";
  return value ? "null" : "nothing";
}

bool is_off(JsonValue value) {
  switch (value.kind()) {
    case JsonKind::kNull: return true;
    case JsonKind::kBool: return !*value.boolean();
    case JsonKind::kArray:
    case JsonKind::kObject: return value.size() == 0;
    case JsonKind::kNumber:
    case JsonKind::kText: return false;
  }
  return false;
}

/// Settings that change more than A and B say, where they are there and on.
constexpr std::string_view kMustBeOff[] = {
    "use_dora",        "fan_in_fan_out",          "lora_bias",
    "modules_to_save", "trainable_token_indices", "target_parameters",
    "use_qalora",      "alora_invocation_tokens", "layer_replication"};
/// These also change the base's own weights when training begins.
constexpr std::string_view kOtherBase[] = {"pissa", "olora", "corda", "loftq"};

Status refuse(JsonValue root) {
  const auto unsupported = [&](std::string_view key, std::string_view wanted) {
    return Error::unsupported("[peft] adapter_config.json '" + std::string(key) + "', got " +
                              got_text(root[key]) + ", wanted " + std::string(wanted));
  };
  if (root["peft_type"].text() != "LORA") return unsupported("peft_type", "'LORA'");
  for (const std::string_view key : kMustBeOff) {
    if (!is_off(root[key])) return unsupported(key, "none");
  }
  if (root["bias"] && root["bias"].text() != "none") return unsupported("bias", "'none'");
  const std::string_view start = root["init_lora_weights"].text().value_or("");
  for (const std::string_view other : kOtherBase) {
    if (start.starts_with(other)) {
      return unsupported("init_lora_weights", "a start that leaves the base as it is");
    }
  }
  return Status::success();
}

Result<std::int64_t> read_rank(JsonValue value, std::string_view key) {
  const auto rank = value.i64();
  if (rank && *rank >= 1 && *rank <= kAdapterRankMax) return *rank;
  return bad(key, got_text(value), "a rank of 1 to " + std::to_string(kAdapterRankMax));
}

Result<double> read_alpha(JsonValue value, std::string_view key) {
  const auto alpha = value.number();
  if (alpha && std::isfinite(*alpha)) return *alpha;
  return bad(key, got_text(value), "a finite number");
}

/// PEFT takes the keys for regular expressions. Those that are more than a name are refused.
template <class T, class Read>
Status read_pattern(JsonValue object, std::string_view what, Read read,
                    std::vector<std::pair<std::string, T>>& out) {
  if (!object || object.is(JsonKind::kNull)) return Status::success();
  if (!object.is(JsonKind::kObject)) return bad(what, got_text(object), "an object");
  for (JsonValue value = object.first(); value; value = value.next()) {
    if (value.name().empty() || value.name().find_first_of("^$*+?()[]{}|\\") != std::string::npos) {
      return Error::unsupported("[peft] adapter_config.json '" + std::string(what) + "', got '" +
                                printable(value.name()) + "', wanted a module's name");
    }
    auto number = read(value, value.name());
    if (!number) return number.error();
    out.emplace_back(value.name(), *number);
  }
  return Status::success();
}

template <class T>
T find(const std::vector<std::pair<std::string, T>>& pattern, std::string_view module,
       T otherwise) {
  const auto at = std::ranges::find_if(pattern, [&](const auto& row) {
    const std::string_view key = row.first;
    return module.ends_with(key) &&
           (module.size() == key.size() || module[module.size() - key.size() - 1] == '.');
  });
  return at == pattern.end() ? otherwise : at->second;
}

}  // namespace

std::int64_t PeftConfig::rank_of(std::string_view module) const {
  return find(ranks, module, rank);
}

double PeftConfig::scale_of(std::string_view module) const {
  const auto of = static_cast<double>(rank_of(module));
  return find(alphas, module, alpha) / (by_root ? std::sqrt(of) : of);
}

Result<PeftConfig> read_peft_config(std::string_view json) {
  const auto document = JsonDocument::parse(json);
  if (!document) return document.error().with_context("[peft] adapter_config.json");
  const JsonValue root = document->root();
  if (!root.is(JsonKind::kObject)) {
    return Error::invalid("[peft] adapter_config.json, got " + got_text(root) +
                          ", wanted an object");
  }
  if (auto s = refuse(root); !s) return s.error();
  PeftConfig out;
  auto rank = read_rank(root["r"], "r");
  auto alpha = read_alpha(root["lora_alpha"], "lora_alpha");
  if (!rank) return rank.error();
  if (!alpha) return alpha.error();
  out.rank = *rank;
  out.alpha = *alpha;
  out.by_root = root["use_rslora"].boolean().value_or(false);
  if (auto s = read_pattern(root["rank_pattern"], "rank_pattern", read_rank, out.ranks); !s) {
    return s.error();
  }
  if (auto s = read_pattern(root["alpha_pattern"], "alpha_pattern", read_alpha, out.alphas); !s) {
    return s.error();
  }
  return out;
}

}  // namespace polaris::peft
