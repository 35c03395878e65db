#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "ir/op_def.h"
#include "ir/op_util/infer.h"

/// What the operators of ai.onnx.ml share.
namespace polaris {

inline constexpr std::string_view kMlDomain = "ai.onnx.ml";
inline constexpr DTypeSet kMlTypes = dtype_set(DType::kF32, DType::kF64, DType::kI64, DType::kI32);

/// The features of [N, F] or [F].
inline std::int64_t feature_dim(const Shape& shape) { return shape.back(); }
/// N of [N, F]; [F] is one row.
inline std::int64_t row_dim(const Shape& shape) { return shape.rank() == 2 ? shape[0] : 1; }

/// An attribute list of `size` values that speak of the features of input 0: one for all, or one
/// for each of [N, F] or [F].
Status check_per_feature(const InferContext& c, std::string_view what, std::size_t size);
/// The list's value for element i of a tensor whose rows have `features`.
template <class T>
T feature_value(const std::vector<T>& list, std::int64_t i, std::int64_t features) {
  return list.size() == 1 ? list[0] : list[static_cast<std::size_t>(i % features)];
}

/// `size` of an attribute list that stands beside another of `wanted` values.
Status check_count(const InferContext& c, std::string_view what, std::size_t size,
                   std::size_t wanted);
/// Of attributes that say the same in different types one alone is there; `names` is "keys_*".
Status check_one_given(const InferContext& c, std::string_view names, int given);

/// Strings of `shape`. Errors: exhausted, where they take more than the context allows.
Result<Tensor> make_strings(const HostContext& c, const Shape& shape,
                            const std::vector<std::string_view>& strings);
/// Zeros of output i's type, with the same limit.
Result<Tensor> allocate_output(const HostContext& c, std::size_t i);

}  // namespace polaris
