#include "pipeline/micro_batches.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/checked.h"

namespace polaris {
namespace {

// Where memory is short; each part reads all weights.
constexpr std::int64_t kTokensLeast = 8;

/// Devices that have layers of the model.
std::int64_t devices_of(const LanguageModel& model) {
  if (!model.fit) return 1;
  const LayerFit& fit = *model.fit;
  std::int64_t count = fit.card_layers < fit.layers ? 1 : 0;
  for (const std::int64_t layers : fit.split.layers) count += layers > 0 ? 1 : 0;
  return std::max<std::int64_t>(count, 1);
}

/// Tokens before the padding, which belongs to no sequence.
std::int64_t real_tokens(const Tensor& sequences) {
  const auto* data = sequences.data<std::int32_t>();
  std::int64_t count = sequences.elements();
  while (count > 0 && data[count - 1] < 0) --count;
  return count;
}

}  // namespace

MicroBatches::MicroBatches(const LanguageModel& model, StepBuckets buckets,
                           const MicroBatchOptions& options)
    : contract_(model.contract()),
      buckets_(std::move(buckets)),
      count_max_(options.count_max),
      tokens_min_(std::max<std::int64_t>(options.tokens_min, 1)),
      devices_(static_cast<std::size_t>(model.program->runtime().device_count())) {
  const std::int64_t devices = devices_of(model);
  if (count_max_ <= 0) count_max_ = devices > 1 ? 2 * devices : 1;
}

std::vector<MicroBatches::Part> MicroBatches::parts_of(std::span<const Tensor> inputs,
                                                       std::int64_t tokens,
                                                       std::int64_t count) const {
  std::vector<Part> out;
  // Powers of two, which they would be padded to: together they are no larger than the step.
  const std::int64_t each = bucket_of(ceil_div(tokens, count), 1, tokens);
  for (std::int64_t begin = 0; begin < tokens; begin += each) {
    out.push_back({begin, std::min(begin + each, tokens), {}});
  }
  const Tensor& rows = inputs[contract_.logit_rows];
  for (std::int64_t r = 0; r < rows.elements(); ++r) {
    const std::int64_t token = rows.data<std::int32_t>()[r];
    const auto at = static_cast<std::size_t>(std::clamp<std::int64_t>(token, 0, tokens - 1) / each);
    out[at].rows.push_back(r);
  }
  return out;
}

Result<std::vector<Tensor>> MicroBatches::inputs_of(std::span<const Tensor> inputs,
                                                    const Part& part) const {
  // Tables stay whole: sequences keep their rows.
  std::vector<Tensor> out(inputs.begin(), inputs.end());
  const std::int64_t count = part.end - part.begin;
  const std::int64_t bucket = bucket_of(count, buckets_.least, buckets_.tokens_max);
  Status status;
  const auto cut = [&](std::size_t input, std::int32_t padding) {
    Shape shape = inputs[input].shape();  // a row a token
    const std::int64_t each = inputs[input].elements() / shape[0];
    shape[0] = bucket;
    auto tensor = Tensor::allocate(DType::kI32, shape);
    if (!tensor) {
      status = tensor.error();
      return;
    }
    auto* to = tensor->mutable_data<std::int32_t>();
    std::copy_n(inputs[input].data<std::int32_t>() + part.begin * each, count * each, to);
    std::fill(to + count * each, to + bucket * each, padding);
    out[input] = tensor.take();
  };
  cut(contract_.tokens, 0);
  cut(contract_.positions, 0);
  cut(contract_.sequences, -1);
  for (const CacheGroup& group : contract_.groups) {
    cut(group.positions, 0);
    if (!group.cross) cut(group.slots, -1);
  }
  if (contract_.adapters) cut(contract_.adapters->input, 0);
  if (!status) return status.error();
  const auto rows = static_cast<std::int64_t>(part.rows.size());
  auto wanted =
      Tensor::allocate(DType::kI32, {bucket_of(rows, buckets_.least, buckets_.tokens_max)});
  if (!wanted) return wanted.error();
  auto* to = wanted->mutable_data<std::int32_t>();
  std::fill_n(to, wanted->elements(), 0);
  const auto* from = inputs[contract_.logit_rows].data<std::int32_t>();
  for (std::size_t r = 0; r < part.rows.size(); ++r) {
    to[r] = from[part.rows[r]] - static_cast<std::int32_t>(part.begin);
  }
  out[contract_.logit_rows] = wanted.take();
  return out;
}

Result<Tensor> MicroBatches::gather(std::span<const Part> parts,
                                    std::span<const std::vector<Tensor>> results) const {
  std::int64_t rows = 0;
  for (const Part& part : parts) rows += static_cast<std::int64_t>(part.rows.size());
  const TensorType& type = results[0][contract_.logits].type();
  const std::int64_t width = type.shape[1];
  auto all = Tensor::allocate(type.dtype, {rows, width});
  if (!all) return all.error();
  const auto row_bytes =
      static_cast<std::size_t>(*all->type().bytes() / std::max<std::int64_t>(rows, 1));
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const std::byte* from = results[p][contract_.logits].bytes().data();
    for (std::size_t r = 0; r < parts[p].rows.size(); ++r) {
      std::byte* to =
          all->mutable_bytes().data() + static_cast<std::size_t>(parts[p].rows[r]) * row_bytes;
      copy_bytes(to, from + r * row_bytes, row_bytes);
    }
  }
  return all;
}

