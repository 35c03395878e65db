#include "pipeline/vision/detector.h"

#include <algorithm>
#include <utility>

#include "load/load.h"
#include "media/decode_image.h"
#include "media/sound.h"
#include "pipeline/vision/label_list.h"

namespace polaris {

Result<Detector> Detector::create(std::shared_ptr<Runtime> runtime, Model& model,
                                  const MediaOptions& options) {
  auto graph = take_function(model, "");
  if (!graph) return graph.error();
  const ModelCard& card = options.card;
  auto port = media_input(*graph, options);
  if (!port) return port.error();
  std::vector<std::string> labels;
  if (card.labels) {
    labels = *card.labels;
  } else if (auto own = labels_of(model.metadata)) {
    labels = std::move(*own);
  }
  const std::vector<MediaPort> outputs = media_outputs(*graph, options);
  const auto plan = recognize_detector(*graph, outputs, *port, card, labels.size());
  if (!plan) return plan.error();
  auto input =
      PictureInput::create(*graph, model.metadata, port.take(), card, detector_picture(plan->head));
  if (!input) return input.error();
  Detector out(input.take());
  out.plan_ = *plan;
  out.labels_ = std::move(labels);
  out.label_offset_ = card.label_offset.value_or(0);
  out.top_ = card.top.value_or(out.top_);
  Settings& settings = out.settings_;
  out.input_.list(settings);
  settings.push_back({"detector", std::string(detector_head_name(plan->head))});
  settings.push_back({"box_format", std::string(box_format_name(plan->format))});
  settings.push_back({"box_units", std::string(box_units_name(plan->units))});
  settings.push_back({"score_min", plan->score_min});
  settings.push_back({"iou_max", plan->iou_max});
  settings.push_back({"labels", out.labels_.empty() ? "none" : std::to_string(out.labels_.size())});
  if (out.label_offset_ != 0) settings.push_back({"label_offset", out.label_offset_});
  settings.push_back({"top", out.top_});
  auto session = open_session(std::move(runtime), graph.take(), options.program);
  if (!session) return session.error();
  out.session_ = session.take();
  return out;
}

Result<FoundObjects> Detector::detect(std::span<const std::byte> file, const RunOptions& options) {
  if (is_sound(file)) {
    return Error::invalid(
        "[detect] file, got a recording, wanted a picture: PNG, JPEG, BMP or PNM");
  }
  const auto image = decode_image(file);
  if (!image) return image.error();
  const auto placed = input_.place(*image);
  if (!placed) return placed.error();
  std::vector<Tensor> outputs;
  const Tensor inputs[] = {placed->tensor};
  if (auto status = session_->run(inputs, outputs, options); !status) return status.error();
  auto found = decode_detections(plan_, outputs, *placed);
  if (!found) return found.error();
  FoundObjects out{image->width, image->height, {}};
  const PictureMap& map = placed->map;
  const auto back = [](double at, double shift, double scale, std::int64_t side) {
    return std::clamp((at - shift) / scale, 0.0, static_cast<double>(side));
  };
  for (Detection& box : likeliest(found.take(), plan_.iou_max, static_cast<std::size_t>(top_))) {
    box.x0 = back(box.x0, map.shift_x, map.scale_x, image->width);
    box.x1 = back(box.x1, map.shift_x, map.scale_x, image->width);
    box.y0 = back(box.y0, map.shift_y, map.scale_y, image->height);
    box.y1 = back(box.y1, map.shift_y, map.scale_y, image->height);
    out.objects.push_back({box, label_at(labels_, box.index + label_offset_)});
  }
  return out;
}

}  // namespace polaris
