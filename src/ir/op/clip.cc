#include "ir/op_util/elements.h"
#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kNumericTypes), check_same_dtype(c, 0, 1),
                      check_same_dtype(c, 0, 2));
      !s) {
    return s;
  }
  for (int i : {1, 2}) {
    if (!c.has(i)) continue;
    for (std::int64_t dim : c.in(i).shape) {
      if (auto s = check_dims(c, "size of a limit", dim, 1); !s) return s;
    }
  }
  set_output(c, 0, c.in(0).dtype, c.in(0).shape);
  return Status::success();
}

template <class T>
T clamp_to(T x, const T* low, const T* high) {
  if (low != nullptr && x < *low) x = *low;
  if (high != nullptr && x > *high) x = *high;
  return x;
}

/// T is how the elements are read: double, int64 or uint64.
template <class T, class Get, class Put>
void clip_all(RefContext& c, Get get, Put put) {
  T low{};
  T high{};
  if (c.has(1)) low = static_cast<T>(get(c.in(1), 0));
  if (c.has(2)) high = static_cast<T>(get(c.in(2), 0));
  for (std::int64_t i = 0, n = c.in(0).type.shape.elements(); i < n; ++i) {
    put(c.out(0), i,
        clamp_to(static_cast<T>(get(c.in(0), i)), c.has(1) ? &low : nullptr,
                 c.has(2) ? &high : nullptr));
  }
}

Status reference(RefContext& c) {
  const DType dtype = c.in(0).type.dtype;
  const auto put_int = [](RefTensor& t, std::int64_t i, auto v) {
    put_i64(t, i, static_cast<std::int64_t>(v));
  };
  if (is_float(dtype)) {
    clip_all<double>(c, get_f64, put_f64);
  } else if (is_signed_integer(dtype)) {
    clip_all<std::int64_t>(c, get_i64, put_int);
  } else {
    clip_all<std::uint64_t>(c, get_i64, put_int);
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"input"}, {"min", kOptional}, {"max", kOptional}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_clip{
    .name = "Clip",
    .doc = "min(max(x, lower limit), upper limit); NaN stays, and a limit of NaN is none.",
    .since = 13,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kElementwise | kFoldable,
    .infer = infer,
    .reference = reference,
    .inplace = kInPlaceUnary,
};

}  // namespace polaris
