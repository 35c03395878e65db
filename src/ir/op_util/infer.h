#pragma once
#include <cstdint>
#include <string>
#include <utility>

#include "ir/op_def.h"

/// What the `infer` functions of the ops share: type sets, checks with errors in the house form.
namespace polaris {

using DTypeSet = std::uint32_t;
constexpr DTypeSet dtype_bit(DType dtype) { return 1u << static_cast<int>(dtype); }
template <class... T>
constexpr DTypeSet dtype_set(T... dtypes) {
  return (dtype_bit(dtypes) | ...);
}
inline constexpr DTypeSet kFloatTypes =
    dtype_set(DType::kF32, DType::kF16, DType::kBF16, DType::kF64);
inline constexpr DTypeSet kSignedTypes =
    dtype_set(DType::kI8, DType::kI16, DType::kI32, DType::kI64);
inline constexpr DTypeSet kUnsignedTypes =
    dtype_set(DType::kU8, DType::kU16, DType::kU32, DType::kU64);
inline constexpr DTypeSet kIntegerTypes = kSignedTypes | kUnsignedTypes;
inline constexpr DTypeSet kNumericTypes = kFloatTypes | kIntegerTypes;
inline constexpr DTypeSet kSignedNumericTypes = kFloatTypes | kSignedTypes;
inline constexpr DTypeSet kBoolTypes = dtype_set(DType::kBool);
/// All that ops compute with.
inline constexpr DTypeSet kAllTypes = kNumericTypes | kBoolTypes;
inline constexpr DTypeSet kSmallIntegerTypes =
    dtype_set(DType::kI4, DType::kU4, DType::kI2, DType::kU2);
/// Floats that quantize; float8_e8m0fnu is a scale and none of them.
inline constexpr DTypeSet kSmallFloatTypes = dtype_set(
    DType::kF8E4M3FN, DType::kF8E4M3FNUZ, DType::kF8E5M2, DType::kF8E5M2FNUZ, DType::kF4E2M1);
inline constexpr DTypeSet kSmallTypes =
    kSmallIntegerTypes | kSmallFloatTypes | dtype_set(DType::kF8E8M0);
inline constexpr DTypeSet kStringTypes = dtype_set(DType::kString);
inline constexpr DTypeSet kIndexTypes = dtype_set(DType::kI32, DType::kI64);
inline constexpr bool contains(DTypeSet set, DType dtype) { return (set & dtype_bit(dtype)) != 0; }

/// Input i (absent: fine) has a type of the set.
Status check_dtype(const InferContext& c, int i, DTypeSet allowed);
/// Inputs i and j (absent: fine) have one type.
Status check_same_dtype(const InferContext& c, int i, int j);
/// Input i (absent: fine) has a rank in [low, high].
Status check_rank(const InferContext& c, int i, int low, int high = kMaxRank);
/// Two dims are equal as far as they are known; `what` names them in the error.
Status check_dims(const InferContext& c, std::string_view what, std::int64_t got,
                  std::int64_t wanted);
/// `axis` counted from the front. Errors: invalid, out of [-rank, rank).
Result<int> check_axis(const InferContext& c, std::int64_t axis, int rank);
/// A dim for messages: "3", "s0" or "?".
std::string dim_text(std::int64_t dim);

/// Dims that may be read as sizes: a * b, a + b; unknown where one is not a size, unless the other
/// leaves it as it is (times 1, plus 0).
std::int64_t dim_mul(std::int64_t a, std::int64_t b);
std::int64_t dim_add(std::int64_t a, std::int64_t b);

/// Sets output i (if the node has it) to a plain type, or to any.
void set_output(InferContext& c, int i, DType dtype, const Shape& shape);
void set_output(InferContext& c, int i, const TensorType& type);

/// The first failing status of a list of checks; Status::success() where none fails.
template <class... S>
Status all_of(S&&... statuses) {
  Status out;
  (void)((statuses.ok() ? true : (out = std::forward<S>(statuses), false)) && ...);
  return out;
}

}  // namespace polaris
