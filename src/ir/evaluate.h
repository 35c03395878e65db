#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ir/constant.h"
#include "ir/node_view.h"
#include "ir/op_def.h"

namespace polaris {

/// Bytes that one evaluated output may take unless the caller says otherwise.
inline constexpr std::int64_t kEvaluateBytesMax = std::int64_t{1} << 30;

/// Runs the op's infer and returns the context that it filled, which points into the view. Errors:
/// infer's own.
Result<InferContext> infer_types(const NodeView& view);
Result<InferContext> infer_types(NodeView&& view) = delete;

/// Runs a node on host values by op.reference, or op.host where strings, sequences or optionals are
/// among them: types from infer, outputs allocated, required
/// aliases filled from their inputs, data-dependent outputs cut to their actual shape. A null input
/// is absent. Inputs of kTypeOnly ops may have a type and no bytes.
/// Errors: unsupported (no reference: control flow), invalid (infer, reference, an output whose
/// shape is not known), out_of_memory (an output above `bytes_max`).
Result<std::vector<Tensor>> evaluate_node(const OpDef& op, const Attrs& attrs,
                                          std::string_view node_name,
                                          std::span<const Constant* const> inputs, int output_count,
                                          std::int64_t bytes_max = kEvaluateBytesMax);
/// The same on plain tensors.
Result<std::vector<Tensor>> evaluate_node(const OpDef& op, const Attrs& attrs,
                                          std::string_view node_name,
                                          std::span<const Tensor* const> inputs, int output_count,
                                          std::int64_t bytes_max = kEvaluateBytesMax);

}  // namespace polaris
