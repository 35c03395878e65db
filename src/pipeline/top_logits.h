#pragma once
#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "ir/model.h"
#include "ir/op_set.h"

namespace polaris {

/// Likeliest tokens that a device hands back of each row of logits, in place of the whole row:
/// enough for the top-k that is asked for most.
inline constexpr std::int64_t kTopLogits = 128;

/// Outputs of a decoder that tell the likeliest tokens of each row of logits, as TopK does: largest
/// first, of equals the lowest id, NaN before all.
struct TopOutput {
  std::size_t logits = 0;  // output float32[rows, count]
  std::size_t ids = 0;     // output int64[rows, count]
  std::int64_t count = 0;  // 1 to the vocabulary
};

/// Has the model's decoder give the `count` likeliest tokens of each row beside the logits, by a
/// TopK at its end; no more than its vocabulary has. Errors: as check_decoder and infer_node.
Result<TopOutput> add_top_logits(Model& model, const OpSet& ops, std::int64_t count);

}  // namespace polaris
