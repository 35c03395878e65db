#include "pipeline/step_logits.h"

#include <utility>

namespace polaris {
namespace {

constexpr std::string_view kFunction = "main";  // of the contract
constexpr std::string_view kKept = "logits";

}  // namespace

StepLogits::StepLogits(const LanguageModel& model)
    : output_(model.contract().logits),
      top_output_(model.top),
      vocabulary_(static_cast<std::size_t>(model.vocabulary)) {
  const Graph& graph = model.program->main().graph;
  for (const ValueId input : graph.inputs()) inputs_.push_back(graph.value(input).name);
  outputs_ = graph.output_names();
}

Status StepLogits::run(Session& session, std::span<const Tensor> inputs,
                       const RunOptions& options) {
  session_ = &session;
  here_.clear();
  if (!top_output_) {
    logits_ = Tensor();
    auto status = session.run(inputs, results_, options);
    if (status) set(results_[output_]);
    return status;
  }
  Bindings bindings;
  for (std::size_t i = 0; i < inputs.size(); ++i) bindings.input(inputs_[i], inputs[i]);
  bindings.output(outputs_[top_output_->logits]).output(outputs_[top_output_->ids]);
  bindings.output_kept(outputs_[output_], kKept);
  if (auto status = session.run(kFunction, bindings, top_, options); !status) return status;
  here_.assign(static_cast<std::size_t>(top_[0].shape()[0]), false);
  return Status::success();
}

void StepLogits::set(Tensor logits) {
  here_.assign(static_cast<std::size_t>(logits.shape()[0]), true);
  logits_ = std::move(logits);
}

TopLogits StepLogits::top(std::int32_t row) const {
  const auto count = static_cast<std::size_t>(top_output_->count);
  const std::size_t begin = static_cast<std::size_t>(row) * count;
  return {{top_[0].data<float>() + begin, count},
          {top_[1].data<std::int64_t>() + begin, count},
          vocabulary_};
}

Result<TokenId> StepLogits::sample(std::int32_t row, Sampler& sampler,
                                   std::span<const TokenId> text, std::int64_t before,
                                   const grammar::TokenMask* mask) {
  if (!at_hand(row)) {
    const TokenId token = sampler.sample_top(top(row), text, before, mask);
    if (token >= 0) return token;
  }
  const auto all = this->row(row);
  if (!all) return all.error();
  return sampler.sample(*all, text, before, mask);
}

Result<std::span<const float>> StepLogits::row(std::int32_t row) {
  if (!at_hand(row)) {
    const Shape shape{static_cast<std::int64_t>(here_.size()),
                      static_cast<std::int64_t>(vocabulary_)};
    if (!logits_ || logits_.shape() != shape) {
      auto fresh = Tensor::allocate(DType::kF32, shape);
      if (!fresh) return fresh.error();
      logits_ = fresh.take();
    }
    const std::size_t bytes = vocabulary_ * sizeof(float);
    const auto to = logits_.mutable_bytes().subspan(static_cast<std::size_t>(row) * bytes, bytes);
    if (auto status = session_->read_kept_row(kKept, row, to); !status) return status.error();
    here_[static_cast<std::size_t>(row)] = true;
  }
  return row_at_hand(row);
}

std::span<const float> StepLogits::row_at_hand(std::int32_t row) const {
  if (!at_hand(row)) return {};
  return {logits_.data<float>() + static_cast<std::size_t>(row) * vocabulary_, vocabulary_};
}

}  // namespace polaris
