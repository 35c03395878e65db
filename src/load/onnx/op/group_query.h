#pragma once
#include <cstdint>

#include "load/onnx/op/steps.h"

namespace polaris::onnx {

/// What a node of com.microsoft.GroupQueryAttention says of itself.
struct GroupQuery {
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_size = 0;
  float scale = 0.0f;       // 0: 1 / sqrt(head_size)
  float softcap = 0.0f;     // 0: none
  std::int64_t window = 0;  // positions that a token reads up to its own; 0: all
  bool rotary = false;
  bool interleaved = false;
  bool smooth = false;  // a score of 0 of nothing, where there are no sinks
};

/// Inputs by their place.
enum GroupQueryInput : std::size_t {
  kGqaQuery,
  kGqaKey,
  kGqaValue,
  kGqaPastKey,
  kGqaPastValue,
  kGqaLengths,
  kGqaTotal,
  kGqaCosines,
  kGqaSines,
  kGqaPositions,
  kGqaBias,
  kGqaSinks,
};

/// Errors: invalid (numbers that do not fit); unsupported, by name, for what we do not do.
Result<GroupQuery> read_group_query(NodeImport& node);

/// Rows of heads, [batch, tokens, heads * head size] each.
struct QueryHeads {
  ValueId q, k, v;
};
/// Taken out of a packed query where they are, and q and k turned by `positions` [batch, tokens]
/// where the node has it so.
QueryHeads query_heads(Steps& s, NodeImport& node, const GroupQuery& query, ValueId positions);

}  // namespace polaris::onnx
