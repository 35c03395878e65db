#pragma once
#include <optional>

#include "arch/decoder/inputs.h"
#include "ir/model.h"
#include "load/onnx/importer.h"
#include "load/onnx/past_decoder.h"

namespace polaris::onnx {

/// A decoder over a paged cache on its way out of one with its past as inputs.
struct DecoderParts {
  PastDecoder past;
  DecoderInputs in;
};

/// The layer that a node is; null where it is none.
const PastLayer* layer_of(const DecoderParts& parts, const NodeDef& node);
/// The layer over states of its own: polaris.KvWrite and polaris.PagedAttention.
Status import_paged_layer(NodeImport& node, DecoderParts& parts, const PastLayer& layer);

/// The graph of a file as the decoder that ir/decoder_contract.h describes; `graph`, which the file
/// has, is changed. Errors: as take_past_decoder; unsupported where tokens are mixed by anything
/// but its layers (check_rows_apart).
Status import_decoder(FileContext& file, GraphDef& graph, Model& out);

}  // namespace polaris::onnx
