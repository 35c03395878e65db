#pragma once
#include "ir/decoder_contract.h"
#include "ir/graph.h"

namespace polaris {

/// That no token of a decoder over ragged tokens sees another but by polaris.PagedAttention: the
/// graph was made of one that saw one sequence at a time, where an op along the axis of tokens, or
/// one that reads how many there are, meant the sequence. Types must be inferred. Errors:
/// unsupported, naming the first node that mixes tokens, or that nothing here knows not to.
Status check_rows_apart(const Graph& graph, const DecoderContract& contract);

}  // namespace polaris
