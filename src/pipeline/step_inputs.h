#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "ir/decoder_contract.h"
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
  std::vector<std::int64_t> width_max;  // by cache group
};

/// Sizes of a step, as its inputs are padded to.
struct StepSizes {
  std::int64_t tokens = 1;
  std::int64_t sequences = 1;
  std::int64_t rows = 1;
  std::vector<std::int64_t> widths;  // of table rows, by cache group
};
/// The inputs' types of such a step.
std::vector<TensorType> step_types(const DecoderContract& contract, const StepSizes& sizes);

/// The inputs of one step of a decoder, as its contract has them, padded to buckets. Tensors are
/// kept per bucket, so that steady decoding allocates none.
class StepInputs {
 public:
  StepInputs(DecoderContract contract, std::shared_ptr<KvPool> pool, StepBuckets buckets);
  /// Empties the step. `tokens` and `rows` are real counts; `sequences` are those of the step, in
  /// the order of their rows.
  Status begin(std::int64_t tokens, std::span<const Sequence* const> sequences, std::int64_t rows);
  /// Adds one token of the sequence of row `row`, which has room for it; returns its index.
  /// `adapters`: the contract's that change it, by index, no more than a text may have.
  std::int32_t add_token(std::int32_t token, std::int64_t position, std::int32_t row,
                         std::span<const std::int32_t> adapters = {});
  /// Asks for the logits after token `index`; returns their row.
  std::int32_t add_logits(std::int32_t index);
  std::span<const Tensor> tensors() const { return *current_; }

 private:
  using Key = std::vector<std::int64_t>;  // tokens, sequences, rows, and each group's width
  Key key_of(std::int64_t tokens, std::span<const Sequence* const> sequences,
             std::int64_t rows) const;
  Result<std::vector<Tensor>> make_tensors(const Key& key) const;
  void clear(const Key& key);
  std::int32_t* data(std::size_t input) { return (*current_)[input].mutable_data<std::int32_t>(); }

  DecoderContract contract_;
  std::shared_ptr<KvPool> pool_;
  StepBuckets buckets_;
  std::map<Key, std::vector<Tensor>> tensors_;
  std::vector<Tensor>* current_ = nullptr;
  std::vector<const Sequence*> sequences_;
  std::int32_t tokens_ = 0;
  std::int32_t rows_ = 0;
};

}  // namespace polaris
