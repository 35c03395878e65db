#pragma once
#include <cstdint>

#include "ir/attrs.h"
#include "ir/op_attrs/select.h"

namespace polaris {

/// RotaryEmbedding: rotary_embedding_dim 0 rotates the whole head; num_heads is needed for rank
/// 3.
struct RotaryEmbeddingAttrs final : AttrsOf<RotaryEmbeddingAttrs> {
  bool interleaved = false;
  std::int64_t num_heads = 0;
  std::int64_t rotary_embedding_dim = 0;

  void visit(AttrVisitor& v) override {
    v.field("interleaved", interleaved);
    v.field("num_heads", num_heads);
    v.field("rotary_embedding_dim", rotary_embedding_dim);
  }
};

/// polaris.RotaryKvWrite: heads of q and of k and v; the rest as RotaryEmbedding has it.
struct RotaryKvWriteAttrs final : AttrsOf<RotaryKvWriteAttrs> {
  std::int64_t num_heads = 1;
  std::int64_t num_kv_heads = 1;
  bool interleaved = false;
  std::int64_t rotary_embedding_dim = 0;

  void visit(AttrVisitor& v) override {
    v.field("num_heads", num_heads);
    v.field("num_kv_heads", num_kv_heads);
    v.field("interleaved", interleaved);
    v.field("rotary_embedding_dim", rotary_embedding_dim);
  }
};

/// polaris.PagedAttention: head h reads kv head h / (num_heads / num_kv_heads); scale 0 is
/// 1/sqrt(D). A token reads `window` positions up to its own; 0: all. Scores s, scaled, become
/// softcap * tanh(s / softcap); 0: they stay.
struct PagedAttentionAttrs final : AttrsOf<PagedAttentionAttrs> {
  std::int64_t num_heads = 1;
  std::int64_t num_kv_heads = 1;
  float scale = 0.0f;
  std::int64_t window = 0;
  float softcap = 0.0f;

  void visit(AttrVisitor& v) override {
    v.field("num_heads", num_heads);
    v.field("num_kv_heads", num_kv_heads);
    v.field("scale", scale);
    v.field("window", window);
    v.field("softcap", softcap);
  }
};

/// Attention; scale 0 is 1/sqrt(head size), softcap 0 none. The numbers of heads are for inputs of
/// rank 3. qk_matmul_output_mode: output 3 is the scores (0), with the mask (1), capped (2) or
/// their softmax (3).
struct AttentionAttrs final : AttrsOf<AttentionAttrs> {
  bool is_causal = false;
  std::int64_t kv_num_heads = 0;
  std::int64_t q_num_heads = 0;
  std::int64_t qk_matmul_output_mode = 0;
  float scale = 0.0f;
  float softcap = 0.0f;
  DType softmax_precision = kTypeOfInput;

  void visit(AttrVisitor& v) override {
    v.field("is_causal", is_causal);
    v.field("kv_num_heads", kv_num_heads);
    v.field("q_num_heads", q_num_heads);
    v.field("qk_matmul_output_mode", qk_matmul_output_mode);
    v.field("scale", scale);
    v.field("softcap", softcap);
    v.field("softmax_precision", softmax_precision);
  }
};

}  // namespace polaris
