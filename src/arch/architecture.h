#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "arch/adapter/adapter.h"
#include "base/result.h"
#include "ir/constant.h"
#include "ir/graph.h"
#include "ir/model.h"
#include "ir/op_set.h"

namespace polaris {

/// How a decoder's cache stores keys and values.
enum class KvType : std::uint8_t { kF32, kF16, kQ8_0, kQ4_0 };
/// "f32", "f16", "q8_0", "q4_0".
std::string_view kv_type_name(KvType type);
std::optional<KvType> kv_type_from_name(std::string_view name);

/// What a user may choose about a graph that we build ourselves.
struct ArchOptions {
  KvType kv_type = KvType::kF16;
  std::int64_t page_size = 16;      // tokens in a cache page
  std::int64_t context_max = 0;     // positions to plan for; 0: as many as the file says
  std::int64_t tokens_max = 512;    // tokens in one step; a power of two
  std::int64_t sequences_max = 64;  // sequences in one step; a power of two
  /// A decoder is built to give the rows of whole texts, not to go on with them.
  bool embed = false;
  /// A decoder that a file has as a graph with its past as inputs becomes one over a paged cache;
  /// a file that has no such graph is refused. Else it stays as it is.
  bool generate = false;
  /// What changes the decoder for the texts that ask for it; null: nothing.
  std::shared_ptr<const AdapterSet> adapters;
};

/// Hyperparameters and weights of a file, under the names that arch/ uses whatever the format:
/// those of GGUF without the architecture's prefix ("block_count", "blk.0.attn_q.weight"). Rows
/// stand as they do in GGUF; where another format has them otherwise, its map says so
/// ("rope.interleaved": whether turned pairs are neighbours).
class ArchInput {
 public:
  ArchInput(const OpSet& ops, const ArchOptions& options) : ops_(ops), options_(options) {}
  virtual ~ArchInput() = default;
  const OpSet& ops() const { return ops_; }
  const ArchOptions& options() const { return options_; }

  /// Null where the file does not say.
  virtual const MetadataValue* hyperparameter(std::string_view name) const = 0;
  virtual bool has_weight(std::string_view name) const = 0;
  /// Shapes are ours: a linear layer's weight is [outputs, inputs]. Errors: not_found; unsupported
  /// where nothing here reads its storage.
  virtual Result<std::shared_ptr<const Constant>> weight(std::string_view name) const = 0;

 private:
  const OpSet& ops_;
  ArchOptions options_;
};

/// A graph, what it was built with (Model::hyperparameters), and how it is run where it is a
/// decoder or embeds texts.
struct ArchModel {
  Graph graph;                                       // the function "main"
  std::map<std::string, Graph, std::less<>> others;  // beside it: an encoder
  Metadata hyperparameters;
  std::optional<DecoderContract> decoder;
  std::optional<EmbedderContract> embedder;
};

/// A network that weights-only files name: src/arch/<name>.cc defines
/// `extern constinit const Architecture arch_<name>`.
struct Architecture {
  std::string_view name;
  std::string_view doc;
  Result<ArchModel> (*build)(const ArchInput&) = nullptr;
};

/// Null where there is none of that name.
const Architecture* find_architecture(std::string_view name);

}  // namespace polaris
