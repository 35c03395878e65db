#include "ir/op_util/scatter.h"

#include "ir/op_util/extremum.h"

namespace polaris {
namespace {

template <class T>
T reduce(T a, T b, std::string_view reduction) {
  if (reduction == "add") return a + b;
  if (reduction == "mul") return a * b;
  if (reduction == "max") return larger(a, b);
  return smaller(a, b);
}

}  // namespace

Status check_reduction(const InferContext& c, std::string_view reduction) {
  if (reduction == "none") return Status::success();
  if (reduction != "add" && reduction != "mul" && reduction != "max" && reduction != "min") {
    return c.fail("reduction, got '" + std::string(reduction) +
                  "', wanted none, add, mul, max or min");
  }
  return check_dtype(c, 0, kNumericTypes);
}

void scatter_element(RefTensor& data, std::int64_t at, const RefTensor& update, std::int64_t from,
                     std::string_view reduction) {
  const DType dtype = data.type.dtype;
  if (reduction == "none") {
    copy_elements(data, at, update, from);
  } else if (is_float(dtype)) {
    put_f64(data, at, reduce(get_f64(data, at), get_f64(update, from), reduction));
  } else if (is_signed_integer(dtype) && (reduction == "max" || reduction == "min")) {
    put_i64(data, at, reduce(get_i64(data, at), get_i64(update, from), reduction));
  } else {
    // Sums and products wrap alike with and without sign.
    const auto a = static_cast<std::uint64_t>(get_i64(data, at));
    const auto b = static_cast<std::uint64_t>(get_i64(update, from));
    put_i64(data, at, static_cast<std::int64_t>(reduce(a, b, reduction)));
  }
}

}  // namespace polaris
