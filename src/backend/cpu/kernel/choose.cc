// Where, Clip, IsNaN and IsInf.
#include <cmath>
#include <limits>
#include <memory>

#include "backend/cpu/broadcast.h"
#include "backend/cpu/convert.h"
#include "backend/cpu/kernel.h"
#include "backend/cpu/rows.h"
#include "ir/op_attrs/elementwise.h"
#include "tensor/element.h"

namespace polaris::cpu {
namespace {

template <class T>
void where_run(const std::uint8_t* c, std::int64_t c_step, const std::byte* a, std::int64_t a_step,
               const std::byte* b, std::int64_t b_step, std::byte* y, std::int64_t n) {
  const auto* pa = reinterpret_cast<const T*>(a);
  const auto* pb = reinterpret_cast<const T*>(b);
  auto* py = reinterpret_cast<T*>(y);
  for (std::int64_t i = 0; i < n; ++i) {
    py[i] = c[i * c_step] != 0 ? pa[i * a_step] : pb[i * b_step];
  }
}

KernelResult select_where(const NodeDesc& node) {
  const ElementWidth width = width_of(node.outputs[0].type.dtype);
  const std::int64_t bytes = width.raw();
  auto plan = std::make_shared<const BroadcastPlan>(
      plan_broadcast(node.outputs[0].type.shape, node.inputs));
  const auto run = bytes == 1   ? where_run<std::uint8_t>
                   : bytes == 2 ? where_run<std::uint16_t>
                   : bytes == 4 ? where_run<std::uint32_t>
                                : where_run<std::uint64_t>;
  return KernelResult(make_kernel("where", [plan, width, run](const Launch& l) {
    for_each_run(*l.pool, *plan, [&](const std::int64_t* at, std::int64_t to, std::int64_t n, int) {
      run(l.in<std::uint8_t>(0) + at[0], plan->step(0), l.inputs[1] + width.of(at[1]),
          plan->step(1), l.inputs[2] + width.of(at[2]), plan->step(2), l.outputs[0] + width.of(to),
          n);
    });
  }));
}

template <class T>
KernelResult clip_integers(std::int64_t n) {
  return KernelResult(make_kernel("clip_integer", [n](const Launch& l) {
    const T low = l.inputs[1] != nullptr ? *l.in<T>(1) : std::numeric_limits<T>::min();
    const T high = l.inputs[2] != nullptr ? *l.in<T>(2) : std::numeric_limits<T>::max();
    parallel_rows(*l.pool, n, 1, [&](std::int64_t from, std::int64_t to, int) {
      for (std::int64_t i = from; i < to; ++i) {
        const T x = l.in<T>(0)[i];
        const T raised = x < low ? low : x;
        l.out<T>(0)[i] = high < raised ? high : raised;
      }
    });
  }));
}

KernelResult select_clip(const CpuTarget& target, const NodeDesc& node) {
  const TensorType& type = node.inputs[0].type;
  const std::int64_t n = type.shape.elements();
  switch (type.dtype) {
    case DType::kI8: return clip_integers<std::int8_t>(n);
    case DType::kU8: return clip_integers<std::uint8_t>(n);
    case DType::kI16: return clip_integers<std::int16_t>(n);
    case DType::kU16: return clip_integers<std::uint16_t>(n);
    case DType::kI32: return clip_integers<std::int32_t>(n);
    case DType::kU32: return clip_integers<std::uint32_t>(n);
    case DType::kI64: return clip_integers<std::int64_t>(n);
    case DType::kU64: return clip_integers<std::uint64_t>(n);
    case DType::kF32: break;
    default: return unsupported(node, "this type");
  }
  return KernelResult(make_kernel("clip_f32", [n, simd = target.simd](const Launch& l) {
    const float low = l.inputs[1] != nullptr ? *l.in<float>(1) : -INFINITY;
    const float high = l.inputs[2] != nullptr ? *l.in<float>(2) : INFINITY;
    parallel_rows(*l.pool, n, 1, [&](std::int64_t from, std::int64_t to, int) {
      simd->clamp(l.in<float>(0) + from, l.out<float>(0) + from, to - from, low, high);
    });
  }));
}

KernelResult select_test(const NodeDesc& node) {
  const TensorType& type = node.inputs[0].type;
  bool negative = false;
  bool positive = false;
  const bool nan = node.op->name == "IsNaN";
  if (!nan) {
    const auto& attrs = node.attributes<IsInfAttrs>();
    negative = attrs.detect_negative;
    positive = attrs.detect_positive;
  }
  if (!is_float(type.dtype)) return unsupported(node, "this type");
  return with_dtype(type.dtype, [&](auto tag) {
    using T = decltype(tag);
    return KernelResult(
        make_kernel(nan ? "is_nan" : "is_inf", [=, n = type.shape.elements()](const Launch& l) {
          parallel_rows(*l.pool, n, 1, [&](std::int64_t from, std::int64_t to, int) {
            for (std::int64_t i = from; i < to; ++i) {
              const double x = to_f64(l.in<T>(0)[i]);
              const bool hit = nan ? std::isnan(x) : std::isinf(x) && (x > 0 ? positive : negative);
              l.out<std::uint8_t>(0)[i] = hit ? 1 : 0;
            }
          });
        }));
  });
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  if (node.op->name == "Where") return select_where(node);
  if (node.op->name == "Clip") return select_clip(target, node);
  return select_test(node);
}

constexpr std::string_view kOps[] = {"Where", "Clip", "IsNaN", "IsInf"};

}  // namespace

extern const KernelFamily family_choose;
constinit const KernelFamily family_choose{"choose", kOps, one_kernel<select>};

}  // namespace polaris::cpu
