#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "load/source.h"

namespace polaris::onnx {

/// What the files beside a decoder say of it: genai_config.json of onnxruntime-genai, and what that
/// leaves open config.json of transformers.
struct DecoderConfig {
  std::optional<std::int64_t> context;  // tokens
  std::vector<std::int64_t> end_tokens;
  std::optional<std::int64_t> layers, kv_heads, head_size, vocabulary;
  std::string tokens = "input_ids";
  std::string positions = "position_ids";
  std::string mask = "attention_mask";
  std::string logits = "logits";
};

/// Errors: invalid where a file is malformed, or holds anything else under a name that is read; io.
Result<DecoderConfig> read_decoder_config(Source& source);

}  // namespace polaris::onnx
