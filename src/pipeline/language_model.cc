#include "pipeline/language_model.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

namespace polaris {
namespace {

constexpr std::array<std::string_view, 6> kDecoderInputs = {
    "tokens", "positions", "slots", "sequences", "block_table", "logit_rows"};

Status check_decoder(const Model& model, const Graph& graph) {
  bool fits = graph.inputs().size() == kDecoderInputs.size() && graph.outputs().size() == 1;
  for (std::size_t i = 0; fits && i < kDecoderInputs.size(); ++i) {
    const Value& input = graph.value(graph.inputs()[i]);
    fits = input.name == kDecoderInputs[i] && input.type.dtype == DType::kI32;
  }
  if (fits) return Status::success();
  return Error::unsupported("[" + model.format +
                            "] generation, got a graph that is no decoder over a paged cache, "
                            "wanted a language model such as llama");
}

/// The bound of an input's dim; none where it is free.
std::int64_t bound_of(const Graph& graph, std::size_t input, int axis) {
  const std::int64_t dim = graph.value(graph.inputs()[input]).type.shape[axis];
  if (!is_symbol_dim(dim)) return is_static_dim(dim) ? dim : INT64_MAX;
  const Symbol& symbol = graph.symbols()[static_cast<std::size_t>(symbol_of(dim))];
  return symbol.kind == Symbol::Kind::kFree ? INT64_MAX : symbol.bound;
}

}  // namespace

std::optional<std::int64_t> trained_context(const Model& model) {
  const auto context = model.hyperparameters.find("context_length");
  if (context == model.hyperparameters.end()) return std::nullopt;
  const auto* tokens = std::get_if<std::int64_t>(&context->second);
  return tokens != nullptr ? std::optional(*tokens) : std::nullopt;
}

Result<LanguageModel> LanguageModel::create(std::shared_ptr<Runtime> runtime, Model& model,
                                            const ProgramOptions& options) {
  Graph* graph = model.find("main");
  if (graph == nullptr) {
    return Error::unsupported("[" + model.format + "] nothing to run: " +
                              (model.no_function_reason.empty()
                                   ? "the file holds no function 'main'"
                                   : model.no_function_reason));
  }
  if (auto status = check_decoder(model, *graph); !status) return status.error();
  auto tokenizer = make_tokenizer(model);
  if (!tokenizer) return tokenizer.error();
  LanguageModel out;
  out.tokenizer = tokenizer.take();
  out.vocabulary = graph->value(graph->outputs()[0]).type.shape.back();
  const auto context = trained_context(model);
  if (!context) return Error::invalid("[" + model.format + "] context_length is missing");
  out.context_tokens = *context;
  out.tokens_max = std::min(bound_of(*graph, 0, 0), bound_of(*graph, 5, 0));
  out.sequences_max = bound_of(*graph, 4, 0);
  out.table_width_max = bound_of(*graph, 4, 1);
  out.end_tokens = out.tokenizer->end_tokens();
  const std::string functions[] = {"main"};
  auto program = Program::compile(std::move(runtime), model, functions, options);
  if (!program) return program.error();
  out.program = program.take();
  return out;
}

}  // namespace polaris
