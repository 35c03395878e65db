#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pipeline/vision/detector_head.h"

namespace polaris {

/// One thing in a picture: corners in the picture's pixels.
struct FoundObject {
  Detection box;
  std::string label;  // empty where nothing names the class
};

struct FoundObjects {
  std::int64_t width = 0;  // of the picture
  std::int64_t height = 0;
  std::vector<FoundObject> objects;  // the likeliest first
};

/// A model that finds things in pictures.
class Detector {
 public:
  /// Takes the graph out of the model. Errors: as Classifier::create; those of recognize_detector.
  static Result<Detector> create(std::shared_ptr<Runtime> runtime, Model& model,
                                 const MediaOptions& options);
  /// Of the bytes of a PNG, JPEG, BMP or PNM file. Errors: those of its decoder, what the run
  /// finds, an output of another shape than its head.
  Result<FoundObjects> detect(std::span<const std::byte> file, const RunOptions& options = {});
  const Settings& settings() const { return settings_; }

 private:
  explicit Detector(PictureInput input) : input_(std::move(input)) {}

  std::unique_ptr<Session> session_;
  PictureInput input_;
  DetectorPlan plan_;
  std::vector<std::string> labels_;
  std::int64_t label_offset_ = 0;
  std::int64_t top_ = 100;
  Settings settings_;
};

}  // namespace polaris
