#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/result.h"
#include "session/kv_pool.h"
#include "tensor/tensor.h"

namespace polaris {

/// The smallest power of two not below `count` and `least`, or `most` where that is less.
std::int64_t bucket_of(std::int64_t count, std::int64_t least, std::int64_t most);

/// What the sizes of a step are rounded to. Floors of all that may be padded, and the model's
/// bounds.
struct StepBuckets {
  std::int64_t least = 1;               // of tokens, sequences and rows
  std::int64_t width_least = 1;         // of a table row
  std::int64_t tokens_max = INT64_MAX;  // and rows
  std::int64_t sequences_max = INT64_MAX;
  std::int64_t width_max = INT64_MAX;
};

/// The decoder's six int32 inputs of one step, padded to buckets: tokens[T], positions[T],
/// slots[T], sequences[T], block_table[S, P], logit_rows[R]. Tensors are kept per bucket, so that
/// steady decoding allocates none.
class StepInputs {
 public:
  /// Empties the step. `tokens`, `sequences`, `width` (pages a row) and `rows` are real counts.
  Status begin(std::int64_t tokens, std::int64_t sequences, std::int64_t width, std::int64_t rows,
               const StepBuckets& buckets);
  /// Adds a sequence's page table row; returns its index.
  std::int32_t add_sequence(const Sequence& sequence);
  /// Adds one token of sequence `row`; returns its index.
  std::int32_t add_token(std::int32_t token, std::int64_t position, std::int32_t slot,
                         std::int32_t row);
  /// Asks for the logits after token `index`; returns their row.
  std::int32_t add_logits(std::int32_t index);
  std::span<const Tensor> tensors() const { return *current_; }

 private:
  std::int32_t* data(std::size_t input) { return (*current_)[input].mutable_data<std::int32_t>(); }
  using Key = std::array<std::int64_t, 4>;
  std::map<Key, std::vector<Tensor>> buckets_;
  std::vector<Tensor>* current_ = nullptr;
  std::int64_t width_ = 0;
  std::int32_t tokens_ = 0;
  std::int32_t sequences_ = 0;
  std::int32_t rows_ = 0;
};

}  // namespace polaris
