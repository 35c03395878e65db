#include "ir/op_util/cast.h"

namespace polaris {

Status check_round_mode(const InferContext& c, std::string_view round_mode) {
  if (round_mode == "up" || round_mode == "down" || round_mode == "nearest") {
    return Status::success();
  }
  return c.fail("round_mode, got '" + std::string(round_mode) + "', wanted up, down or nearest");
}

SmallRounding small_rounding(bool saturate, std::string_view round_mode) {
  using Scale = SmallRounding::Scale;
  return {saturate, round_mode == "nearest" ? Scale::kNearest
                    : round_mode == "down"  ? Scale::kDown
                                            : Scale::kUp};
}

void cast_elements(const RefTensor& from, RefTensor& to, SmallRounding rounding) {
  const DType source = from.type.dtype;
  const DType target = to.type.dtype;
  const std::int64_t n = from.type.shape.elements();
  if (source == target) {
    copy_elements(to, 0, from, 0, n);
    return;
  }
  for (std::int64_t i = 0; i < n; ++i) {
    if (is_float(source)) {
      store_f64(target, to.data, i, get_f64(from, i), rounding);
    } else if (source == DType::kU64) {
      store_u64(target, to.data, i, static_cast<std::uint64_t>(get_i64(from, i)), rounding);
    } else {
      store_i64(target, to.data, i, get_i64(from, i), rounding);
    }
  }
}

}  // namespace polaris
