#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ir/op_def.h"
#include "ir/op_util/infer.h"

/// What the Reduce ops share, and their iteration, which kernels use too.
namespace polaris {

inline constexpr Port kReduceInputs[] = {{"data"}, {"axes", kOptional | kHostRead}};
inline constexpr Port kReduceOutputs[] = {{"reduced"}};

/// A reduction of a static shape: for each index of `kept`, the elements at the offsets that
/// `reduced` walks; strides are in elements of the input.
struct ReduceGeometry {
  Shape kept;
  Shape kept_strides;
  Shape reduced;
  Shape reduced_strides;
  std::int64_t count = 1;  // elements reduced to one
};
/// `axes` in [-rank, rank); nothing where one is out of range. No axes: all, or none if `noop`.
std::optional<ReduceGeometry> reduce_geometry(const Shape& shape,
                                              std::span<const std::int64_t> axes, bool noop);

/// Real reductions fold step over doubles from init, then finish with the count. Integers fold
/// int_step (which sees whether the type is signed) from int_init(dtype); without it they go
/// through the real functions and truncate.
struct ReduceFns {
  double init = 0;
  double (*step)(double sum, double x) = nullptr;
  double (*finish)(double sum, std::int64_t count) = nullptr;  // null: the sum itself
  std::int64_t (*int_init)(DType) = nullptr;
  std::int64_t (*int_step)(bool with_sign, std::int64_t sum, std::int64_t x) = nullptr;
};

Status infer_reduce_in(InferContext& c, DTypeSet allowed);
Status reduce_with(RefContext& c, const ReduceFns& fns);
/// One per input element.
std::int64_t reduce_flops(const NodeTypes& n);

template <DTypeSet kAllowed>
Status infer_reduce(InferContext& c) {
  return infer_reduce_in(c, kAllowed);
}
template <const ReduceFns& kFns>
Status reduce(RefContext& c) {
  return reduce_with(c, kFns);
}

}  // namespace polaris
