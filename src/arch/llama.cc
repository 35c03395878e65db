#include <algorithm>
#include <cmath>

#include "arch/common_builder.h"
#include "base/checked.h"
#include "base/strings.h"
#include "ir/op_attrs/attention.h"
#include "ir/op_attrs/elementwise.h"
#include "ir/op_attrs/gather.h"
#include "ir/op_attrs/normalization.h"

namespace polaris {
namespace {

// Tables of cosines and sines larger than this are a file's mistake or an attack.
constexpr std::int64_t kRopeBytesMax = std::int64_t{256} << 20;

struct Params {
  std::int64_t layers = 0;
  std::int64_t width = 0;  // of the residual stream
  std::int64_t feed_forward = 0;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_size = 0;
  std::int64_t vocab = 0;
  std::int64_t context = 0;
  std::int64_t rope_dims = 0;
  double rope_theta = 10000.0;
  double rope_scale = 1.0;  // positions are divided by it
  bool rope_interleaved = false;
  float epsilon = 1e-5f;
  float attention_scale = 0.0f;
};

/// What positions are divided by. A file that gives a factor and no type means "linear", as every
/// reader of such files takes it; older files wrote the factor under another name.
double read_rope_scale(ArchBuilder& b) {
  const std::string scaling = b.text("rope.scaling.type", "linear");
  const bool newer = b.has("rope.scaling.factor");
  const double factor = b.real(newer ? "rope.scaling.factor" : "rope.scale_linear", 1e-3, 1e6, 1.0);
  if (scaling == "linear") return factor;
  if (scaling != "none") {
    b.fail_unsupported("rope scaling, got '" + printable(scaling) + "', wanted none or linear");
  }
  return 1.0;
}

void read_rope(ArchBuilder& b, Params& p) {
  p.rope_dims = b.integer("rope.dimension_count", 2, p.head_size, p.head_size);
  p.rope_theta = b.real("rope.freq_base", 1.0, 1e12, 10000.0);
  p.rope_interleaved = b.flag("rope.interleaved", false);
  p.rope_scale = read_rope_scale(b);
  if (p.rope_dims % 2 != 0) {
    b.fail_invalid("hyperparameter 'rope.dimension_count', got " + std::to_string(p.rope_dims) +
                   ", wanted an even number");
  }
}

/// Positions whose tables of cosines and sines are made. Where nobody asked for a context, no more
/// than may be; a context asked for is refused where it is longer.
void bound_context(ArchBuilder& b, Params& p) {
  const std::int64_t asked = b.input().options().context_max;
  const std::int64_t most = kRopeBytesMax / 2 / std::max<std::int64_t>(p.rope_dims / 2 * 4, 1);
  p.context = std::min(p.context, asked > 0 ? asked : most);
  if (p.context <= most) return;
  b.fail_unsupported("a context of " + std::to_string(p.context) +
                     " tokens is too long to plan for, wanted at most " + std::to_string(most));
}

Params read_params(ArchBuilder& b) {
  Params p;
  const ArchOptions& options = b.input().options();
  if (options.page_size < 1 || options.tokens_max < 1 || options.sequences_max < 1) {
    b.fail_invalid("page size, tokens and sequences a step, wanted at least 1 of each");
    return p;
  }
  p.layers = b.integer("block_count", 1, 1024);
  p.width = b.integer("embedding_length", 1, 1 << 20);
  p.feed_forward = b.integer_of_layers("feed_forward_length", p.layers, 1, 1 << 24);
  p.heads = b.integer_of_layers("attention.head_count", p.layers, 1, 1 << 14);
  p.kv_heads = b.integer_of_layers("attention.head_count_kv", p.layers, 1, p.heads, p.heads);
  p.context = b.integer("context_length", 1, INT32_MAX);
  p.epsilon = static_cast<float>(b.real("attention.layer_norm_rms_epsilon", 0.0, 1.0, 1e-5));
  p.attention_scale = static_cast<float>(b.real("attention.scale", 0.0, 1e6, 0.0));
  p.head_size = b.integer("attention.key_length", 1, 1 << 16, p.width / p.heads);
  const std::int64_t value_size = b.integer("attention.value_length", 1, 1 << 16, p.head_size);
  if (p.heads % p.kv_heads != 0) {
    b.fail_invalid("attention heads, got " + std::to_string(p.heads) + " over " +
                   std::to_string(p.kv_heads) + " kv heads, wanted a multiple");
  }
  if (value_size != p.head_size) {
    b.fail_unsupported("value size per head, got " + std::to_string(value_size) + ", wanted the " +
                       std::to_string(p.head_size) + " of keys");
  }
  if (b.integer("expert_count", 0, INT32_MAX, 0) > 0) {
    b.fail_unsupported("mixture of experts cannot be built");
  }
  read_rope(b, p);
  bound_context(b, p);
  p.vocab = b.weight_dim("token_embd.weight", 2, 0);
  return p;
}

// Some files carry a divisor for each frequency; one for all of them otherwise.
std::vector<double> frequencies(ArchBuilder& b, const Params& p) {
  const std::int64_t half = p.rope_dims / 2;
  std::vector<double> out(static_cast<std::size_t>(half));
  std::vector<double> factors;
  if (b.has_weight("rope_freqs.weight")) {
    factors = b.weight_values("rope_freqs.weight", Shape{half});
    if (!b.ok()) return out;
    const auto sound = [](double f) { return std::isfinite(f) && f > 0; };
    if (!std::all_of(factors.begin(), factors.end(), sound)) {
      b.fail_invalid("tensor 'rope_freqs.weight' holds a divisor that is no positive number");
      return out;
    }
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double exponent = 2.0 * static_cast<double>(i) / static_cast<double>(p.rope_dims);
    out[i] = std::pow(p.rope_theta, -exponent) / p.rope_scale;
    if (!factors.empty()) out[i] /= factors[i];
  }
  return out;
}

struct Rope {
  ValueId cos;
  ValueId sin;
};

// [context, rope_dims / 2], in double and rounded once, so that no device computes a sine.
Rope rope_tables(ArchBuilder& b, const Params& p) {
  if (!b.ok()) return {};
  const Shape shape{p.context, p.rope_dims / 2};
  const TensorType type{DType::kF32, shape, {}};
  const std::vector<double> steps = frequencies(b, p);
  if (!b.ok()) return {};
  auto cos = Tensor::allocate(type);
  auto sin = Tensor::allocate(type);
  if (!cos || !sin) return b.fail(!cos ? cos.error() : sin.error()), Rope{};
  float* c = cos->mutable_data<float>();
  float* s = sin->mutable_data<float>();
  for (std::int64_t position = 0; position < p.context; ++position) {
    for (double step : steps) {
      const double angle = static_cast<double>(position) * step;
      *c++ = static_cast<float>(std::cos(angle));
      *s++ = static_cast<float>(std::sin(angle));
    }
  }
  return {b.constant("rope.cos", cos.take()), b.constant("rope.sin", sin.take())};
}

struct Inputs {
  ValueId tokens;
  ValueId positions;
  ValueId slots;
  ValueId sequences;
  ValueId block_table;
  ValueId logit_rows;
};

Inputs add_inputs(ArchBuilder& b, const Params& p) {
  const ArchOptions& options = b.input().options();
  Graph& g = b.graph();
  using Kind = Symbol::Kind;
  const std::int64_t tokens =
      symbol_dim(g.add_symbol({"tokens", Kind::kBucketed, options.tokens_max}));
  const std::int64_t rows = symbol_dim(g.add_symbol({"rows", Kind::kBucketed, options.tokens_max}));
  const std::int64_t sequences =
      symbol_dim(g.add_symbol({"sequences", Kind::kBucketed, options.sequences_max}));
  const std::int64_t table =
      symbol_dim(g.add_symbol({"table", Kind::kBounded, ceil_div(p.context, options.page_size)}));
  const auto input = [&](const char* name, const Shape& shape) {
    return g.add_input(name, {DType::kI32, shape, {}});
  };
  return {input("tokens", {tokens}),
          input("positions", {tokens}),
          input("slots", {tokens}),
          input("sequences", {tokens}),
          input("block_table", {sequences, table}),
          input("logit_rows", {rows})};
}

TensorType cache_type(ArchBuilder& b, const Params& p) {
  const ArchOptions& options = b.input().options();
  const std::int64_t pages = symbol_dim(b.graph().add_symbol({"pages", Symbol::Kind::kFree, 0}));
  TensorType type{DType::kF32, {pages, options.page_size, p.kv_heads * p.head_size}, {}};
  switch (options.kv_type) {
    case KvType::kF32: break;
    case KvType::kF16: type.dtype = DType::kF16; break;
    case KvType::kQ8_0: type.encoding = Encoding::of(BlockFormat::kQ8_0); break;
    case KvType::kQ4_0: type.encoding = Encoding::of(BlockFormat::kQ4_0); break;
  }
  if (type.encoding.is_block() &&
      type.shape.back() % block_format_info(type.encoding.format).block_elements != 0) {
    b.fail_unsupported("a " + std::string(kv_type_name(options.kv_type)) + " cache of rows of " +
                       std::to_string(type.shape.back()) + ", wanted a multiple of 32");
  }
  return type;
}

ValueId norm(ArchBuilder& b, const Params& p, const std::string& name, ValueId x) {
  auto attrs = std::make_unique<RmsNormAttrs>();
  attrs->epsilon = p.epsilon;
  return b.apply("RMSNormalization", name, {x, b.weight_f32(name + ".weight", Shape{p.width})},
                 std::move(attrs));
}

// What every layer shares.
struct Context {
  Params params;
  Inputs inputs;
  Rope rope;
  ValueId rope_positions;  // [1, tokens]
  TensorType cache;
};

ValueId rotate(ArchBuilder& b, const Context& c, const std::string& name, ValueId x,
               std::int64_t heads) {
  auto attrs = std::make_unique<RotaryEmbeddingAttrs>();
  attrs->interleaved = c.params.rope_interleaved;
  attrs->num_heads = heads;
  attrs->rotary_embedding_dim = c.params.rope_dims;
  const std::int64_t width = heads * c.params.head_size;
  const ValueId batched = b.reshape(name + ".batch", x, {1, -1, width});
  const ValueId turned =
      b.apply("RotaryEmbedding", name + ".rope",
              {batched, c.rope.cos, c.rope.sin, c.rope_positions}, std::move(attrs));
  return b.reshape(name + ".rows", turned, {-1, width});
}

ValueId attention(ArchBuilder& b, const Context& c, std::int64_t layer, ValueId x) {
  const Params& p = c.params;
  const std::string blk = "blk." + std::to_string(layer) + ".";
  const std::string kv = "kv." + std::to_string(layer) + ".";
  const std::int64_t q_width = p.heads * p.head_size;
  const std::int64_t kv_width = p.kv_heads * p.head_size;
  const ValueId q =
      rotate(b, c, blk + "attn_q", b.linear(blk + "attn_q", x, p.width, q_width), p.heads);
  const ValueId k =
      rotate(b, c, blk + "attn_k", b.linear(blk + "attn_k", x, p.width, kv_width), p.kv_heads);
  const ValueId v = b.linear(blk + "attn_v", x, p.width, kv_width);
  const std::size_t state = b.graph().states().size();
  const ValueId cache_k = b.graph().add_state(kv + "k", c.cache, nullptr, true);
  const ValueId cache_v = b.graph().add_state(kv + "v", c.cache, nullptr, true);
  const std::vector<ValueId> written = b.node("polaris.KvWrite", blk + "kv_write",
                                              {cache_k, cache_v, k, v, c.inputs.slots}, nullptr, 2);
  b.graph().set_state_update(state, written[0]);
  b.graph().set_state_update(state + 1, written[1]);
  auto attrs = std::make_unique<PagedAttentionAttrs>();
  attrs->num_heads = p.heads;
  attrs->num_kv_heads = p.kv_heads;
  attrs->scale = p.attention_scale;
  const ValueId mixed = b.apply(
      "polaris.PagedAttention", blk + "attn",
      {q, written[0], written[1], c.inputs.block_table, c.inputs.sequences, c.inputs.positions},
      std::move(attrs));
  return b.linear(blk + "attn_output", mixed, q_width, p.width);
}

ValueId feed_forward(ArchBuilder& b, const Params& p, std::int64_t layer, ValueId x) {
  const std::string blk = "blk." + std::to_string(layer) + ".";
  const ValueId gate = b.linear(blk + "ffn_gate", x, p.width, p.feed_forward);
  const ValueId up = b.linear(blk + "ffn_up", x, p.width, p.feed_forward);
  const ValueId sigmoid = b.apply("Sigmoid", blk + "ffn_sigmoid", {gate});
  const ValueId silu = b.apply("Mul", blk + "ffn_silu", {gate, sigmoid});
  const ValueId gated = b.apply("Mul", blk + "ffn_gated", {silu, up});
  return b.linear(blk + "ffn_down", gated, p.feed_forward, p.width);
}

ValueId embed(ArchBuilder& b, const Params& p, ValueId tokens) {
  const ValueId table = b.weight("token_embd.weight", Shape{p.vocab, p.width});
  if (!b.ok()) return kNoValue;
  const ValueId rows = b.apply("Gather", "token_embd", {table, tokens});
  if (b.graph().value(table).type.dtype == DType::kF32) return rows;
  return b.apply("Cast", "token_embd.f32", {rows}, std::make_unique<CastAttrs>());
}

Metadata describe(const ArchInput& input, const Params& p) {
  return {
      {"block_count", p.layers},
      {"embedding_length", p.width},
      {"attention.head_count", p.heads},
      {"attention.head_count_kv", p.kv_heads},
      {"attention.key_length", p.head_size},
      {"vocab_size", p.vocab},
      {"context_length", p.context},
      {"page_size", input.options().page_size},
      {"kv_type", std::string(kv_type_name(input.options().kv_type))},
  };
}

Result<ArchModel> build(const ArchInput& input) {
  ArchBuilder b("llama", input);
  const Params p = read_params(b);
  if (!b.ok()) return b.finish().error();
  Context c{p, add_inputs(b, p), rope_tables(b, p), {}, cache_type(b, p)};
  c.rope_positions = b.reshape("positions.batch", c.inputs.positions, {1, -1});
  ValueId x = embed(b, p, c.inputs.tokens);
  for (std::int64_t layer = 0; layer < p.layers && b.ok(); ++layer) {
    const std::string blk = "blk." + std::to_string(layer) + ".";
    const ValueId mixed = attention(b, c, layer, norm(b, p, blk + "attn_norm", x));
    x = b.apply("Add", blk + "attn_residual", {x, mixed});
    const ValueId fed = feed_forward(b, p, layer, norm(b, p, blk + "ffn_norm", x));
    x = b.apply("Add", blk + "ffn_residual", {x, fed});
  }
  // Only the rows asked for go through the largest matrix.
  x = b.apply("Gather", "logit_rows.hidden", {x, c.inputs.logit_rows});
  x = norm(b, p, "output_norm", x);
  const bool tied = !b.has_weight("output.weight");
  const ValueId head =
      b.weight(tied ? "token_embd.weight" : "output.weight", Shape{p.vocab, p.width});
  const ValueId logits = b.apply("polaris.Linear", "output", {x, head});
  if (b.ok()) b.graph().mark_output(logits, "logits");
  b.graph().name = "main";
  auto graph = b.finish();
  if (!graph) return graph.error();
  return ArchModel{graph.take(), describe(input, p)};
}

}  // namespace

extern constinit const Architecture arch_llama{
    .name = "llama",
    .doc = "Llama, Mistral and their kin: RMS norms, rotary positions, grouped heads, gated SiLU.",
    .build = build,
};

}  // namespace polaris
