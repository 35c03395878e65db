#include "pipeline/language_model.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

namespace polaris {
namespace {

Status check_is_decoder(const Model& model) {
  if (model.find("main") == nullptr) {
    return Error::unsupported("[" + model.format + "] nothing to run: " +
                              (model.no_function_reason.empty()
                                   ? "the file holds no function 'main'"
                                   : model.no_function_reason));
  }
  if (!model.decoder) {
    return Error::unsupported("[" + model.format +
                              "] generation, got a graph that is no decoder over a paged cache, "
                              "wanted a language model such as llama");
  }
  return check_decoder(model);
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

std::vector<std::int32_t> LanguageModel::all_adapters() const {
  std::vector<std::int32_t> out(contract().adapters ? contract().adapters->names.size() : 0);
  std::iota(out.begin(), out.end(), 0);
  return out;
}

Result<LanguageModel> LanguageModel::create(std::shared_ptr<Runtime> runtime, Model& model,
                                            const ProgramOptions& options) {
  if (auto status = check_is_decoder(model); !status) return status.error();
  auto tokenizer = make_tokenizer(model);
  if (!tokenizer) return tokenizer.error();
  auto out = without_tokenizer(std::move(runtime), model, options);
  if (!out) return out;
  out->tokenizer = tokenizer.take();
  out->end_tokens = out->tokenizer->end_tokens();
  return out;
}

Result<LanguageModel> LanguageModel::without_tokenizer(std::shared_ptr<Runtime> runtime,
                                                       Model& model,
                                                       const ProgramOptions& options) {
  if (auto status = check_is_decoder(model); !status) return status.error();
  const Graph& graph = *model.find("main");
  LanguageModel out;
  const DecoderContract& contract = *model.decoder;
  out.vocabulary = graph.value(graph.outputs()[contract.logits]).type.shape.back();
  const auto context = trained_context(model);
  if (!context) return Error::invalid("[" + model.format + "] context_length is missing");
  out.context_tokens = *context;
  out.bounds.tokens_max =
      std::min(bound_of(graph, contract.tokens, 0), bound_of(graph, contract.logit_rows, 0));
  for (const CacheGroup& group : contract.groups) {
    out.bounds.sequences_max =
        std::min(out.bounds.sequences_max, bound_of(graph, group.block_table, 0));
    out.bounds.width_max.push_back(bound_of(graph, group.block_table, 1));
  }
  std::vector<std::string> functions = {"main"};
  if (contract.encoder) functions.push_back(contract.encoder->function);
  auto program = Program::compile(std::move(runtime), model, functions, options);
  if (!program) return program.error();
  out.program = program.take();
  return out;
}

}  // namespace polaris
