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

using MetadataValue = std::variant<std::int64_t, double, bool, std::string, std::vector<std::int64_t>,
                                   std::vector<double>, std::vector<std::string>>;

/// What a file held: named graphs over shared weights. Constants in the graphs point into the
/// mapped file; they keep it alive.
struct Model {
  std::string format;        // "gguf", "onnx"
  std::string architecture;  // "llama"; empty where the file holds its own graph
  std::map<std::string, Graph, std::less<>> functions;  // "main"; encoder, decoder, signatures ...
  /// Key-value data of the file under its own keys (tokenizer.ggml.tokens, producer_name ...).
  std::map<std::string, MetadataValue, std::less<>> metadata;
  std::int64_t parameter_count = 0;
  std::int64_t file_bytes = 0;

  Graph* find(std::string_view function);
  const Graph* find(std::string_view function) const;
};

}  // namespace polaris