Status MicroBatches::run(Session& session, std::span<const Tensor> inputs, StepLogits& logits,
                         const RunOptions& options) {
  const std::int64_t tokens = real_tokens(inputs[contract_.sequences]);
  // Launches that are timed run one after the other.
  const bool alone = count_max_ < 2 || options.profile != nullptr;
  std::int64_t count = alone ? 1 : std::min(count_max_, tokens / tokens_min_);
  Status status = count < 2 ? logits.run(session, inputs, options)
                            : run_parts(session, inputs, parts_of(inputs, tokens, count), true,
                                        logits, options);
  // A budget that fell may still have room for less at a time.
  for (count = std::max<std::int64_t>(count, 1) * 2;
       !status && status.error().code() == ErrorCode::kOutOfMemory &&
       tokens / count >= kTokensLeast;
       count *= 2) {
    Status less =
        run_parts(session, inputs, parts_of(inputs, tokens, count), false, logits, options);
    if (less || less.error().code() != ErrorCode::kOutOfMemory) status = std::move(less);
  }
  return status;
}

Status MicroBatches::run_parts(Session& session, std::span<const Tensor> inputs,
                               std::span<const Part> parts, bool together, StepLogits& logits,
                               const RunOptions& options) {
  std::vector<std::vector<Tensor>> results(parts.size());
  std::vector<Ticket> tickets;
  tickets.reserve(parts.size());
  TicketOptions ticket;
  ticket.order = std::make_shared<RunOrder>(parts.size(), devices_);
  // The caller's, which outlive the tickets: all of them are waited for.
  ticket.trace = std::shared_ptr<Trace>(std::shared_ptr<Trace>(), options.trace);
  ticket.cancel = options.cancel;
  Status status;
  const auto finish = [&](std::size_t t) {
    auto result = tickets[t].wait();
    if (result) {
      results[t] = result.take();
      return;
    }
    // One that never began could not say so.
    ticket.order->end(t, false);
    if (status) status = result.error();
  };
  for (std::size_t p = 0; p < parts.size() && status; ++p) {
    ticket.place = p;
    auto cut = inputs_of(inputs, parts[p]);
    auto submitted = cut ? session.submit(cut.take(), ticket) : Result<Ticket>(cut.error());
    if (!submitted) {
      status = submitted.error();
      break;
    }
    tickets.push_back(submitted.take());
    if (!together) finish(p);
  }
  for (std::size_t t = 0; together && t < tickets.size(); ++t) finish(t);
  if (!status) return status;
  if (together) cut_ += static_cast<std::int64_t>(parts.size());
  auto all = gather(parts, results);
  if (!all) return all.error();
  logits.set(all.take());
  return status;
}

}  // namespace polaris
