#include "pipeline/embedder.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "pipeline/language_model.h"
#include "pipeline/model_tokenizer.h"
#include "pipeline/step_inputs.h"

namespace polaris {
namespace {

using Texts = std::span<const std::vector<TokenId>>;

/// Fewer tokens would take other kernels, which sum in another order.
constexpr std::int64_t kTokensLeast = 16;

Status check_is_embedder(const Model& model) {
  const std::string format = "[" + model.format + "] ";
  if (model.find("main") == nullptr) {
    return Error::unsupported(format + "nothing to run: " +
                              (model.no_function_reason.empty()
                                   ? "the file holds no function 'main'"
                                   : model.no_function_reason));
  }
  if (!model.embedder) {
    return Error::unsupported(format +
                              "embedding, got a graph whose inputs nothing explains, wanted a "
                              "model such as bert or llama");
  }
  return check_embedder(model);
}

/// Of an input's dim, which is bound.
std::int64_t bound_of(const Graph& graph, std::size_t input, int axis) {
  const std::int64_t dim = graph.value(graph.inputs()[input]).type.shape[axis];
  if (!is_symbol_dim(dim)) return is_static_dim(dim) ? dim : INT32_MAX;
  const Symbol& symbol = graph.symbols()[static_cast<std::size_t>(symbol_of(dim))];
  return symbol.kind == Symbol::Kind::kFree ? INT32_MAX : symbol.bound;
}

std::int64_t size_of(const std::vector<TokenId>& text) {
  return static_cast<std::int64_t>(text.size());
}

/// The inputs of one run over texts that stand one behind the other.
class Inputs {
 public:
  Inputs(const Graph& graph, const EmbedderContract& contract)
      : graph_(graph), contract_(contract) {}

  Result<std::vector<Tensor>> fill(Texts texts) {
    std::int64_t tokens = 0;
    std::int64_t longest = 1;
    for (const auto& text : texts) {
      tokens += size_of(text);
      longest = std::max(longest, size_of(text));
    }
    const std::int64_t rows = bucket(static_cast<std::int64_t>(texts.size()), 1, contract_.rows, 0);
    const std::int64_t length = bucket(longest, kTokensLeast, contract_.rows, 1);
    if (auto s = allocate(bucket(tokens, kTokensLeast, contract_.tokens, 0), rows, length); !s) {
      return s.error();
    }
    std::int32_t at = 0;
    for (std::size_t t = 0; t < texts.size(); ++t) {
      const auto last = static_cast<std::int32_t>(texts[t].size()) - 1;
      for (std::int32_t p = 0; p <= last; ++p, ++at) {
        data(contract_.tokens)[at] = texts[t][static_cast<std::size_t>(p)];
        data(contract_.positions)[at] = p;
        data(contract_.texts)[at] = static_cast<std::int32_t>(t);
        if (contract_.last != contract_.positions) data(contract_.last)[at] = last;
        data(contract_.rows)[static_cast<std::int64_t>(t) * length + p] = at;
      }
    }
    return std::move(tensors_);
  }

 private:
  std::int64_t bucket(std::int64_t count, std::int64_t least, std::size_t input, int axis) const {
    return bucket_of(count, least, bound_of(graph_, input, axis));
  }
  std::int32_t* data(std::size_t input) { return tensors_[input].mutable_data<std::int32_t>(); }

  /// Padding tokens are of no text.
  Status allocate(std::int64_t tokens, std::int64_t rows, std::int64_t length) {
    for (std::size_t i = 0; i < graph_.inputs().size(); ++i) {
      const Shape shape = i == contract_.rows ? Shape{rows, length} : Shape{tokens};
      auto tensor = Tensor::allocate(DType::kI32, shape);
      if (!tensor) return tensor.error();
      tensors_.push_back(tensor.take());
      std::fill_n(data(i), shape.elements(), i == contract_.texts ? -1 : 0);
    }
    return Status::success();
  }

