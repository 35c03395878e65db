#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace polaris {

enum class NormKind : std::uint8_t {
  kRms,    // by the root of the mean square
  kLayer,  // mean taken off first, and a bias where the file has one
};

/// Which elements of a head are turned together.
enum class RopePairs : std::uint8_t {
  kHalves,      // i and i + dims / 2 ("neox")
  kNeighbours,  // 2i and 2i + 1
};

/// How positions become angles.
struct RopeSpec {
  RopePairs pairs = RopePairs::kHalves;
  std::int64_t dims = 0;  // of a head that are turned, the first ones
  double theta = 10000.0;
  double factor = 1.0;     // positions are divided by it
  double magnitude = 1.0;  // cosines and sines are multiplied by it
  /// YaRN: frequencies that turn more than `turns_fast` times within `context` stay as they are,
  /// those that turn less than `turns_slow` times are divided by `factor`, others lie between.
  struct Yarn {
    double context = 0.0;
    double turns_fast = 32.0;
    double turns_slow = 1.0;
  };
  std::optional<Yarn> yarn;
  /// A tensor with a divisor for each frequency, where the file has it.
  std::string divisors = "rope_freqs.weight";
  bool long_rope = false;  // the architecture chooses among divisors, so files may say "longrope"
};

enum class FeedForwardKind : std::uint8_t {
  kGatedSilu,     // down(silu(gate(x)) * up(x))
  kGatedGelu,     // the same with GELU by tanh
  kGatedClamped,  // down(g * sigmoid(1.702 g) * (u + 1)), g = min(gate(x), 7), |u| at most 7
  kGelu,          // down(gelu(up(x))), by tanh too
  kGeluErf,       // the same, exact
};

/// A feed-forward of experts, of which each token has some.
struct ExpertsSpec {
  std::int64_t count = 0;
  std::int64_t used = 0;          // for each token
  std::int64_t feed_forward = 0;  // of one
};

/// What a decoder is made of: the numbers of a file, and the choices of an architecture.
struct DecoderSpec {
  std::int64_t layers = 0;
  std::int64_t width = 0;  // of the residual stream
  std::int64_t feed_forward = 0;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_size = 0;
  std::int64_t vocab = 0;
  std::int64_t context = 0;
  std::int64_t position_rows = 0;  // positions that a file has rows for, where they are not turned

  NormKind norm = NormKind::kRms;
  float epsilon = 1e-5f;
  float norm_offset = 0.0f;                    // added to the weights of norms
  const char* feed_forward_norm = "ffn_norm";  // what the file calls the one before it
  bool norms_after = false;                    // of what attention and feed-forward give, too
  bool fused_qkv = false;                      // attn_qkv holds the rows of q, k, v
  bool fused_gate = false;                     // ffn_up those of gate, up
  bool turned = true;       // q and k by their positions; else positions have rows of their own
  bool head_norms = false;  // of every head of q and k, before they are turned
  float embedding_scale = 1.0f;  // of the tokens' rows
  float attention_scale = 0.0f;  // 0: 1 / sqrt(head_size)
  bool sinks = false;            // a score of nothing for each head
  float attention_cap = 0.0f;    // scores s become cap * tanh(s / cap); 0: they stay
  float logit_cap = 0.0f;        // the same of logits
  FeedForwardKind feed_forward_kind = FeedForwardKind::kGatedSilu;
  std::optional<ExpertsSpec> experts;  // where the architecture has them, gated
  std::int64_t source_positions = 0;   // of an encoder that every layer reads; 0: there is none
  RopeSpec rope;

  /// Layers that see `window` positions only, 0: none; all but each `window_period`th, 1: every one
  /// sees all but the last. They turn by `window_rope` where there is one.
  std::int64_t window = 0;
  std::int64_t window_period = 1;
  std::optional<RopeSpec> window_rope;

  bool has_window(std::int64_t layer) const {
    return window > 0 && (window_period <= 1 || layer % window_period != window_period - 1);
  }
};

}  // namespace polaris
