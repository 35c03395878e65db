#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "pipeline/language_model.h"
#include "pipeline/step_inputs.h"
#include "pipeline/step_logits.h"
#include "session/run_order.h"
#include "session/session.h"

namespace polaris {

struct MicroBatchOptions {
  std::int64_t count_max = 0;    // of a step; 0: twice the devices that have layers
  std::int64_t tokens_min = 64;  // of one of them
};

/// Runs steps of a decoder whose layers stand on several devices. A step with enough tokens is cut
/// into micro-batches of consecutive tokens, of several texts or of one prompt, which are in flight
/// together: while one is at the second device, the next is at the first. Each device takes them in
/// order, so that a token finds the keys and values of those before it. Where there is no memory
/// for a step, its parts run one after the other, in less. Not thread-safe.
class MicroBatches {
 public:
  MicroBatches(const LanguageModel& model, StepBuckets buckets, const MicroBatchOptions& options);
  /// Runs the whole step, whose inputs these are. Padding comes last. Of a step that is cut the
  /// logits come whole.
  Status run(Session& session, std::span<const Tensor> inputs, StepLogits& logits,
             const RunOptions& options);
  /// Of the steps so far, the micro-batches of those that were cut.
  std::int64_t cut() const { return cut_; }

 private:
  struct Part {
    std::int64_t begin = 0;  // tokens of the step
    std::int64_t end = 0;
    std::vector<std::int64_t> rows;  // of the step's logits
  };
  std::vector<Part> parts_of(std::span<const Tensor> inputs, std::int64_t tokens,
                             std::int64_t count) const;
  Result<std::vector<Tensor>> inputs_of(std::span<const Tensor> inputs, const Part& part) const;
  /// `together`: all in flight, else one after the other.
  Status run_parts(Session& session, std::span<const Tensor> inputs, std::span<const Part> parts,
                   bool together, StepLogits& logits, const RunOptions& options);
  Result<Tensor> gather(std::span<const Part> parts,
                        std::span<const std::vector<Tensor>> results) const;

  DecoderContract contract_;
  StepBuckets buckets_;
  std::int64_t count_max_ = 1;
  std::int64_t tokens_min_ = 1;
  std::size_t devices_ = 1;
  std::int64_t cut_ = 0;
};

}  // namespace polaris
