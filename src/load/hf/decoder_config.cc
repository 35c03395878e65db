#include "load/hf/decoder_config.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

namespace polaris::hf {
namespace {

constexpr double kLengthMax = INT32_MAX;
constexpr double kFactorMax = 1e6;

JsonValue scaling_of(const Config& config) {
  const JsonValue newer = config.get("rope_parameters");
  return newer ? newer : config.get("rope_scaling");
}

std::int64_t head_size(const Config& config) {
  if (const auto given = config.value_of("attention.key_length")) {
    return static_cast<std::int64_t>(*given);
  }
  const double heads = config.value_of("attention.head_count").value_or(1.0);
  return static_cast<std::int64_t>(config.value_of("embedding_length").value_or(0.0) /
                                   std::max(heads, 1.0));
}

/// Elements of a head that are turned.
std::int64_t turned_dims(Config& config, JsonValue scaling) {
  constexpr std::string_view key = "partial_rotary_factor";
  const double outside = config.number(key, 0.0, 1.0, 1.0);
  const double part = config.number(scaling, key, 0.0, 1.0, outside);
  const std::int64_t whole = std::clamp<std::int64_t>(head_size(config), 2, 1 << 16);
  if (part == 1.0) return whole;
  const auto dims = static_cast<std::int64_t>(static_cast<double>(whole) * part);
  config.set("rope.dimension_count", dims);
  return dims;
}

/// The context that was trained before it was stretched; the file's own without one.
double original_context(Config& config, JsonValue scaling) {
  constexpr std::string_view key = "original_max_position_embeddings";
  const double context = config.value_of("context_length").value_or(2048.0);
  const double outside = config.number(key, 2.0, kLengthMax, std::max(context, 2.0));
  return config.number(scaling, key, 2.0, kLengthMax, outside);
}

double factor_of(Config& config, JsonValue scaling, double otherwise) {
  return config.number(scaling, "factor", 1e-3, kFactorMax, otherwise);
}

/// Llama 3.1: long waves are stretched, short ones stay, those between are mixed.
void read_llama3(Config& config, JsonValue scaling, double theta, std::int64_t dims) {
  const double factor = factor_of(config, scaling, 8.0);
  const double low = config.number(scaling, "low_freq_factor", 1e-6, kFactorMax, 1.0);
  const double high = config.number(scaling, "high_freq_factor", 1e-6, kFactorMax, 4.0);
  const double context = original_context(config, scaling);
  if (high <= low) {
    config.fail("high_freq_factor", std::to_string(high), "more than low_freq_factor");
    return;
  }
  std::vector<float> divisors;
  for (std::int64_t i = 0; i < dims / 2; ++i) {
    const double exponent = 2.0 * static_cast<double>(i) / static_cast<double>(dims);
    const double wave = 2.0 * std::numbers::pi * std::pow(theta, exponent);
    const double kept = std::clamp((context / wave - low) / (high - low), 0.0, 1.0);
    divisors.push_back(static_cast<float>(1.0 / ((1.0 - kept) / factor + kept)));
  }
  config.add_weight("rope_freqs.weight", std::move(divisors));
}

void read_yarn(Config& config, JsonValue scaling) {
  for (std::string_view key : {"mscale", "mscale_all_dim"}) {
    if (Config::get(scaling, key))
      return config.refuse("rope_scaling", "no '" + std::string(key) + "' of YaRN");
  }
  if (!Config::get(scaling, "truncate").boolean().value_or(true)) {
    return config.refuse("rope_scaling", "no 'truncate' of YaRN that is false");
  }
  const double context = original_context(config, scaling);
  const double factor =
      factor_of(config, scaling, config.value_of("context_length").value_or(context) / context);
  config.set("rope.scaling.type", "yarn");
  config.set("rope.scaling.factor", factor);
  config.set("rope.scaling.original_context_length", static_cast<std::int64_t>(context));
  config.set("rope.scaling.yarn_beta_fast",
             config.number(scaling, "beta_fast", 1e-3, kFactorMax, 32.0));
  config.set("rope.scaling.yarn_beta_slow",
             config.number(scaling, "beta_slow", 1e-3, kFactorMax, 1.0));
  // arch/ takes YaRN's own into account.
  const double own = 1.0 + 0.1 * std::log(std::max(factor, 1.0));
  config.set("rope.scaling.yarn_attn_factor",
             config.number(scaling, "attention_factor", 1e-3, 1e3, own) / own);
}

std::vector<float> read_factors(Config& config, JsonValue scaling, std::string_view key) {
  std::vector<float> out;
  const JsonValue list = Config::get(scaling, key);
  if (!list.is(JsonKind::kArray) || list.size() > (1 << 15)) {
    config.fail("rope_scaling", "no list '" + std::string(key) + "'", "one of numbers");
    return out;
  }
  for (JsonValue v = list.first(); v; v = v.next()) {
    out.push_back(static_cast<float>(v.number().value_or(std::nan(""))));
  }
  return out;
}

void read_longrope(Config& config, JsonValue scaling) {
  const double trained = original_context(config, scaling);
  const double context = config.value_of("context_length").value_or(trained);
  const double factor = factor_of(config, scaling, std::max(context / trained, 1e-3));
  const double own = factor <= 1.0 ? 1.0 : std::sqrt(1.0 + std::log(factor) / std::log(trained));
  config.set("rope.scaling.type", "longrope");
  config.set("rope.scaling.original_context_length", static_cast<std::int64_t>(trained));
  config.set("rope.scaling.attn_factor",
             config.number(scaling, "attention_factor", 1e-3, 1e3, own));
  config.add_weight("rope_factors_short.weight", read_factors(config, scaling, "short_factor"));
  config.add_weight("rope_factors_long.weight", read_factors(config, scaling, "long_factor"));
}

}  // namespace

void read_rope_of(Config& config, JsonValue of, double theta) {
  theta = config.number(of, "rope_theta", 1.0, 1e12, config.number("rope_theta", 1.0, 1e12, theta));
  config.set("rope.freq_base", theta);
  const std::int64_t dims = turned_dims(config, of);
  JsonValue type = Config::get(of, "rope_type");
  if (!type) type = Config::get(of, "type");
  const std::string_view kind = type ? type.text().value_or("") : "default";
  if (kind == "default") return;
  if (kind == "linear") {
    config.set("rope.scaling.type", "linear");
    config.set("rope.scaling.factor", factor_of(config, of, 1.0));
    return;
  }
  if (kind == "llama3") return read_llama3(config, of, theta, dims);
  if (kind == "yarn") return read_yarn(config, of);
  // Phi 3's first files call it "su".
  if (kind == "longrope" || kind == "su") return read_longrope(config, of);
  config.refuse(config.get("rope_parameters") ? "rope_parameters" : "rope_scaling",
                "a rope_type of default, linear, llama3, yarn or longrope, not " + got_text(type));
}

void read_rope(Config& config, double theta) { read_rope_of(config, scaling_of(config), theta); }

void read_windows(Config& config, Windows otherwise, double sliding_window) {
  const JsonValue types = config.get("layer_types");
  if (!types && otherwise == Windows::kNone) return;
  // Null says that there is none.
  const bool said = static_cast<bool>(config.root()["sliding_window"]);
  const double window =
      config.number("sliding_window", 1.0, kLengthMax, said ? 0.0 : sliding_window);
  std::int64_t period = 0;  // of the first layer that sees all
  std::int64_t layer = 0;
  bool windowed = !types;
  bool regular = true;
  for (JsonValue v = types.first(); v; v = v.next(), ++layer) {
    const auto type = v.text().value_or("");
    if (type != "full_attention" && type != "sliding_attention") {
      return config.refuse("layer_types", "a list of full_attention and sliding_attention");
    }
    const bool whole = type == "full_attention";
    windowed = windowed || !whole;
    if (whole && period == 0) period = layer + 1;
    regular = regular && whole == (period > 0 && (layer + 1) % period == 0);
  }
  if (!windowed || window == 0.0) {
    // An architecture that has windows anyway gets one that nothing falls out of.
    const MetadataValue* context = config.find("context_length");
    const bool own = config.find("attention.sliding_window") != nullptr;
    if (own && context != nullptr) config.set("attention.sliding_window", *context);
    return;
  }
  if (!regular) return config.refuse("layer_types", "every Nth to be full_attention");
  config.set("attention.sliding_window", static_cast<std::int64_t>(window));
  // More than there are layers where none sees all.
  const std::int64_t none = types ? layer + 1 : 1;
  config.set("attention.sliding_window_pattern", period > 0 ? period : none);
}

const NumberName kDecoderNumbers[8] = {
    {"num_hidden_layers", "block_count"},
    {"hidden_size", "embedding_length"},
    {"intermediate_size", "feed_forward_length"},
    {"num_attention_heads", "attention.head_count"},
    {"num_key_value_heads", "attention.head_count_kv"},
    {"head_dim", "attention.key_length"},
    {"max_position_embeddings", "context_length"},
    {"rms_norm_eps", "attention.layer_norm_rms_epsilon", 1e-6},
};

const ModuleName kDecoderModules[16] = {
    {"embed_tokens", "token_embd"},
    {"norm", "output_norm"},
    {"lm_head", "output"},
    {"layers.*.input_layernorm", "blk.*.attn_norm"},
    {"layers.*.post_attention_layernorm", "blk.*.ffn_norm"},
    {"layers.*.self_attn.q_proj", "blk.*.attn_q"},
    {"layers.*.self_attn.k_proj", "blk.*.attn_k"},
    {"layers.*.self_attn.v_proj", "blk.*.attn_v"},
    {"layers.*.self_attn.o_proj", "blk.*.attn_output"},
    {"layers.*.self_attn.q_norm", "blk.*.attn_q_norm"},
    {"layers.*.self_attn.k_norm", "blk.*.attn_k_norm"},
    {"layers.*.mlp.gate_proj", "blk.*.ffn_gate"},
    {"layers.*.mlp.up_proj", "blk.*.ffn_up"},
    {"layers.*.mlp.down_proj", "blk.*.ffn_down"},
    {"layers.*.self_attn.rotary_emb.", ""},
    {"rotary_emb.", ""},
};

}  // namespace polaris::hf
