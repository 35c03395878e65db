#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/vision/picture_input.h"
#include "pipeline/vision/sound_input.h"

namespace polaris {

/// One class of an answer.
struct ScoredClass {
  std::int64_t index = 0;
  std::string label;  // empty where nothing names it
  double score = 0;
};

/// What a file is taken for, the likeliest first.
struct Classification {
  std::vector<ScoredClass> classes;
  std::int64_t rows = 1;           // of scores, of which each score is the mean
  std::int64_t samples_found = 0;  // of a recording, at the input's rate
  std::int64_t samples_taken = 0;
};

/// A model that says what a picture or a recording shows, with what stands between the file and
/// its input, and between its output and names.
class Classifier {
 public:
  /// Takes the graph out of the model. Errors: invalid and unsupported, naming what a card must
  /// say; those of Program::compile.
  static Result<Classifier> create(std::shared_ptr<Runtime> runtime, Model& model,
                                   const MediaOptions& options);
  /// Of the bytes of a PNG, JPEG, BMP, WAV or FLAC file. Errors: those of its decoder, invalid
  /// where the model takes the other kind, what the run finds.
  Result<Classification> classify(std::span<const std::byte> file, const RunOptions& options = {});
  const Settings& settings() const { return settings_; }

 private:
  Status settle_output(const Graph& graph, const MediaOptions& options);
  Status settle_labels(const Metadata& metadata, const ModelCard& card);
  Result<Classification> answer(const Tensor& output) const;

  std::unique_ptr<Session> session_;
  std::optional<PictureInput> picture_;  // one of these two
  std::optional<SoundInput> sound_;
  std::size_t output_ = 0;
  std::optional<MediaQuantization> quantization_;  // of the output
  ScoreActivation activation_ = ScoreActivation::kNone;
  std::vector<std::string> labels_;
  std::int64_t label_offset_ = 0;
  std::int64_t top_ = 5;
  Settings settings_;
};

}  // namespace polaris
