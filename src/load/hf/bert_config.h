#pragma once
#include "load/hf/architecture.h"
#include "load/hf/config.h"

namespace polaris::hf {

/// Numbers that BERT and its kin name alike.
inline constexpr NumberName kBertNumbers[] = {
    {"num_hidden_layers", "block_count"},
    {"hidden_size", "embedding_length"},
    {"intermediate_size", "feed_forward_length"},
    {"num_attention_heads", "attention.head_count"},
    {"max_position_embeddings", "context_length"},
    {"layer_norm_eps", "attention.layer_norm_epsilon", 1e-12},
};

/// What is refused of BERT's kin: activations, positions and decoders that are none of theirs.
void check_bert(Config& config);
/// Positions count from behind the padding's id, so the rows before are of no use.
void skip_padding_rows(Config& config);

/// The modules of BERT and of RoBERTa, which differ in where positions begin (kFirstRow).
extern const ModuleName kBertModules[16];
inline constexpr std::string_view kRobertaPrefixes[] = {"roberta."};

}  // namespace polaris::hf
