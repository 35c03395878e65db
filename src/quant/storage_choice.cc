#include "quant/storage_choice.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>

#include "base/strings.h"
#include "tensor/block_format.h"

namespace polaris {
namespace {

bool has(std::string_view name, std::string_view part) {
  return name.find(part) != std::string_view::npos;
}

/// "blk.12.attn_v.weight": 12; -1 outside of the layers.
std::int64_t layer_of(std::string_view name) {
  constexpr std::string_view kPrefix = "blk.";
  if (!name.starts_with(kPrefix)) return -1;
  name.remove_prefix(kPrefix.size());
  return parse_i64(name.substr(0, name.find('.'))).value_or(-1);
}

/// Matrices that are small, or whose errors cost too much.
constexpr std::string_view kKept[] = {
    "_norm.weight",   "ffn_gate_inp.weight",  "altup",      "laurel",
    "position_embd.", "per_layer_model_proj", "ssm_conv1d", "shortconv.conv.weight",
    "time_mix_",      "attn_rel_b.weight"};

bool is_matrix(const NamedShape& tensor) {
  if (!tensor.name.ends_with("weight") || tensor.name == "token_types.weight") return false;
  int first = 0;
  while (first < tensor.shape.rank() && tensor.shape[first] == 1) ++first;
  if (tensor.shape.rank() - first < 2) return false;
  return std::none_of(std::begin(kKept), std::end(kKept),
                      [&](std::string_view part) { return has(tensor.name, part); });
}

/// A number of the architecture's, the first where each layer has its own; 0 where there is none.
std::int64_t number_of(const Metadata& metadata, std::string_view name) {
  const auto architecture = metadata.find("general.architecture");
  if (architecture == metadata.end()) return 0;
  const auto* prefix = std::get_if<std::string>(&architecture->second);
  if (prefix == nullptr) return 0;
  const auto at = metadata.find(*prefix + "." + std::string(name));
  if (at == metadata.end()) return 0;
  if (const auto* number = std::get_if<std::int64_t>(&at->second)) return *number;
  const auto* list = std::get_if<std::vector<std::int64_t>>(&at->second);
  return list != nullptr && !list->empty() ? list->front() : 0;
}

/// The matrix of values, alone or beside others.
bool gives_values(std::string_view name) {
  return has(name, "attn_v.weight") || has(name, "attn_qkv.weight") ||
         has(name, "attn_kv_b.weight");
}

/// Of a mixed scheme, the layers at both ends and every third between them.
bool gets_more_bits(std::int64_t layer, std::int64_t layers) {
  const std::int64_t eighth = layers / 8;
  return layer < eighth || layer >= 7 * layers / 8 || (layer - eighth) % 3 == 2;
}

/// The next of short blocks, with no fewer bits.
std::string_view fallback_of(std::string_view storage) {
  if (storage == "q2_k" || storage == "q3_k") return "q4_0";
  if (storage == "q4_k") return "q5_0";
  if (storage == "q5_k") return "q5_1";
  if (storage == "q6_k") return "q8_0";
  return "f16";
}

bool fits(std::string_view storage, std::int64_t row) {
  const auto format = block_format_from_name(storage);
  return !format || row % block_format_info(*format).block_elements == 0;
}

class Chooser {
 public:
  Chooser(const QuantScheme& scheme, const Metadata& metadata,
          const std::vector<NamedShape>& tensors)
      : scheme_(scheme.name), storage_(scheme.storage) {
    layers_ = number_of(metadata, "block_count");
    experts_ = number_of(metadata, "expert_count");
    const std::int64_t heads = number_of(metadata, "attention.head_count");
    std::int64_t kv_heads = number_of(metadata, "attention.head_count_kv");
    if (kv_heads == 0) kv_heads = heads;
    heads_per_kv_ = kv_heads > 0 ? heads / kv_heads : 0;
    for (const NamedShape& tensor : tensors) {
      has_output_ |= tensor.name == "output.weight";
      if (gives_values(tensor.name)) ++values_;
    }
  }

