#include <cmath>

#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

constexpr DTypeSet kTypes =
    dtype_set(DType::kF32, DType::kF64, DType::kI16, DType::kI32, DType::kI64);

/// Number of steps from start to limit; unknown where it does not fit an int64.
std::int64_t count_real(double start, double limit, double delta) {
  const double n = std::ceil((limit - start) / delta);
  if (std::isnan(n) || n > 1e18) return kUnknownDim;
  return n > 0 ? static_cast<std::int64_t>(n) : 0;
}

std::int64_t count_int(std::int64_t start, std::int64_t limit, std::int64_t delta) {
  if (delta > 0 ? limit <= start : limit >= start) return 0;
  // In uint64 the distance always fits.
  const auto s = static_cast<std::uint64_t>(start);
  const auto l = static_cast<std::uint64_t>(limit);
  const std::uint64_t distance = delta > 0 ? l - s : s - l;
  const auto d = static_cast<std::uint64_t>(delta);
  const std::uint64_t n = (distance - 1) / (delta > 0 ? d : 0 - d) + 1;
  return n > static_cast<std::uint64_t>(INT64_MAX) ? kUnknownDim : static_cast<std::int64_t>(n);
}

/// The steps from 0 by 1 to a dim are as many as the dim is large.
std::int64_t count_to_dim(const InferContext& c) {
  const auto start = c.known_ints(0);
  const auto limit = c.known_ints(1);
  const auto delta = c.known_ints(2);
  if (!start || !limit || !delta || start->front().dim() != 0 || delta->front().dim() != 1) {
    return kUnknownDim;
  }
  return limit->front().dim();
}

Status infer(InferContext& c) {
  if (auto s =
          all_of(check_dtype(c, 0, kTypes), check_same_dtype(c, 0, 1), check_same_dtype(c, 0, 2));
      !s) {
    return s;
  }
  std::int64_t count = kUnknownDim;
  bool known = true;
  for (int i = 0; i < 3; ++i) {
    for (std::int64_t dim : c.in(i).shape) {
      if (auto s = check_dims(c, "size of an input", dim, 1); !s) return s;
    }
    known = known && c.value(i) != nullptr;
  }
  if (known) {
    if (element_as_f64(*c.value(2), 0) == 0) return c.fail("delta, got 0");
    if (is_float(c.in(0).dtype)) {
      count = count_real(element_as_f64(*c.value(0), 0), element_as_f64(*c.value(1), 0),
                         element_as_f64(*c.value(2), 0));
    } else {
      count = count_int(element_as_i64(*c.value(0), 0), element_as_i64(*c.value(1), 0),
                        element_as_i64(*c.value(2), 0));
    }
    if (count == kUnknownDim) return c.fail("the number of steps is not a size");
  } else {
    count = count_to_dim(c);
  }
  set_output(c, 0, c.in(0).dtype, Shape{count});
  return Status::success();
}

Status reference(RefContext& c) {
  const bool real = is_float(c.in(0).type.dtype);
  for (std::int64_t i = 0, n = c.out(0).type.shape.elements(); i < n; ++i) {
    if (real) {
      put_f64(c.out(0), i, get_f64(c.in(0), 0) + static_cast<double>(i) * get_f64(c.in(2), 0));
    } else {
      put_i64(c.out(0), i, get_i64(c.in(0), 0) + i * get_i64(c.in(2), 0));
    }
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"start", kHostRead}, {"limit", kHostRead}, {"delta", kHostRead}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_range{
    .name = "Range",
    .doc = "start, start + delta ... below limit (above it for a negative delta).",
    .since = 11,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
