// polaris.Chain: a fused chain of elementwise steps in float32, tile by tile.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "backend/cpu/broadcast.h"
#include "backend/cpu/convert.h"
#include "backend/cpu/elementwise.h"
#include "backend/cpu/kernel.h"
#include "ir/builtin_op.h"
#include "ir/op_attrs/chain.h"

namespace polaris::cpu {
namespace {

constexpr std::int64_t kTile = 512;
constexpr int kArgs = 3;
constexpr std::size_t kStepsMax = 64;

struct Step {
  Simd::UnaryFn unary = nullptr;
  Simd::BinaryFn binary = nullptr;
  double (*scalar)(const Attrs&, double, double) = nullptr;
  std::size_t a = 0;
  std::size_t b = 0;  // a where there is one operand
  bool two = false;
};

struct Chain {
  const Simd* simd = nullptr;
  BroadcastPlan plan;
  std::vector<Step> steps;
  DType dtype = DType::kF32;

  bool widens() const { return dtype != DType::kF32; }
  /// Floats of scratch a worker: a tile a step, and a tile an input that is widened.
  std::int64_t scratch() const {
    return static_cast<std::int64_t>(steps.size() + (widens() ? plan.strides.size() : 0)) * kTile;
  }
};

/// A value inside a tile: an input's run or a step's result; step 0 means one element for all.
struct Slot {
  const float* data = nullptr;
  int step = 0;
};

void run_step(const Step& s, const Slot& a, const Slot& b, float* y, std::int64_t n) {
  if (s.binary != nullptr) {
    s.binary(a.data, a.step, b.data, b.step, y, n);
  } else if (s.unary != nullptr) {
    s.unary(a.data, y, n, 0.0f, 0.0f);
  } else {
    const NoAttrs none;
    for (std::int64_t i = 0; i < n; ++i) {
      const auto u = static_cast<double>(a.data[i * a.step]);
      const auto v = s.two ? static_cast<double>(b.data[i * b.step]) : 0.0;
      y[i] = static_cast<float>(s.scalar(none, u, v));
    }
  }
}

void run_tile(const Chain& c, Slot* slots, std::size_t inputs, float* scratch, float* out,
              std::int64_t n) {
  for (std::size_t s = 0; s < c.steps.size(); ++s) {
    const Step& step = c.steps[s];
    const bool last = s + 1 == c.steps.size();
    const Slot a = slots[step.a];
    const Slot b = slots[step.b];
    const int moves = a.step | (step.two ? b.step : 0);
    // The last result is written when every input of the tile has been read.
    float* y = last ? out : scratch + static_cast<std::int64_t>(s) * kTile;
    run_step(step, a, b, y, moves != 0 ? n : 1);
    if (last && moves == 0) std::fill_n(y, n, *y);
    slots[inputs + s] = {y, moves};
  }
}

/// The run of input k from element `from` on.
Slot open_input(const Chain& c, const Launch& l, std::size_t k, std::int64_t from, std::int64_t n,
                float* buffer) {
  const int step = static_cast<int>(c.plan.step(k));
  if (!c.widens()) return {l.in<float>(static_cast<int>(k)) + from, step};
  widen(*c.simd, c.dtype, l.inputs[k], from, step != 0 ? n : 1, buffer);
  return {buffer, step};
}

void run(const Chain& c, const Launch& l) {
  const std::size_t inputs = c.plan.strides.size();
  const std::int64_t per_worker = c.scratch();
  for_each_run(*l.pool, c.plan,
               [&](const std::int64_t* offsets, std::int64_t to, std::int64_t n, int worker) {
                 Slot slots[kBroadcastInputsMax + kStepsMax];
                 float* scratch = reinterpret_cast<float*>(l.workspace) + worker * per_worker;
                 for (std::int64_t i = 0; i < n; i += kTile) {
                   const std::int64_t m = std::min(kTile, n - i);
                   float* wide = scratch + static_cast<std::int64_t>(c.steps.size()) * kTile;
                   for (std::size_t k = 0; k < inputs; ++k, wide += kTile) {
                     slots[k] = open_input(c, l, k, offsets[k] + i * c.plan.step(k), m, wide);
                   }
                   float result[kTile];
                   float* y = c.widens() ? result : l.out<float>(0) + to + i;
                   run_tile(c, slots, inputs, scratch, y, m);
                   if (c.widens()) narrow(*c.simd, c.dtype, y, m, l.outputs[0], to + i);
                 }
               });
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  const auto& attrs = node.attributes<ChainAttrs>();
  if (node.inputs.size() > kBroadcastInputsMax || attrs.ops.size() > kStepsMax ||
      attrs.ops.empty()) {
    return unsupported(node, "too many inputs or steps");
  }
  auto chain = std::make_shared<Chain>();
  chain->simd = target.simd;
  chain->dtype = node.outputs[0].type.dtype;
  chain->plan = plan_broadcast(node.outputs[0].type.shape, node.inputs);
  for (std::size_t s = 0; s < attrs.ops.size(); ++s) {
    const std::int64_t a = attrs.args[s * kArgs];
    const std::int64_t b = attrs.args[s * kArgs + 1];
    const auto known = static_cast<std::int64_t>(node.inputs.size() + s);
    const OpDef* op = find_builtin_op(attrs.ops[s]);
    const ElementwiseRow* row = find_elementwise(attrs.ops[s]);
    if (op == nullptr || op->scalar == nullptr || a < 0 || a >= known || b >= known) {
      return unsupported(node, "a step that is no elementwise op of values before it");
    }
    Step step;
    step.scalar = op->scalar;
    step.two = b >= 0;
    step.a = static_cast<std::size_t>(a);
    step.b = static_cast<std::size_t>(step.two ? b : a);
    if (row != nullptr && !step.two) step.unary = unary_fn(*target.simd, row->opcode);
    if (row != nullptr && step.two) step.binary = binary_fn(*target.simd, row->opcode);
    chain->steps.push_back(step);
  }
  auto kernel = make_kernel("chain_" + std::string(dtype_name(chain->dtype)),
                            [chain](const Launch& l) { run(*chain, l); });
  kernel->set_workspace(target.threads * chain->scratch() * 4);
  return KernelResult(std::move(kernel));
}

constexpr std::string_view kOps[] = {"polaris.Chain"};

}  // namespace

extern const KernelFamily family_chain;
constinit const KernelFamily family_chain{"chain", kOps, one_kernel<select>};

}  // namespace polaris::cpu
