#include "pipeline/vision/classifier.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "load/load.h"
#include "media/decode_image.h"
#include "pipeline/vision/label_list.h"

namespace polaris {
namespace {

/// The activation that a graph leaves to us, by what computes its output.
ScoreActivation missing_activation(const Graph& graph, ValueId output, DType dtype,
                                   bool quantized) {
  const Node* maker = maker_of(graph, output);
  const std::string_view op = maker == nullptr ? "" : maker->op->name;
  if (op == "Softmax" || op == "Sigmoid" || op == "Hardmax") return ScoreActivation::kNone;
  if (op == "LogSoftmax") return ScoreActivation::kExp;
  // Integers that nothing explains are shown as they are.
  return is_float(dtype) || quantized ? ScoreActivation::kSoftmax : ScoreActivation::kNone;
}

void activate(std::vector<double>& row, ScoreActivation activation) {
  switch (activation) {
    case ScoreActivation::kNone: return;
    case ScoreActivation::kSigmoid:
      for (double& x : row) x = 1 / (1 + std::exp(-x));
      return;
    case ScoreActivation::kExp:
      for (double& x : row) x = std::exp(x);
      return;
    case ScoreActivation::kSoftmax: break;
  }
  const double largest = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (double& x : row) sum += x = std::exp(x - largest);
  for (double& x : row) x /= sum;
}

}  // namespace

Result<Classifier> Classifier::create(std::shared_ptr<Runtime> runtime, Model& model,
                                      const MediaOptions& options) {
  auto graph = take_function(model, "");
  if (!graph) return graph.error();
  auto port = media_input(*graph, options);
  if (!port) return port.error();
  Classifier out;
  if (PictureInput::is_picture(*port)) {
    PictureDefaults defaults;
    defaults.imagenet = true;
    auto input = PictureInput::create(*graph, model.metadata, port.take(), options.card, defaults);
    if (!input) return input.error();
    out.picture_ = input.take();
    out.picture_->list(out.settings_);
  } else {
    auto input = SoundInput::create(port.take(), options.card);
    if (!input) return input.error();
    out.sound_ = input.take();
    out.sound_->list(out.settings_);
  }
  if (auto status = out.settle_output(*graph, options); !status) return status.error();
  if (auto status = out.settle_labels(model.metadata, options.card); !status) {
    return status.error();
  }
  out.top_ = options.card.top.value_or(out.top_);
  out.settings_.push_back({"top", out.top_});
  auto session = open_session(std::move(runtime), graph.take(), options.program);
  if (!session) return session.error();
  out.session_ = session.take();
  return out;
}

Status Classifier::settle_output(const Graph& graph, const MediaOptions& options) {
  const std::vector<MediaPort> outputs = media_outputs(graph, options);
  std::string all;
  std::optional<std::size_t> meant;
  for (const MediaPort& port : outputs) {
    all += (all.empty() ? "" : ", ") + port_text(port);
    if (options.card.output == port.name || (outputs.size() == 1 && !options.card.output)) {
      meant = port.index;
    }
  }
  if (!meant) {
    return Error::invalid("[classify] outputs, got " + all +
                          ", wanted one; \"output\" of the card, or --output, says which");
  }
  const MediaPort& port = outputs[*meant];
  if (!is_float(port.dtype) && !is_integer(port.dtype)) {
    return Error::unsupported("[classify] output " + port_text(port) + ", wanted numbers");
  }
  output_ = *meant;
  quantization_ = is_integer(port.dtype) ? output_quantization(graph, output_) : std::nullopt;
  activation_ = options.card.activation.value_or(
      missing_activation(graph, graph.outputs()[output_], port.dtype, quantization_.has_value()));
  settings_.push_back({"output", port.name});
  settings_.push_back({"activation", std::string(score_activation_name(activation_))});
  return Status::success();
}

Status Classifier::settle_labels(const Metadata& metadata, const ModelCard& card) {
  if (card.labels) {
    labels_ = *card.labels;
  } else if (auto own = labels_of(metadata)) {
    labels_ = std::move(*own);
  }
  label_offset_ = card.label_offset.value_or(0);
  settings_.push_back({"labels", labels_.empty() ? "none" : std::to_string(labels_.size())});
  if (label_offset_ != 0) settings_.push_back({"label_offset", label_offset_});
  return Status::success();
}

Result<Classification> Classifier::classify(std::span<const std::byte> file,
                                            const RunOptions& options) {
  Classification placed;
  std::vector<Tensor> inputs;
  if (picture_) {
    if (is_sound(file)) {
      return Error::invalid(
          "[classify] file, got a recording, wanted a picture: PNG, JPEG, BMP or PNM");
    }
    const auto image = decode_image(file);
    if (!image) return image.error();
    auto input = picture_->place(*image);
    if (!input) return input.error();
    inputs.push_back(std::move(input->tensor));
  } else {
    if (image_format_of(file) != ImageFormat::kUnknown) {
      return Error::invalid("[classify] file, got a picture, wanted a recording: WAV or FLAC");
    }
    const auto sound = decode_sound(file);
    if (!sound) return sound.error();
    auto input = sound_->place(*sound);
    if (!input) return input.error();
    placed.samples_found = input->found;
    placed.samples_taken = input->taken;
    inputs.push_back(std::move(input->tensor));
  }
  std::vector<Tensor> outputs;
  if (auto status = session_->run(inputs, outputs, options); !status) return status.error();
  auto out = answer(outputs[output_]);
  if (!out) return out.error();
  out->samples_found = placed.samples_found;
  out->samples_taken = placed.samples_taken;
  return out;
}

Result<Classification> Classifier::answer(const Tensor& output) const {
  // [1, C], [C], [1, C, 1, 1], or rows of scores: [frames, C].
  Shape shape = output.shape();
  while (shape.rank() > 1 && shape.back() == 1) shape.erase(shape.rank() - 1);
  const std::int64_t classes = shape.rank() == 0 ? 1 : shape.back();
  if (output.elements() < 1 || classes < 1) {
    return Error::invalid("[classify] output, got " + output.type().to_string() +
                          ", wanted scores");
  }
  if (!labels_.empty() && label_offset_ == 0 && std::cmp_not_equal(labels_.size(), classes)) {
    return Error::invalid("[classify] labels, got " + std::to_string(labels_.size()) + " for " +
                          std::to_string(classes) +
                          " classes, wanted as many, or a \"label_offset\"");
  }
  Classification out;
  out.rows = output.elements() / classes;
  std::vector<double> mean(static_cast<std::size_t>(classes));
  std::vector<double> row(mean.size());
  for (std::int64_t r = 0; r < out.rows; ++r) {
    for (std::int64_t c = 0; c < classes; ++c) {
      double value = element_as_f64(output, r * classes + c);
      if (quantization_) value = (value - quantization_->zero) * quantization_->scale;
      row[static_cast<std::size_t>(c)] = value;
    }
    activate(row, activation_);
    for (std::size_t c = 0; c < row.size(); ++c) {
      mean[c] += row[c] / static_cast<double>(out.rows);
    }
  }
  if (std::any_of(mean.begin(), mean.end(), [](double x) { return std::isnan(x); })) {
    return Error::invalid("[classify] output, got NaN among the scores");
  }
  std::vector<std::size_t> order(mean.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto shown = std::min(order.size(), static_cast<std::size_t>(top_));
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(),
      [&](std::size_t a, std::size_t b) { return mean[a] != mean[b] ? mean[a] > mean[b] : a < b; });
  for (std::size_t i = 0; i < shown; ++i) {
    const auto index = static_cast<std::int64_t>(order[i]);
    out.classes.push_back({index, label_at(labels_, index + label_offset_), mean[order[i]]});
  }
  return out;
}

}  // namespace polaris
