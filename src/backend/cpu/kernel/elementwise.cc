// The elementwise ops of backend/elementwise.inc, in every dtype, with broadcasting.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <vector>

#include "backend/cpu/broadcast.h"
#include "backend/cpu/convert.h"
#include "backend/cpu/elementwise.h"
#include "backend/cpu/kernel.h"
#include "tensor/element.h"

namespace polaris::cpu {
namespace {

constexpr std::int64_t kTile = 512;

using ScalarFn = double (*)(const Attrs&, double, double);

/// One float op on float32 runs.
struct FloatOp {
  const Simd* simd = nullptr;
  Simd::UnaryFn unary = nullptr;
  Simd::BinaryFn binary = nullptr;
  float p = 0;  // the attributes that `unary` takes
  float q = 0;
  ScalarFn scalar = nullptr;
  bool square = false;  // Pow: an exponent of 2 is a multiplication
  std::shared_ptr<const Attrs> attrs;

  void run1(const float* x, float* y, std::int64_t n) const {
    if (unary != nullptr) {
      unary(x, y, n, p, q);
      return;
    }
    for (std::int64_t i = 0; i < n; ++i) {
      y[i] = static_cast<float>(scalar(*attrs, static_cast<double>(x[i]), 0.0));
    }
  }
  void run2(const float* a, int a_step, const float* b, int b_step, float* y,
            std::int64_t n) const {
    if (binary != nullptr) {
      binary(a, a_step, b, b_step, y, n);
      return;
    }
    if (square && b_step == 0 && *b == 2.0f) {
      binary_fn(*simd, kOpMul)(a, a_step, a, a_step, y, n);
      return;
    }
    for (std::int64_t i = 0; i < n; ++i) {
      y[i] = static_cast<float>(
          scalar(*attrs, static_cast<double>(a[i * a_step]), static_cast<double>(b[i * b_step])));
    }
  }
};

/// A run of an input as float32: in place, or widened into `buffer`.
const float* as_f32(const Simd& simd, DType dtype, const std::byte* data, std::int64_t offset,
                    std::int64_t n, float* buffer) {
  if (dtype == DType::kF32) return reinterpret_cast<const float*>(data) + offset;
  widen(simd, dtype, data, offset, n, buffer);
  return buffer;
}

struct FloatNode {
  FloatOp op;
  BroadcastPlan plan;
  DType dtype = DType::kF32;
  float scale = 1;  // Mean: 1 / count
};

/// One tile: folds the inputs from the left in a buffer, so that an output that shares the bytes of
/// an input is written only when every input has been read.
void float_tile(const FloatNode& node, const Launch& l, const std::int64_t* offsets,
                std::int64_t to, std::int64_t n) {
  const Simd& simd = *node.op.simd;
  float first[kTile];
  float second[kTile];
  float result[kTile];
  const std::size_t count = node.plan.strides.size();
  const auto step = [&](std::size_t i) { return static_cast<int>(node.plan.step(i)); };
  const auto open = [&](std::size_t i, float* buffer) {
    return as_f32(simd, node.dtype, l.inputs[i], offsets[i], step(i) != 0 ? n : 1, buffer);
  };
  const bool direct = node.dtype == DType::kF32 && count <= 2;
  float* y = direct ? l.out<float>(0) + to : result;
  const float* a = open(0, first);
  int a_step = step(0);
  if (count == 1) {
    if (a_step == 0 && n > 1) std::fill_n(first, n, *a), a = first;
    node.op.run1(a, y, n);
  }
  for (std::size_t i = 1; i < count; ++i) {
    node.op.run2(a, a_step, open(i, second), step(i), y, n);
    a = y;
    a_step = 1;
  }
  if (node.scale != 1.0f) {
    simd.scale(y, y, n, node.scale);
  }
  if (!direct) narrow(simd, node.dtype, y, n, l.outputs[0], to);
}

KernelResult float_kernel(const CpuTarget& target, const NodeDesc& node, const ElementwiseRow& row,
                          DType dtype) {
  auto kept = std::make_shared<FloatNode>();
  kept->op.simd = target.simd;
  const bool variadic = row.form == ElementForm::kVariadic;
  const bool mean = row.opcode == kOpAddScale;
  const bool copies = variadic && node.inputs.size() == 1;
  const Opcode op = copies ? kOpIdentity : mean ? kOpAdd : opcode_of(row, node);
  kept->op.unary = unary_fn(*target.simd, op);
  kept->op.binary = binary_fn(*target.simd, op);
  kept->op.p = number_of(node, 0);
  kept->op.q = number_of(node, 1);
  kept->op.scalar = node.op->scalar;
  kept->op.attrs = node.attrs != nullptr ? node.attrs->clone() : std::make_unique<NoAttrs>();
  kept->op.square = row.opcode == kOpPow;
  if (kept->op.unary == nullptr && kept->op.binary == nullptr && kept->op.scalar == nullptr) {
    return unsupported(node, "no float function");
  }
  kept->plan = plan_broadcast(node.outputs[0].type.shape, node.inputs);
  kept->dtype = dtype;
  if (mean) kept->scale = 1.0f / static_cast<float>(node.inputs.size());
  return KernelResult(
      make_kernel("elementwise_" + std::string(dtype_name(dtype)), [kept](const Launch& l) {
        for_each_run(*l.pool, kept->plan,
                     [&](const std::int64_t* offsets, std::int64_t to, std::int64_t n, int) {
                       std::int64_t at[kBroadcastInputsMax];
                       for (std::int64_t i = 0; i < n; i += kTile) {
                         for (std::size_t k = 0; k < kept->plan.strides.size(); ++k) {
                           at[k] = offsets[k] + i * kept->plan.step(k);
                         }
                         float_tile(*kept, l, at, to + i, std::min(kTile, n - i));
                       }
                     });
      }));
}

/// float64 by the op's scalar definition.
KernelResult double_kernel(const NodeDesc& node) {
  if (node.op->scalar == nullptr) return unsupported(node, "no float64 function");
  auto plan = std::make_shared<const BroadcastPlan>(
      plan_broadcast(node.outputs[0].type.shape, node.inputs));
  std::shared_ptr<const Attrs> attrs =
      node.attrs != nullptr ? node.attrs->clone() : std::make_unique<NoAttrs>();
  const double divisor = node.op->name == "Mean" ? static_cast<double>(node.inputs.size()) : 1.0;
  const bool folds = find_elementwise(node.op->name)->form == ElementForm::kVariadic;
  return KernelResult(make_kernel(
      "elementwise_float64", [plan, attrs, divisor, folds, fn = node.op->scalar](const Launch& l) {
        for_each_run(*l.pool, *plan,
                     [&](const std::int64_t* offsets, std::int64_t to, std::int64_t n, int) {
                       const std::size_t count = plan->strides.size();
                       for (std::int64_t i = 0; i < n; ++i) {
                         const auto get = [&](std::size_t k) {
                           return l.in<double>(static_cast<int>(k))[offsets[k] + i * plan->step(k)];
                         };
                         double v = get(0);
                         if (count == 1 && !folds) v = fn(*attrs, v, 0.0);
                         for (std::size_t k = 1; k < count; ++k) v = fn(*attrs, v, get(k));
                         l.out<double>(0)[to + i] = v / divisor;
                       }
                     });
      }));
}

/// Integers, bool and comparisons: a loop over typed runs.
KernelResult loop_kernel(const NodeDesc& node, BinaryLoop loop, ElementWidth in, ElementWidth out,
                         std::string name) {
  auto plan = std::make_shared<const BroadcastPlan>(
      plan_broadcast(node.outputs[0].type.shape, node.inputs));
  const std::size_t count = node.inputs.size();
  return KernelResult(make_kernel(std::move(name), [plan, loop, in, out, count](const Launch& l) {
    for_each_run(*l.pool, *plan,
                 [&](const std::int64_t* offsets, std::int64_t to, std::int64_t n, int) {
                   const std::byte* a = l.inputs[0] + in.of(offsets[0]);
                   std::byte* y = l.outputs[0] + out.of(to);
                   if (count == 2) {
                     loop(a, plan->step(0), l.inputs[1] + in.of(offsets[1]), plan->step(1), y, n);
                     return;
                   }
                   if (count == 1) {
                     loop(a, plan->step(0), a, plan->step(0), y, n);
                     return;
                   }
                   // Folds in a buffer: the output may share the bytes of any input.
                   alignas(8) std::byte buffer[kTile * 8];
                   for (std::int64_t i = 0; i < n; i += kTile) {
                     const std::int64_t m = std::min(kTile, n - i);
                     const std::byte* left = a + in.of(i * plan->step(0));
                     std::int64_t step = plan->step(0);
                     for (std::size_t k = 1; k < count; ++k) {
                       const std::byte* right = l.inputs[k] + in.of(offsets[k] + i * plan->step(k));
                       loop(left, step, right, plan->step(k), buffer, m);
                       left = buffer;
                       step = 1;
                     }
                     std::copy_n(buffer, out.of(m), y + out.of(i));
                   }
                 });
  }));
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  const ElementwiseRow* row = find_elementwise(node.op->name);
  if (row == nullptr) return unsupported(node, "no row of the table");
  if (node.inputs.empty() || node.inputs.size() > kBroadcastInputsMax) {
    return unsupported(node, "number of inputs");
  }
  const DType dtype = node.inputs[0].type.dtype;
  for (const OperandDesc& in : node.inputs) {
    if (!in.present || in.type.dtype != dtype || !in.type.encoding.is_plain()) {
      return unsupported(node, "inputs are not of one plain type");
    }
  }
  if (row->opcode >= kOpEqual && row->opcode <= kOpLessOrEqual) {
    const BinaryLoop loop = compare_loop(row->opcode, dtype);
    if (loop == nullptr) return unsupported(node, "comparison of this type");
    return loop_kernel(node, loop, width_of(dtype), ElementWidth(1),
                       "compare_" + std::string(dtype_name(dtype)));
  }
  if (node.outputs[0].type.dtype != dtype) return unsupported(node, "output type");
  if (is_short_float(dtype)) return float_kernel(target, node, *row, dtype);
  if (dtype == DType::kF64) return double_kernel(node);
  const BinaryLoop loop = integer_loop(opcode_of(*row, node), dtype);
  if (loop == nullptr) return unsupported(node, "integers of this type");
  return loop_kernel(node, loop, width_of(dtype), width_of(dtype),
                     "elementwise_" + std::string(dtype_name(dtype)));
}

constexpr bool is_ours(const ElementwiseRow& row) { return row.cpu != CpuForm::kElsewhere; }
constexpr auto kOps = [] {
  constexpr auto kCount = std::ranges::count_if(kElementwiseRows, is_ours);
  std::array<std::string_view, static_cast<std::size_t>(kCount)> names{};
  std::size_t at = 0;
  for (const ElementwiseRow& row : kElementwiseRows) {
    if (is_ours(row)) names[at++] = row.op;
  }
  return names;
}();

}  // namespace

extern const KernelFamily family_elementwise;
constinit const KernelFamily family_elementwise{"elementwise", kOps, one_kernel<select>};

}  // namespace polaris::cpu