  const Graph& graph_;
  const EmbedderContract& contract_;
  std::vector<Tensor> tensors_;
};

/// One embedding of a text's rows [tokens, width].
std::vector<float> pooled(const float* rows, std::int64_t tokens, std::int64_t width,
                          Pooling pooling, bool normalize) {
  const std::int64_t first = pooling == Pooling::kLast ? tokens - 1 : 0;
  const std::int64_t end = pooling == Pooling::kFirst ? 1 : tokens;
  std::vector<double> sum(static_cast<std::size_t>(width), 0.0);
  for (std::int64_t t = first; t < end; ++t) {
    for (std::size_t d = 0; d < sum.size(); ++d) {
      sum[d] += static_cast<double>(rows[t * width + static_cast<std::int64_t>(d)]);
    }
  }
  double factor = 1.0 / static_cast<double>(end - first);
  if (normalize) {
    double squares = 0;
    for (const double x : sum) squares += x * x;
    if (squares > 0) factor = 1.0 / std::sqrt(squares);
  }
  std::vector<float> out;
  for (const double x : sum) out.push_back(static_cast<float>(x * factor));
  return out;
}

}  // namespace

Result<Embedder> Embedder::create(std::shared_ptr<Runtime> runtime, Model& model,
                                  const ProgramOptions& options) {
  if (auto status = check_is_embedder(model); !status) return status.error();
  auto tokenizer = make_tokenizer(model);
  if (!tokenizer) return tokenizer.error();
  const Graph& graph = *model.find("main");
  const EmbedderContract& contract = *model.embedder;
  const auto context = trained_context(model);
  if (!context) return Error::invalid("[" + model.format + "] context_length is missing");
  Embedder out;
  out.tokens_max_ =
      std::min({*context, bound_of(graph, contract.tokens, 0), bound_of(graph, contract.rows, 1)});
  out.texts_max_ = bound_of(graph, contract.rows, 0);
  out.width_ = graph.value(graph.outputs()[contract.hidden]).type.shape[1];
  out.tokenizer_ = tokenizer.take();
  const std::vector<std::string> functions = {"main"};
  auto program = Program::compile(std::move(runtime), model, functions, options);
  if (!program) return program.error();
  auto session = Session::create(program.take());
  if (!session) return session.error();
  out.session_ = session.take();
  return out;
}

Result<std::vector<TokenId>> Embedder::encode(std::string_view text, bool cut) const {
  auto ids = tokenizer_->encode(text);
  if (!ids || size_of(*ids) <= tokens_max_) return ids;
  if (!cut) {
    return Error::invalid("[embed] text, got " + std::to_string(ids->size()) +
                          " tokens, wanted at most " + std::to_string(tokens_max_));
  }
  const auto behind = std::min<std::int64_t>(
      static_cast<std::int64_t>(tokenizer_->settings().after.size()), tokens_max_);
  ids->erase(ids->begin() + (tokens_max_ - behind), ids->end() - behind);
  return ids;
}

Result<Tensor> Embedder::hidden(Texts texts, const RunOptions& options) {
  const EmbedderContract& contract = *session_->program().embedder();
  auto inputs = Inputs(session_->program().graph(), contract).fill(texts);
  if (!inputs) return inputs.error();
  std::vector<Tensor> outputs;
  if (auto status = session_->run(*inputs, outputs, options); !status) return status.error();
  return std::move(outputs[contract.hidden]);
}

Result<std::vector<std::vector<float>>> Embedder::embed(Texts texts, const EmbedOptions& embed,
                                                        const RunOptions& options) {
  for (std::size_t t = 0; t < texts.size(); ++t) {
    if (size_of(texts[t]) >= 1 && size_of(texts[t]) <= tokens_max_) continue;
    return Error::invalid("[embed] text " + std::to_string(t + 1) + ", got " +
                          std::to_string(texts[t].size()) + " tokens, wanted 1 to " +
                          std::to_string(tokens_max_));
  }
  std::vector<std::vector<float>> out;
  for (std::size_t begin = 0; begin < texts.size();) {
    std::size_t end = begin;
    for (std::int64_t tokens = 0; end < texts.size(); ++end) {
      tokens += size_of(texts[end]);
      const auto count = static_cast<std::int64_t>(end - begin);
      if (count > 0 && (tokens > kTokensPerRun || count == texts_max_)) break;
    }
    const Texts together = texts.subspan(begin, end - begin);
    auto rows = hidden(together, options);
    if (!rows) return rows.error();
    const float* from = rows->data<float>();
    for (const auto& text : together) {
      out.push_back(
          pooled(from, size_of(text), width_, embed.pooling.value_or(pooling()), embed.normalize));
      from += size_of(text) * width_;
    }
    begin = end;
  }
  return out;
}

}  // namespace polaris
