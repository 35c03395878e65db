#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "load/onnx/decoder_config.h"
#include "load/onnx/proto.h"

namespace polaris::onnx {

/// A node of attention whose past is an input of the graph.
struct PastLayer {
  enum class Kind : std::uint8_t { kGroupQuery, kMultiHead, kAttention };
  Kind kind = Kind::kGroupQuery;
  std::size_t index = 0;  // among the layers
  std::int64_t window = 0;
};

/// A decoder of one sequence, or a batch of them, with its past as inputs and what becomes of that
/// as outputs: how onnxruntime-genai, Olive and optimum export language models.
struct PastDecoder {
  std::map<std::string_view, PastLayer> layers;  // by their node's first output
  std::string_view tokens;                       // input_ids
  std::string_view positions;                    // position_ids; empty where there are none
  std::string_view mask;                         // attention_mask; likewise
  std::string_view logits;
  std::int64_t tokens_type = 0, positions_type = 0;  // of elements, as the file has them
  std::int64_t kv_heads = 0;
  std::int64_t head_size = 0;
  std::int64_t window = 0;                    // of layers that have one, which all have the same
  bool has_full = false;                      // some layers have none
  std::optional<std::int64_t> position_rows;  // of the shortest table that positions choose from
};

/// The names under which import finds what it binds before the graph's own nodes.
inline constexpr std::string_view kLogitRows = "polaris.logit_rows";
inline constexpr std::string_view kHiddenRows = "polaris.hidden_rows";

/// Recognizes such a decoder and makes its graph ready to be imported as one over a paged cache:
/// its only output is the logits, of the rows that kLogitRows names; its layers read neither past
/// nor lengths. Errors: unsupported, with what was found and what is wanted; invalid where pasts do
/// not fit their layers.
Result<PastDecoder> take_past_decoder(GraphDef& graph, const DecoderConfig& config);

}  // namespace polaris::onnx
