#include "pipeline/language_model.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

namespace polaris {
namespace {

template <class T>
const T* find_metadata(const Model& model, std::string_view key) {
  const auto at = model.metadata.find(key);
  return at == model.metadata.end() ? nullptr : std::get_if<T>(&at->second);
}

std::optional<TokenId> find_id(const Model& model, std::string_view key, std::int64_t size) {
  const auto* value = find_metadata<std::int64_t>(model, key);
  if (value == nullptr || *value < 0 || *value >= size) return std::nullopt;
  return static_cast<TokenId>(*value);
}

Result<std::vector<Token>> read_tokens(const Model& model) {
  const auto* texts = find_metadata<std::vector<std::string>>(model, "tokenizer.ggml.tokens");
  const auto* scores = find_metadata<std::vector<double>>(model, "tokenizer.ggml.scores");
  const auto* kinds = find_metadata<std::vector<std::int64_t>>(model, "tokenizer.ggml.token_type");
  if (texts == nullptr) return Error::invalid("[tokenizer] tokenizer.ggml.tokens is missing");
  if ((scores != nullptr && scores->size() != texts->size()) ||
      (kinds != nullptr && kinds->size() != texts->size())) {
    return Error::invalid("[tokenizer] scores or token types, got another count, wanted " +
                          std::to_string(texts->size()) + " as tokens");
  }
  std::vector<Token> tokens(texts->size());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    tokens[i].text = (*texts)[i];
    if (scores != nullptr) tokens[i].score = static_cast<float>((*scores)[i]);
    if (kinds != nullptr && (*kinds)[i] >= 1 && (*kinds)[i] <= 6) {
      tokens[i].kind = static_cast<TokenKind>((*kinds)[i]);
    }
  }
  return tokens;
}

bool flag_or(const Model& model, std::string_view key, bool fallback) {
  const bool* value = find_metadata<bool>(model, key);
  return value != nullptr ? *value : fallback;
}

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

Result<std::unique_ptr<Tokenizer>> make_tokenizer(const Model& model) {
  const auto* kind = find_metadata<std::string>(model, "tokenizer.ggml.model");
  if (kind == nullptr) return Error::unsupported("[tokenizer] the file describes no tokenizer");
  if (*kind != "llama") {
    return Error::unsupported("[tokenizer] tokenizer.ggml.model, got '" + *kind +
                              "', wanted 'llama' (SentencePiece BPE)");
  }
  auto tokens = read_tokens(model);
  if (!tokens) return tokens.error();
  const auto size = static_cast<std::int64_t>(tokens->size());
  auto vocabulary = Vocabulary::create(tokens.take());
  if (!vocabulary) return vocabulary.error();
  // Defaults are SentencePiece's ids in Llama 2, for files that leave them out.
  vocabulary->bos = find_id(model, "tokenizer.ggml.bos_token_id", size);
  vocabulary->eos = find_id(model, "tokenizer.ggml.eos_token_id", size);
  vocabulary->unknown = find_id(model, "tokenizer.ggml.unknown_token_id", size);
  if (!vocabulary->bos && size > 1) vocabulary->bos = 1;
  if (!vocabulary->eos && size > 2) vocabulary->eos = 2;
  if (!vocabulary->unknown) vocabulary->unknown = 0;
  vocabulary->add_bos = flag_or(model, "tokenizer.ggml.add_bos_token", true);
  vocabulary->add_eos = flag_or(model, "tokenizer.ggml.add_eos_token", false);
  vocabulary->add_space_prefix = flag_or(model, "tokenizer.ggml.add_space_prefix", true);
  return make_spm_tokenizer(vocabulary.take());
}

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
    return Error::unsupported("[" + model.format + "] the file holds no runnable graph");
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
  const auto& vocabulary = out.tokenizer->vocabulary();
  if (vocabulary.eos) out.end_tokens.push_back(*vocabulary.eos);
  if (const auto eot = find_id(model, "tokenizer.ggml.eot_token_id", vocabulary.size())) {
    out.end_tokens.push_back(*eot);
  }
  const std::string functions[] = {"main"};
  auto program = Program::compile(std::move(runtime), model, functions, options);
  if (!program) return program.error();
  out.program = program.take();
  return out;
}

}  // namespace polaris
