#include "arch/decoder/read_spec.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "arch/decoder/experts.h"
#include "arch/decoder/rope.h"
#include "base/strings.h"

namespace polaris {
namespace {

/// What positions are divided by. A file that gives a factor and no type means "linear", as every
/// reader of such files takes it; older files wrote the factor under another name.
void read_scaling(ArchBuilder& b, const DecoderSpec& spec, RopeSpec& rope) {
  const std::string scaling = b.text("rope.scaling.type", "linear");
  const bool newer = b.has("rope.scaling.factor");
  const double factor = b.real(newer ? "rope.scaling.factor" : "rope.scale_linear", 1e-3, 1e6, 1.0);
  rope.magnitude = b.real("rope.scaling.attn_factor", 1e-3, 1e3, 1.0);
  if (scaling != "none") rope.factor = factor;
  if (scaling == "none" || scaling == "linear") return;
  if (scaling == "longrope" && rope.long_rope) return;
  if (scaling != "yarn") {
    b.fail_unsupported("rope scaling, got '" + printable(scaling) +
                       "', wanted none, linear or yarn" + (rope.long_rope ? " or longrope" : ""));
    return;
  }
  for (const char* other : {"rope.scaling.yarn_log_multiplier", "rope.scaling.yarn_ext_factor"}) {
    if (b.has(other)) {
      b.fail_unsupported("hyperparameter '" + std::string(other) + "' cannot be built");
    }
  }
  rope.magnitude *= b.real("rope.scaling.yarn_attn_factor", 1e-3, 1e3, 1.0);
  const std::int64_t context =
      b.integer("rope.scaling.original_context_length", 1, INT32_MAX, spec.context);
  rope.yarn = RopeSpec::Yarn{static_cast<double>(context),
                             b.real("rope.scaling.yarn_beta_fast", 1e-3, 1e6, 32.0),
                             b.real("rope.scaling.yarn_beta_slow", 1e-3, 1e6, 1.0)};
  // Attention is sharper the farther positions are stretched, as YaRN has it.
  rope.magnitude *= 1.0 + 0.1 * std::log(std::max(factor, 1.0));
}

void read_heads(ArchBuilder& b, DecoderSpec& spec) {
  spec.heads = b.integer_of_layers("attention.head_count", spec.layers, 1, 1 << 14);
  spec.kv_heads =
      b.integer_of_layers("attention.head_count_kv", spec.layers, 1, spec.heads, spec.heads);
  spec.head_size = b.integer("attention.key_length", 1, 1 << 16, spec.width / spec.heads);
  const std::int64_t value_size = b.integer("attention.value_length", 1, 1 << 16, spec.head_size);
  if (spec.heads % spec.kv_heads != 0) {
    b.fail_invalid("attention heads, got " + std::to_string(spec.heads) + " over " +
                   std::to_string(spec.kv_heads) + " kv heads, wanted a multiple");
  }
  if (value_size != spec.head_size) {
    b.fail_unsupported("value size per head, got " + std::to_string(value_size) + ", wanted the " +
                       std::to_string(spec.head_size) + " of keys");
  }
}

/// What there is no part for changes the network, so a file that has it is not run without it.
void read_feed_forward(ArchBuilder& b, DecoderSpec& spec) {
  constexpr std::int64_t kMost = 1 << 24;
  if (spec.experts) {
    spec.feed_forward = b.integer_of_layers("feed_forward_length", spec.layers, 0, kMost, 0);
    spec.experts = read_experts(b, spec.feed_forward);
    return;
  }
  spec.feed_forward = b.integer_of_layers("feed_forward_length", spec.layers, 1, kMost);
  if (b.integer("expert_count", 0, INT32_MAX, 0) > 0) {
    b.fail_unsupported("mixture of experts cannot be built");
  }
}

float cap_of(ArchBuilder& b, std::string_view name, float otherwise) {
  return static_cast<float>(b.real(name, 0.0, 1e6, static_cast<double>(otherwise)));
}

/// Positions whose tables of cosines and sines are made. Where nobody asked for a context, no more
/// than may be; a context asked for is refused where it is longer.
void bound_context(ArchBuilder& b, DecoderSpec& spec) {
  const std::int64_t asked = b.input().options().context_max;
  const std::int64_t most = rope_positions_max(spec.rope);
  spec.context = std::min(spec.context, asked > 0 ? asked : most);
  if (spec.context <= most) return;
  b.fail_unsupported("a context of " + std::to_string(spec.context) +
                     " tokens is too long to plan for, wanted at most " + std::to_string(most));
}

/// The same where each position has a row in the file.
void bound_positions(ArchBuilder& b, DecoderSpec& spec) {
  spec.position_rows = b.weight_dim("position_embd.weight", 2, 0);
  const std::int64_t asked = b.input().options().context_max;
  spec.context = std::min(spec.context, asked > 0 ? asked : spec.position_rows);
  if (!b.ok() || spec.context <= spec.position_rows) return;
  b.fail_unsupported("a context of " + std::to_string(spec.context) + " tokens, wanted at most " +
                     std::to_string(spec.position_rows) + ", the rows of position_embd.weight");
}

/// A window whose layers are told. Without them it may be anything, or of other layers: such keys
/// are for the architectures that know theirs.
void read_window(ArchBuilder& b, DecoderSpec& spec) {
  if (!b.has("attention.sliding_window_pattern")) return;
  spec.window = b.integer("attention.sliding_window", 0, INT32_MAX, 0);
  spec.window_period = b.integer("attention.sliding_window_pattern", 1, 1025);
}

}  // namespace

RopeSpec read_rope(ArchBuilder& b, const DecoderSpec& spec, RopeSpec rope) {
  rope.dims = b.integer("rope.dimension_count", 2, spec.head_size, spec.head_size);
  rope.theta = b.real("rope.freq_base", 1.0, 1e12, rope.theta);
  // A format whose rows stand otherwise than GGUF's says so in its map.
  if (b.flag("rope.interleaved", rope.pairs == RopePairs::kNeighbours)) {
    rope.pairs = RopePairs::kNeighbours;
  } else {
    rope.pairs = RopePairs::kHalves;
  }
  read_scaling(b, spec, rope);
  if (rope.dims % 2 != 0) {
    b.fail_invalid("hyperparameter 'rope.dimension_count', got " + std::to_string(rope.dims) +
                   ", wanted an even number");
  }
  return rope;
}

DecoderSpec read_decoder(ArchBuilder& b, DecoderSpec spec) {
  const ArchOptions& options = b.input().options();
  if (options.page_size < 1 || options.tokens_max < 1 || options.sequences_max < 1) {
    b.fail_invalid("page size, tokens and sequences a step, wanted at least 1 of each");
    return spec;
  }
  spec.layers = b.integer("block_count", 1, 1024);
  spec.width = b.integer("embedding_length", 1, 1 << 20);
  spec.context = b.integer("context_length", 1, INT32_MAX);
  const char* epsilon = spec.norm == NormKind::kRms ? "attention.layer_norm_rms_epsilon"
                                                    : "attention.layer_norm_epsilon";
  spec.epsilon = static_cast<float>(b.real(epsilon, 0.0, 1.0, 1e-5));
  spec.attention_scale = static_cast<float>(b.real("attention.scale", 0.0, 1e6, 0.0));
  spec.attention_cap = cap_of(b, "attn_logit_softcapping", spec.attention_cap);
  spec.logit_cap = cap_of(b, "final_logit_softcapping", spec.logit_cap);
  read_heads(b, spec);
  read_feed_forward(b, spec);
  if (spec.turned) {
    spec.rope = read_rope(b, spec, spec.rope);
    bound_context(b, spec);
  } else {
    bound_positions(b, spec);
  }
  read_window(b, spec);
  spec.vocab = b.weight_dim("token_embd.weight", 2, 0);
  return spec;
}

}  // namespace polaris
