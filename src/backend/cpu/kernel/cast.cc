// Cast and CastLike between all plain dtypes.

#include "backend/cpu/convert.h"
#include "backend/cpu/kernel.h"
#include "backend/cpu/rows.h"
#include "base/bytes.h"
#include "tensor/element.h"

namespace polaris::cpu {
namespace {

/// Floats truncate and saturate; integers keep their low bits; bool is `not zero`.
template <class To, class From>
To convert(From v) {
  if constexpr (std::is_integral_v<From>) {
    return from_integer<To>(v);
  } else {
    return from_f64<To>(to_f64(v));
  }
}

template <class From, class To>
KernelResult cast_kernel(std::int64_t n) {
  return KernelResult(make_kernel("cast", [n](const Launch& l) {
    parallel_rows(*l.pool, n, 1, [&](std::int64_t from, std::int64_t to, int) {
      const auto* x = l.in<From>(0);
      auto* y = l.out<To>(0);
      for (std::int64_t i = from; i < to; ++i) y[i] = convert<To>(x[i]);
    });
  }));
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  const DType from = node.inputs[0].type.dtype;
  const DType to = node.outputs[0].type.dtype;
  const std::int64_t n = node.outputs[0].type.shape.elements();
  if (!node.inputs[0].type.encoding.is_plain()) return unsupported(node, "encoded input");
  if (from == to) {
    return KernelResult(make_kernel("cast_copy", [bytes = width_of(to).of(n)](const Launch& l) {
      if (bytes > 0 && l.inputs[0] != l.outputs[0]) {
        move_bytes(l.outputs[0], l.inputs[0], static_cast<std::size_t>(bytes));
      }
    }));
  }
  const Simd* simd = target.simd;
  if (is_short_float(from) && to == DType::kF32) {
    return KernelResult(make_kernel("cast_widen", [simd, from, n](const Launch& l) {
      widen_all(*simd, *l.pool, from, l.inputs[0], n, l.out<float>(0));
    }));
  }
  if (from == DType::kF32 && is_short_float(to)) {
    return KernelResult(make_kernel("cast_narrow", [simd, to, n](const Launch& l) {
      narrow_all(*simd, *l.pool, to, l.in<float>(0), n, l.outputs[0]);
    }));
  }
  return with_dtype(from, [&](auto a) {
    using From = decltype(a);
    return with_dtype(to, [&](auto b) { return cast_kernel<From, decltype(b)>(n); });
  });
}

constexpr std::string_view kOps[] = {"Cast", "CastLike"};

}  // namespace

extern const KernelFamily family_cast;
constinit const KernelFamily family_cast{"cast", kOps, one_kernel<select>};

}  // namespace polaris::cpu
