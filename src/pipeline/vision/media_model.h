#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ir/model.h"
#include "pipeline/vision/model_card.h"
#include "session/session.h"

namespace polaris {

/// What a model of pictures or recordings is opened with.
struct MediaOptions {
  ModelCard card;
  std::map<std::string, std::int64_t, std::less<>> dims;  // of symbols, by name
  ProgramOptions program;
};

/// A model's input or output, with the sizes that are known: those of symbols by
/// MediaOptions::dims.
struct MediaPort {
  std::string name;
  std::size_t index = 0;
  DType dtype = DType::kF32;
  Shape shape;  // kUnknownDim where a size is free
};

/// The one input of a graph. Errors: unsupported where there are several, or none.
Result<MediaPort> media_input(const Graph& graph, const MediaOptions& options);
std::vector<MediaPort> media_outputs(const Graph& graph, const MediaOptions& options);
/// "'scores' float32[1, 4420, 2]"
std::string port_text(const MediaPort& port);

/// How integers stand for real numbers: real = scale * (q - zero).
struct MediaQuantization {
  double scale = 1;
  double zero = 0;
};
/// Of an input that DequantizeLinear reads, with one scale for all.
std::optional<MediaQuantization> input_quantization(const Graph& graph, std::size_t input);
/// Of an output that QuantizeLinear makes, with one scale for all.
std::optional<MediaQuantization> output_quantization(const Graph& graph, std::size_t output);

/// The node that computes an output, behind what only moves, converts or quantizes it. Null where
/// it is an input or a constant.
const Node* maker_of(const Graph& graph, ValueId value);

/// Errors: those of Program::compile and Session::create.
Result<std::unique_ptr<Session>> open_session(std::shared_ptr<Runtime> runtime, Graph graph,
                                              const ProgramOptions& options);

}  // namespace polaris