  /// Tensors are asked for in the order of their layers: some rules count.
  StorageChoice choose(const NamedShape& tensor) {
    if (storage_.empty() || !is_matrix(tensor)) return {};
    if (!block_format_from_name(storage_)) return {storage_, {}};
    const std::int64_t row = tensor.shape.back();
    const std::string_view wanted = mixed(tensor.name, row);
    if (fits(wanted, row)) return {wanted, {}};
    const std::string_view next = fallback_of(wanted);
    return {fits(next, row) ? next : "f16", wanted};
  }

 private:
  bool scheme_is(std::string_view name) const { return scheme_ == name; }

  std::string_view mixed(std::string_view name, std::int64_t row) {
    if (name == "output.weight" || (!has_output_ && name == "token_embd.weight")) {
      if (!fits(storage_, row)) return "q8_0";
      return storage_ == "q8_0" ? storage_ : "q6_k";
    }
    if (gives_values(name)) return value_storage();
    if (has(name, "attn_k.weight")) return experts_ == 8 ? "q8_0" : storage_;
    if (has(name, "ffn_down")) return down_storage(name);
    if (has(name, "attn_output.weight")) return attention_output_storage();
    return storage_;
  }

  std::string_view value_storage() {
    const std::int64_t at = values_seen_++;
    if (experts_ == 8) return "q8_0";
    std::string_view out = storage_;
    if (scheme_is("q2_k")) out = heads_per_kv_ >= 4 ? "q4_k" : "q3_k";
    if (scheme_is("q3_k_m")) out = at < 2 ? "q5_k" : "q4_k";
    if (scheme_is("q3_k_l")) out = "q5_k";
    if (scheme_is("q4_k_s") && at < 4) out = "q5_k";
    if ((scheme_is("q4_k_m") || scheme_is("q5_k_m")) && gets_more_bits(at, values_)) out = "q6_k";
    // Large models with few heads of keys and values: theirs are a small part of the file.
    const bool large = layers_ == 80 && heads_per_kv_ > 1;
    return large && (out == "q3_k" || out == "q4_k") ? "q5_k" : out;
  }

  std::string_view down_storage(std::string_view name) {
    const std::int64_t counted = downs_seen_++;
    const std::int64_t layer = experts_ > 1 ? layer_of(name) : counted;
    if (scheme_is("q2_k")) return "q3_k";
    if (scheme_is("q3_k_m")) return layer < layers_ / 16 ? "q5_k" : "q4_k";
    if (scheme_is("q3_k_l")) return "q5_k";
    if (scheme_is("q4_k_s") && layer < layers_ / 8) return "q5_k";
    if ((scheme_is("q4_k_m") || scheme_is("q5_k_m")) && gets_more_bits(layer, layers_)) {
      return "q6_k";
    }
    return storage_;
  }

  std::string_view attention_output_storage() const {
    if (experts_ == 8) {
      const bool few_bits =
          storage_ == "q2_k" || storage_ == "q4_k" || scheme_is("q3_k_s") || scheme_is("q3_k_m");
      return few_bits ? "q5_k" : storage_;
    }
    if (scheme_is("q2_k")) return "q3_k";
    if (scheme_is("q3_k_m")) return "q4_k";
    if (scheme_is("q3_k_l")) return "q5_k";
    return storage_;
  }

  std::string_view scheme_;
  std::string_view storage_;
  std::int64_t layers_ = 0;
  std::int64_t experts_ = 0;
  std::int64_t heads_per_kv_ = 0;
  std::int64_t values_ = 0;  // matrices that give values
  bool has_output_ = false;
  std::int64_t values_seen_ = 0;
  std::int64_t downs_seen_ = 0;
};

}  // namespace

std::vector<StorageChoice> choose_storage(const QuantScheme& scheme, const Metadata& metadata,
                                          const std::vector<NamedShape>& tensors) {
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return layer_of(tensors[a].name) < layer_of(tensors[b].name);
  });
  Chooser chooser(scheme, metadata, tensors);
  std::vector<StorageChoice> out(tensors.size());
  for (const std::size_t i : order) out[i] = chooser.choose(tensors[i]);
  return out;
}

}  // namespace polaris
