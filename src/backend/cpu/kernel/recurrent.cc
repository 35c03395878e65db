// LSTM and GRU of float32 with their usual functions, over whole sequences.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "backend/cpu/kernel.h"
#include "backend/cpu/rows.h"
#include "backend/cpu/simd/simd.h"
#include "backend/elementwise.h"
#include "base/checked.h"
#include "ir/op_attrs/recurrent.h"

namespace polaris::cpu {
namespace {

enum Operand : int { kX, kW, kR, kB, kLengths, kH0, kC0, kPeepholes };

constexpr std::int64_t kRowsTogether = 64;
constexpr std::int64_t kTaskWork = 65536;  // products that are worth handing out
constexpr std::int64_t kWorkspaceMax = std::int64_t{1} << 28;

struct Recurrent {
  const Simd* simd = nullptr;
  bool lstm = false;
  bool linear_before_reset = false;  // GRU's
  std::int64_t steps = 0;
  std::int64_t batch = 0;
  std::int64_t inputs = 0;
  std::int64_t hidden = 0;
  std::int64_t directions = 1;
  bool first_reversed = false;

  std::int64_t gates() const { return lstm ? 4 : 3; }
  std::int64_t rows() const { return gates() * hidden; }
  bool reversed(std::int64_t direction) const { return direction == 1 || first_reversed; }
  // The workspace, in floats: what inputs give to the gates, what states give, both states, and
  // GRU's state behind its reset gate.
  std::int64_t from_inputs() const { return steps * batch * rows(); }
  std::int64_t floats() const { return from_inputs() + batch * (rows() + 3 * hidden); }
};

/// One direction's operands and places.
struct Direction {
  const float* w = nullptr;
  const float* r = nullptr;
  const float* bias = nullptr;  // those of W and then those of R; null: none
  float* from_inputs = nullptr;
  float* from_state = nullptr;
  float* h = nullptr;
  float* c = nullptr;
  float* masked = nullptr;
};

/// out[b][i] = rows [first, first + count) of m times x[b], for all of the batch.
void multiply(const Recurrent& p, ThreadPool& pool, const float* m, std::int64_t count,
              std::int64_t n, const float* x, std::int64_t batch, float* out,
              std::int64_t out_step) {
  const std::int64_t chunks = ceil_div(count, kRowsTogether);
  const std::int64_t grain = std::max<std::int64_t>(1, kTaskWork / (kRowsTogether * n + 1));
  pool.parallel_for(batch * chunks, grain, [&](std::int64_t from, std::int64_t to, int) {
    for (std::int64_t t = from; t < to; ++t) {
      const std::int64_t first = t % chunks * kRowsTogether;
      const std::int64_t rows = std::min(kRowsTogether, count - first);
      const float* pointers[kRowsTogether];
      for (std::int64_t i = 0; i < rows; ++i) pointers[i] = m + (first + i) * n;
      const std::int64_t b = t / chunks;
      p.simd->dots(x + b * n, pointers, rows, n, 1.0f, out + b * out_step + first);
    }
  });
}

void add(const float* x, float* y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] += x[i];
}

/// What the inputs give to all gates at all steps, with the biases that are only added.
void project_inputs(const Recurrent& p, ThreadPool& pool, const float* x, const Direction& d) {
  const std::int64_t rows = p.rows();
  multiply(p, pool, d.w, rows, p.inputs, x, p.steps * p.batch, d.from_inputs, rows);
  if (d.bias == nullptr) return;
  // GRU's reset gate may scale the state's part of the last gate, its bias with it.
  const std::int64_t added = p.linear_before_reset ? 2 * p.hidden : rows;
  parallel_rows(pool, p.steps * p.batch, rows, [&](std::int64_t from, std::int64_t to, int) {
    for (std::int64_t row = from; row < to; ++row) {
      add(d.bias, d.from_inputs + row * rows, rows);
      add(d.bias + rows, d.from_inputs + row * rows, added);
    }
  });
}

void sigmoid(const Recurrent& p, float* x, std::int64_t n) {
  p.simd->unary[kOpSigmoid](x, x, n, 0, 0);
}
void hyperbolic(const Recurrent& p, const float* x, float* y, std::int64_t n) {
  p.simd->unary[kOpTanh](x, y, n, 0, 0);
}

/// Gates i, o, f and c.
void lstm_step(const Recurrent& p, ThreadPool& pool, const float* from_inputs, const Direction& d) {
  const std::int64_t n = p.hidden;
  multiply(p, pool, d.r, p.rows(), n, d.h, p.batch, d.from_state, p.rows());
  parallel_rows(pool, p.batch, 16 * n, [&](std::int64_t from, std::int64_t to, int) {
    for (std::int64_t b = from; b < to; ++b) {
      float* g = d.from_state + b * p.rows();
      float* c = d.c + b * n;
      float* h = d.h + b * n;
      add(from_inputs + b * p.rows(), g, p.rows());
      sigmoid(p, g, 3 * n);
      hyperbolic(p, g + 3 * n, g + 3 * n, n);
      for (std::int64_t k = 0; k < n; ++k) c[k] = g[2 * n + k] * c[k] + g[k] * g[3 * n + k];
      hyperbolic(p, c, h, n);
      for (std::int64_t k = 0; k < n; ++k) h[k] *= g[n + k];
    }
  });
}

/// Gates z, r and h.
void gru_step(const Recurrent& p, ThreadPool& pool, const float* from_inputs, const Direction& d) {
  const std::int64_t n = p.hidden;
  const std::int64_t rows = p.rows();
  const std::int64_t at_once = p.linear_before_reset ? rows : 2 * n;
  multiply(p, pool, d.r, at_once, n, d.h, p.batch, d.from_state, rows);
  parallel_rows(pool, p.batch, 8 * n, [&](std::int64_t from, std::int64_t to, int) {
    for (std::int64_t b = from; b < to; ++b) {
      float* g = d.from_state + b * rows;
      add(from_inputs + b * rows, g, 2 * n);
      sigmoid(p, g, 2 * n);
      for (std::int64_t k = 0; k < n; ++k) d.masked[b * n + k] = g[n + k] * d.h[b * n + k];
    }
  });
  if (!p.linear_before_reset) {
    multiply(p, pool, d.r + 2 * n * n, n, n, d.masked, p.batch, d.from_state + 2 * n, rows);
  }
  parallel_rows(pool, p.batch, 8 * n, [&](std::int64_t from, std::int64_t to, int) {
    for (std::int64_t b = from; b < to; ++b) {
      float* g = d.from_state + b * rows;
      float* last = g + 2 * n;
      float* h = d.h + b * n;
      if (p.linear_before_reset) {
        if (d.bias != nullptr) add(d.bias + rows + 2 * n, last, n);
        for (std::int64_t k = 0; k < n; ++k) last[k] *= g[n + k];
      }
      add(from_inputs + b * rows + 2 * n, last, n);
      hyperbolic(p, last, last, n);
      for (std::int64_t k = 0; k < n; ++k) h[k] = (1 - g[k]) * last[k] + g[k] * h[k];
    }
  });
}

void start_state(const float* initial, float* state, std::int64_t n) {
  if (initial == nullptr) std::fill_n(state, n, 0.0f);
  if (initial != nullptr) std::copy_n(initial, n, state);
}

void run_direction(const Recurrent& p, const Launch& l, std::int64_t direction) {
  const std::int64_t rows = p.rows();
  const std::int64_t states = p.batch * p.hidden;
  Direction d;
  d.w = l.in<float>(kW) + direction * rows * p.inputs;
  d.r = l.in<float>(kR) + direction * rows * p.hidden;
  if (l.inputs[kB] != nullptr) d.bias = l.in<float>(kB) + direction * 2 * rows;
  d.from_inputs = reinterpret_cast<float*>(l.workspace);
  d.from_state = d.from_inputs + p.from_inputs();
  d.h = d.from_state + p.batch * rows;
  d.c = d.h + states;
  d.masked = d.c + states;
  const auto initial = [&](int i) {
    return l.inputs[i] == nullptr ? nullptr : l.in<float>(i) + direction * states;
  };
  start_state(initial(kH0), d.h, states);
  if (p.lstm) start_state(initial(kC0), d.c, states);
  project_inputs(p, *l.pool, l.in<float>(kX), d);
  for (std::int64_t i = 0; i < p.steps; ++i) {
    const std::int64_t t = p.reversed(direction) ? p.steps - 1 - i : i;
    const float* from_inputs = d.from_inputs + t * p.batch * rows;
    p.lstm ? lstm_step(p, *l.pool, from_inputs, d) : gru_step(p, *l.pool, from_inputs, d);
    if (l.outputs[0] == nullptr) continue;
    std::copy_n(d.h, states, l.out<float>(0) + (t * p.directions + direction) * states);
  }
  if (l.outputs[1] != nullptr) std::copy_n(d.h, states, l.out<float>(1) + direction * states);
  if (p.lstm && l.outputs[2] != nullptr) {
    std::copy_n(d.c, states, l.out<float>(2) + direction * states);
  }
}

/// None are named, or in each direction those that the op has anyway.
bool are_usual(const RecurrentAttrs& attrs, std::initializer_list<std::string_view> usual) {
  std::size_t i = 0;
  for (const std::string& name : attrs.activations) {
    if (name != *(usual.begin() + i % usual.size())) return false;
    ++i;
  }
  return true;
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  auto p = std::make_shared<Recurrent>();
  p->lstm = node.op->name == "LSTM";
  const RecurrentAttrs* attrs = nullptr;
  bool usual = false;
  if (p->lstm) {
    const auto& own = node.attributes<LstmAttrs>();
    usual = are_usual(own, {"Sigmoid", "Tanh", "Tanh"}) && !own.input_forget;
    attrs = &own;
  } else {
    const auto& own = node.attributes<GruAttrs>();
    usual = are_usual(own, {"Sigmoid", "Tanh"});
    p->linear_before_reset = own.linear_before_reset;
    attrs = &own;
  }
  if (!usual || attrs->clip != 0) return unsupported(node, "functions of its own, or a clip");
  if (attrs->layout != 0) return unsupported(node, "layout is not 0");
  if (has_input(node, kLengths) || has_input(node, kPeepholes)) {
    return unsupported(node, "sequence lengths or peepholes");
  }
  const Shape& x = node.inputs[kX].type.shape;
  for (const OperandDesc& input : node.inputs) {
    if (!input.present) continue;
    if (input.type.dtype != DType::kF32 || !input.type.encoding.is_plain()) {
      return unsupported(node, "operands are not all float32");
    }
  }
  p->simd = target.simd;
  p->steps = x[0];
  p->batch = x[1];
  p->inputs = x[2];
  p->directions = node.inputs[kR].type.shape[0];
  p->hidden = node.inputs[kR].type.shape[2];
  p->first_reversed = attrs->direction == "reverse";
  const auto per_step = checked_mul(p->batch, p->rows() + p->inputs);
  const auto needed = per_step ? checked_mul(*per_step, p->steps + 2) : std::nullopt;
  if (!needed || *needed > kWorkspaceMax) return unsupported(node, "sequences are too long");
  auto kernel = make_kernel(p->lstm ? "lstm_f32" : "gru_f32", [p](const Launch& l) {
    for (std::int64_t d = 0; d < p->directions; ++d) run_direction(*p, l, d);
  });
  kernel->set_workspace(p->floats() * 4);
  return KernelResult(std::move(kernel));
}

constexpr std::string_view kOps[] = {"LSTM", "GRU"};

}  // namespace

extern const KernelFamily family_recurrent;
constinit const KernelFamily family_recurrent{"recurrent", kOps, one_kernel<select>};

}  // namespace polaris::cpu
