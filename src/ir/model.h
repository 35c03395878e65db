#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ir/decoder_contract.h"
#include "ir/embedder_contract.h"
#include "ir/graph.h"
#include "ir/verifier.h"

namespace polaris {

struct TokenizerSettings;  // text/tokenizer_settings.h

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

/// What a file held: named graphs over shared weights and shared states. Constants in the graphs
/// point into the mapped file; they keep it alive.
struct Model {
  std::string format;        // "gguf", "onnx"
  std::string architecture;  // "llama"; empty where the file holds its own graph
  std::map<std::string, Graph, std::less<>> functions;  // "main"; encoder, decoder, signatures ...
  States states;  // those that the functions use, each one however many use it
  /// Key-value data of the file under its own keys (tokenizer.ggml.tokens, producer_name ...).
  Metadata metadata;
  /// What the architecture was built with, under arch/'s names whatever the format's:
  /// "context_length", "vocab_size", "block_count", "page_size" (tokens), "kv_type" ...
  Metadata hyperparameters;
  /// Every tensor of a file without graphs of its own, in its order.
  std::vector<Weight> weights;
  /// Why there is no function to run, where there is none.
  std::string no_function_reason;
  /// How the file cuts text into tokens. Null where it does not say, or nothing that we have;
  /// `no_tokenizer` then tells what was wrong with what it says.
  std::shared_ptr<const TokenizerSettings> tokenizer;
  Status no_tokenizer;
  /// How a function that is a decoder over paged states is run; check_decoder holds it to them.
  std::optional<DecoderContract> decoder;
  /// The same of one that embeds texts; check_embedder holds it.
  std::optional<EmbedderContract> embedder;
  std::int64_t parameter_count = 0;
  std::int64_t file_bytes = 0;

  Graph* find(std::string_view function);
  const Graph* find(std::string_view function) const;
  /// The function meant by a name; "" is the only one, or "main". Errors: not_found (lists what
  /// there is), unsupported (there is no graph, with the reason).
  Result<std::string> function_name(const std::string& name) const;
  /// Takes the graph of the function meant out of the model. Errors: as function_name.
  Result<Graph> take(const std::string& function);
};

/// Makes the states that functions name alike one, kept in model.states. Errors: invalid where
/// functions disagree on what one is.
Status join_states(Model& model);
/// verify_graph of every function, and that its states are the model's.
Status verify_model(const Model& model, const VerifyOptions& options = {});

}  // namespace polaris
