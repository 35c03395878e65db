#pragma once
#include <cstdint>

#include "ir/op_def.h"
#include "ir/op_util/infer.h"

/// What elementwise ops share: ports, infer with NumPy broadcasting, and references made of scalar
/// functions. Floats go through double; integers through int64 or uint64, wrapped to their width.
namespace polaris {

inline constexpr Port kUnaryInputs[] = {{"X"}};
inline constexpr Port kUnaryOutputs[] = {{"Y"}};
inline constexpr Port kBinaryInputs[] = {{"A"}, {"B"}};
inline constexpr Port kBinaryOutputs[] = {{"C"}};
inline constexpr Port kVariadicInputs[] = {{"data_0", kVariadic}};
inline constexpr InPlace kInPlaceUnary[] = {{0, 0}};
inline constexpr InPlace kInPlaceBinary[] = {{0, 0}, {0, 1}};

using ScalarFn = double (*)(const Attrs&, double, double);
using SignedFn = std::int64_t (*)(std::int64_t, std::int64_t);
using UnsignedFn = std::uint64_t (*)(std::uint64_t, std::uint64_t);
/// Comparison and logic: one function per way of reading the elements.
struct PredicateFns {
  bool (*real)(double, double) = nullptr;
  bool (*with_sign)(std::int64_t, std::int64_t) = nullptr;
  bool (*without_sign)(std::uint64_t, std::uint64_t) = nullptr;
};

Status infer_unary_in(InferContext& c, DTypeSet allowed);
/// All inputs have one type of the set; the output has it and the broadcast shape.
Status infer_broadcast_in(InferContext& c, DTypeSet allowed);
/// As infer_broadcast_in with a bool output.
Status infer_predicate_in(InferContext& c, DTypeSet allowed);
/// The broadcast of inputs [0, count). Errors: invalid where sizes clash or the rank is too high.
Result<Shape> broadcast_inputs(const InferContext& c, int count);

/// Null where integers are not allowed; a null SignedFn uses the UnsignedFn's bits.
Status map_unary_with(RefContext& c, ScalarFn real, SignedFn with_sign, UnsignedFn without_sign);
Status map_binary_with(RefContext& c, ScalarFn real, SignedFn with_sign, UnsignedFn without_sign);
/// Folds the inputs from the left; floats are rounded once at the end, divided by
/// `divide_by_count`.
Status fold_variadic_with(RefContext& c, ScalarFn real, SignedFn with_sign, UnsignedFn without_sign,
                          bool divide_by_count);
Status map_predicate_with(RefContext& c, const PredicateFns& fns);

template <DTypeSet kAllowed>
Status infer_unary(InferContext& c) {
  return infer_unary_in(c, kAllowed);
}
template <DTypeSet kAllowed>
Status infer_broadcast(InferContext& c) {
  return infer_broadcast_in(c, kAllowed);
}
template <DTypeSet kAllowed>
Status infer_predicate(InferContext& c) {
  return infer_predicate_in(c, kAllowed);
}
template <ScalarFn kReal, SignedFn kSigned = nullptr, UnsignedFn kUnsigned = nullptr>
Status map_unary(RefContext& c) {
  return map_unary_with(c, kReal, kSigned, kUnsigned);
}
template <ScalarFn kReal, SignedFn kSigned = nullptr, UnsignedFn kUnsigned = nullptr>
Status map_binary(RefContext& c) {
  return map_binary_with(c, kReal, kSigned, kUnsigned);
}
template <ScalarFn kReal, SignedFn kSigned = nullptr, UnsignedFn kUnsigned = nullptr,
          bool kMean = false>
Status fold_variadic(RefContext& c) {
  return fold_variadic_with(c, kReal, kSigned, kUnsigned, kMean);
}
template <const PredicateFns& kFns>
Status map_predicate(RefContext& c) {
  return map_predicate_with(c, kFns);
}

}  // namespace polaris
