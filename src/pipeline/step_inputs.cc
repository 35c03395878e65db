#include "pipeline/step_inputs.h"

#include <algorithm>

namespace polaris {
namespace {

enum Input : std::size_t { kTokens, kPositions, kSlots, kSequences, kTable, kRows, kInputCount };

Result<std::vector<Tensor>> make_tensors(std::int64_t tokens, std::int64_t sequences,
                                         std::int64_t width, std::int64_t rows) {
  const Shape shapes[kInputCount] = {{tokens}, {tokens},           {tokens},
                                     {tokens}, {sequences, width}, {rows}};
  std::vector<Tensor> out;
  for (const Shape& shape : shapes) {
    auto tensor = Tensor::allocate(DType::kI32, shape);
    if (!tensor) return tensor.error();
    out.push_back(tensor.take());
  }
  return out;
}

}  // namespace

std::int64_t bucket_of(std::int64_t count, std::int64_t least, std::int64_t most) {
  std::int64_t bucket = 1;
  while (bucket < count || bucket < least) bucket *= 2;
  return std::min(bucket, most);
}

Status StepInputs::begin(std::int64_t tokens, std::int64_t sequences, std::int64_t width,
                         std::int64_t rows, const StepBuckets& buckets) {
  const Key key = {bucket_of(tokens, buckets.least, buckets.tokens_max),
                   bucket_of(sequences, buckets.least, buckets.sequences_max),
                   bucket_of(width, buckets.width_least, buckets.width_max),
                   bucket_of(rows, buckets.least, buckets.tokens_max)};
  auto at = buckets_.find(key);
  if (at == buckets_.end()) {
    auto tensors = make_tensors(key[0], key[1], key[2], key[3]);
    if (!tensors) return tensors.error();
    at = buckets_.emplace(key, tensors.take()).first;
  }
  current_ = &at->second;
  width_ = key[2];
  tokens_ = sequences_ = rows_ = 0;
  // Padding tokens belong to no sequence and write nowhere.
  std::fill_n(data(kTokens), key[0], 0);
  std::fill_n(data(kPositions), key[0], 0);
  std::fill_n(data(kSlots), key[0], -1);
  std::fill_n(data(kSequences), key[0], -1);
  std::fill_n(data(kTable), key[1] * key[2], 0);
  std::fill_n(data(kRows), key[3], 0);
  return Status::success();
}

std::int32_t StepInputs::add_sequence(const Sequence& sequence) {
  std::copy(sequence.pages().begin(), sequence.pages().end(), data(kTable) + sequences_ * width_);
  return sequences_++;
}

std::int32_t StepInputs::add_token(std::int32_t token, std::int64_t position, std::int32_t slot,
                                   std::int32_t row) {
  data(kTokens)[tokens_] = token;
  data(kPositions)[tokens_] = static_cast<std::int32_t>(position);
  data(kSlots)[tokens_] = slot;
  data(kSequences)[tokens_] = row;
  return tokens_++;
}

std::int32_t StepInputs::add_logits(std::int32_t index) {
  data(kRows)[rows_] = index;
  return rows_++;
}

}  // namespace polaris
