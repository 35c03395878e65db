#include "pipeline/step_inputs.h"

#include <algorithm>
#include <utility>

namespace polaris {
namespace {

constexpr std::size_t kSizes = 3;  // tokens, sequences and rows, before the widths in a key

}  // namespace

std::int64_t bucket_of(std::int64_t count, std::int64_t least, std::int64_t most) {
  std::int64_t bucket = 1;
  while (bucket < count || bucket < least) bucket *= 2;
  return std::min(bucket, most);
}

std::vector<TensorType> step_types(const DecoderContract& contract, const StepSizes& sizes) {
  std::vector<TensorType> types;
  const auto set = [&](std::size_t input, const Shape& shape) {
    if (types.size() <= input) types.resize(input + 1);
    types[input] = {DType::kI32, shape, {}};
  };
  set(contract.tokens, {sizes.tokens});
  set(contract.positions, {sizes.tokens});
  set(contract.sequences, {sizes.tokens});
  set(contract.logit_rows, {sizes.rows});
  for (std::size_t g = 0; g < contract.groups.size(); ++g) {
    const CacheGroup& group = contract.groups[g];
    set(group.block_table, {sizes.sequences, sizes.widths[g]});
    set(group.positions, {sizes.tokens});
    if (!group.cross) set(group.slots, {sizes.tokens});
  }
  if (contract.adapters) {
    set(contract.adapters->input, {sizes.tokens, contract.adapters->per_text});
  }
  return types;
}

StepInputs::StepInputs(DecoderContract contract, std::shared_ptr<KvPool> pool, StepBuckets buckets)
    : contract_(std::move(contract)), pool_(std::move(pool)), buckets_(std::move(buckets)) {}

StepInputs::Key StepInputs::key_of(std::int64_t tokens, std::span<const Sequence* const> sequences,
                                   std::int64_t rows) const {
  const auto count = static_cast<std::int64_t>(sequences.size());
  Key key = {bucket_of(tokens, buckets_.least, buckets_.tokens_max),
             bucket_of(count, buckets_.least, buckets_.sequences_max),
             bucket_of(rows, buckets_.least, buckets_.tokens_max)};
  for (std::size_t g = 0; g < contract_.groups.size(); ++g) {
    std::size_t width = 1;
    for (const Sequence* sequence : sequences) width = std::max(width, sequence->pages(g).size());
    key.push_back(
        bucket_of(static_cast<std::int64_t>(width), buckets_.width_least, buckets_.width_max[g]));
  }
  return key;
}

Result<std::vector<Tensor>> StepInputs::make_tensors(const Key& key) const {
  const StepSizes sizes{key[0], key[1], key[2], {key.begin() + kSizes, key.end()}};
  std::vector<Tensor> out;
  for (const TensorType& type : step_types(contract_, sizes)) {
    auto tensor = Tensor::allocate(type);
    if (!tensor) return tensor.error();
    out.push_back(tensor.take());
  }
  return out;
}

/// Padding tokens belong to no sequence and write nowhere.
void StepInputs::clear(const Key& key) {
  std::fill_n(data(contract_.tokens), key[0], 0);
  std::fill_n(data(contract_.positions), key[0], 0);
  std::fill_n(data(contract_.sequences), key[0], -1);
  std::fill_n(data(contract_.logit_rows), key[2], 0);
  if (const auto& adapters = contract_.adapters) {
    std::fill_n(data(adapters->input), key[0] * adapters->per_text, 0);
  }
  for (std::size_t g = 0; g < contract_.groups.size(); ++g) {
    const CacheGroup& group = contract_.groups[g];
    std::fill_n(data(group.block_table), key[1] * key[kSizes + g], 0);
    std::fill_n(data(group.positions), key[0], 0);
    if (!group.cross) std::fill_n(data(group.slots), key[0], -1);
  }
}

Status StepInputs::begin(std::int64_t tokens, std::span<const Sequence* const> sequences,
                         std::int64_t rows) {
  const Key key = key_of(tokens, sequences, rows);
  auto at = tensors_.find(key);
  if (at == tensors_.end()) {
    auto tensors = make_tensors(key);
    if (!tensors) return tensors.error();
    at = tensors_.emplace(key, tensors.take()).first;
  }
  current_ = &at->second;
  clear(key);
  sequences_.assign(sequences.begin(), sequences.end());
  tokens_ = rows_ = 0;
  for (std::size_t g = 0; g < contract_.groups.size(); ++g) {
    std::int32_t* row = data(contract_.groups[g].block_table);
    for (const Sequence* sequence : sequences_) {
      const auto pages = sequence->pages(g);
      std::copy(pages.begin(), pages.end(), row);
      row += key[kSizes + g];
    }
  }
  return Status::success();
}

std::int32_t StepInputs::add_token(std::int32_t token, std::int64_t position, std::int32_t row,
                                   std::span<const std::int32_t> adapters) {
  const Sequence& sequence = *sequences_[static_cast<std::size_t>(row)];
  data(contract_.tokens)[tokens_] = token;
  data(contract_.positions)[tokens_] = static_cast<std::int32_t>(position);
  data(contract_.sequences)[tokens_] = row;
  for (std::size_t g = 0; g < contract_.groups.size(); ++g) {
    const CacheGroup& group = contract_.groups[g];
    const PageRow& pages = sequence.row(g);
    const std::int64_t last = group.cross ? pages.length - 1 : position - pages.first;
    data(group.positions)[tokens_] = static_cast<std::int32_t>(last);
    if (!group.cross) data(group.slots)[tokens_] = pool_->slot(sequence, position, g);
  }
  for (std::size_t i = 0; i < adapters.size(); ++i) {
    const std::size_t at = static_cast<std::size_t>(tokens_ * contract_.adapters->per_text) + i;
    data(contract_.adapters->input)[at] = adapters[i] + 1;
  }
  return tokens_++;
}

std::int32_t StepInputs::add_logits(std::int32_t index) {
  data(contract_.logit_rows)[rows_] = index;
  return rows_++;
}

}  // namespace polaris
