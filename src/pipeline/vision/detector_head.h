#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "pipeline/vision/box_nms.h"
#include "pipeline/vision/media_model.h"
#include "pipeline/vision/picture_input.h"

namespace polaris {

/// What the outputs of a detector mean, whole.
struct DetectorPlan {
  DetectorHead head = DetectorHead::kSsd;
  // Outputs, by index; those that the head does not have are 0. Of one output, `boxes`.
  std::size_t boxes = 0;
  std::size_t scores = 0;
  std::size_t classes = 0;
  std::size_t count = 0;
  bool has_count = false;
  bool transposed = false;  // of the YOLOs: [1, K, N], not [1, N, K]
  BoxFormat format = BoxFormat::kXyxy;
  BoxUnits units = BoxUnits::kPixels;
  double score_min = 0.5;
  double iou_max = 1;
};

/// Tells what a detector's outputs mean by their names and shapes, and by the card before them.
/// `labels`: how many classes have names, 0 where none has. Errors: unsupported or invalid, naming
/// the key of the card that must say it.
Result<DetectorPlan> recognize_detector(const Graph& graph, std::span<const MediaPort> outputs,
                                        const MediaPort& input, const ModelCard& card,
                                        std::size_t labels);

/// How pictures are given to such a model where nobody says.
PictureDefaults detector_picture(DetectorHead head);

/// What the outputs of one run say, in pixels of the input, without those below the lowest score.
/// Errors: invalid where an output has another shape than its head.
Result<std::vector<Detection>> decode_detections(const DetectorPlan& plan,
                                                 std::span<const Tensor> outputs,
                                                 const PictureInput::Placed& input);

}  // namespace polaris
