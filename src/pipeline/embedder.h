#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "ir/model.h"
#include "session/session.h"
#include "text/tokenizer.h"

namespace polaris {

/// What an embedding is made of.
struct EmbedOptions {
  std::optional<Pooling> pooling;  // none: the model's own
  bool normalize = true;           // to length 1
};

/// A model that embeds texts, with its tokenizer.
class Embedder {
 public:
  /// Takes the model's "main" function. Errors: unsupported where the model declares no embedder;
  /// what make_tokenizer, Program::compile and Session::create say.
  static Result<Embedder> create(std::shared_ptr<Runtime> runtime, Model& model,
                                 const ProgramOptions& options = {});

  /// The ids of a text with its special tokens. One with more than `most` is an error, or keeps its
  /// first ids, and its special tokens, where it is to be cut.
  Result<std::vector<TokenId>> encode(std::string_view text, bool cut) const;

  /// One embedding of width() numbers a text, in their order. Several texts are run at once, as
  /// many as kTokensPerRun has room for, and see nothing of each other. Errors: invalid, naming a
  /// text that has no tokens or more than tokens_max(); what the run finds.
  Result<std::vector<std::vector<float>>> embed(std::span<const std::vector<TokenId>> texts,
                                                const EmbedOptions& embed = {},
                                                const RunOptions& options = {});
  static constexpr std::int64_t kTokensPerRun = 512;

  std::int64_t tokens_max() const { return tokens_max_; }
  std::int64_t width() const { return width_; }
  Pooling pooling() const { return session_->program().embedder()->pooling; }

 private:
  Embedder() = default;
  Result<Tensor> hidden(std::span<const std::vector<TokenId>> texts, const RunOptions& options);

  std::unique_ptr<Session> session_;
  std::unique_ptr<const Tokenizer> tokenizer_;
  std::int64_t tokens_max_ = 0;  // of a text
  std::int64_t texts_max_ = 0;   // of a run
  std::int64_t width_ = 0;
};

}  // namespace polaris
