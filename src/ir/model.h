#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ir/graph.h"

namespace polaris {

/// To be moved, not copied: libstdc++ 12 takes a variant of these for never valueless, so that a
/// copy that runs out of memory destroys what it has not made.
using MetadataValue =
    std::variant<std::int64_t, double, bool, std::string, std::vector<std::int64_t>,
                 std::vector<double>, std::vector<std::string>>;

using Metadata = std::map<std::string, MetadataValue, std::less<>>;

/// A tensor of a file that names tensors apart from graphs (GGUF, safetensors).
struct Weight {
  std::string name;
  std::string storage;  // as the format names it: "f32", "q4_k"
  Shape shape;          // ours: outermost dim first
  std::int64_t bytes = 0;
  std::shared_ptr<const Constant> constant;  // null where nothing here reads that storage
};

/// What a file held: named graphs over shared weights. Constants in the graphs point into the
/// mapped file; they keep it alive.
struct Model {
  std::string format;        // "gguf", "onnx"
  std::string architecture;  // "llama"; empty where the file holds its own graph
  std::map<std::string, Graph, std::less<>> functions;  // "main"; encoder, decoder, signatures ...
  /// Key-value data of the file under its own keys (tokenizer.ggml.tokens, producer_name ...).
  Metadata metadata;
  /// What the architecture was built with, under arch/'s names whatever the format's:
  /// "context_length", "vocab_size", "block_count", "page_size" (tokens), "kv_type" ...
  Metadata hyperparameters;
  /// Every tensor of a file without graphs of its own, in its order.
  std::vector<Weight> weights;
  /// Why there is no function to run, where there is none.
  std::string no_function_reason;
  std::int64_t parameter_count = 0;
  std::int64_t file_bytes = 0;

  Graph* find(std::string_view function);
  const Graph* find(std::string_view function) const;
};

}  // namespace polaris
