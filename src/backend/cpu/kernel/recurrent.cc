// LSTM and GRU of float32 with their usual functions, over whole sequences.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/cpu/gemm.h"
#include "backend/cpu/kernel.h"
#include "backend/cpu/rows.h"
#include "backend/cpu/simd/simd.h"
#include "backend/cpu/weight_panels.h"
#include "backend/elementwise.h"
#include "base/checked.h"
#include "ir/op_attrs/recurrent.h"

namespace polaris::cpu {
namespace {

enum Operand : int { kX, kW, kR, kB, kLengths, kH0, kC0, kPeepholes };

constexpr std::int64_t kWorkspaceMax = std::int64_t{1} << 28;

struct Recurrent {
  const Simd* simd = nullptr;
  bool lstm = false;
  bool linear_before_reset = false;  // GRU's
  bool packed = false;               // W and R were packed when the model was loaded
  bool half = false;                 // as float16
  std::int64_t steps = 0;
  std::int64_t batch = 0;
  std::int64_t inputs = 0;
  std::int64_t hidden = 0;
  std::int64_t directions = 1;
  bool first_reversed = false;

  std::int64_t gates() const { return lstm ? 4 : 3; }
  std::int64_t rows() const { return gates() * hidden; }
  bool reversed(std::int64_t direction) const { return direction == 1 || first_reversed; }
  // A direction's R is one matrix; GRU's gates are multiplied one by one, as its last waits for
  // another.
  std::int64_t state_matrices() const { return lstm ? 1 : 3; }
  std::int64_t state_columns() const { return lstm ? rows() : hidden; }
  std::int64_t w_elements() const { return packed_elements(inputs, rows()); }
  std::int64_t r_elements() const {
    return state_matrices() * packed_elements(hidden, state_columns());
  }
  std::int64_t bytes_of(std::int64_t weights) const { return weights * (half ? 2 : 4); }
  // The workspace, in floats: the gates of all steps, both states, GRU's state behind its reset
  // gate and what R gives to the last one, biases, rows of a product, packed weights.
  std::int64_t gate_elements() const { return steps * batch * rows(); }
  std::int64_t product_rows() const { return std::max(steps * batch * inputs, batch * hidden); }
  std::int64_t floats() const {
    return gate_elements() + batch * 4 * hidden + rows() + product_rows() +
           (packed ? 0 : w_elements() + r_elements());
  }
};

/// One direction's operands and places.
struct Direction {
  const std::byte* w = nullptr;  // packed
  const std::byte* r = nullptr;
  const float* bias = nullptr;        // of W and R, where they are only added; null: none
  const float* state_bias = nullptr;  // of R for GRU's last gate, where it is not
  float* gates = nullptr;
  float* h = nullptr;
  float* c = nullptr;
  float* masked = nullptr;
  float* last = nullptr;
  float* product_rows = nullptr;
};

/// out[row][n] += x[row] times matrix `b`, or bias + the same where `accumulate` is not set.
void multiply(const Recurrent& p, ThreadPool& pool, const Direction& d, const float* x,
              std::int64_t rows, std::int64_t k, const std::byte* b, std::int64_t n, float* out,
              std::int64_t out_step, const float* bias, bool accumulate) {
  GemmCall call;
  call.a = x;
  call.lda = k;
  call.b = b;
  call.b_is_f16 = p.half;
  call.c = out;
  call.ldc = out_step;
  call.m = rows;
  call.k = k;
  call.n = n;
  call.bias = bias;
  call.accumulate = accumulate;
  call.scratch = d.product_rows;
  gemm(*p.simd, pool, call);
}

/// What the states `h` give to GRU's gate `i`, or to all of LSTM's.
void multiply_state(const Recurrent& p, ThreadPool& pool, const Direction& d, const float* h,
                    std::int64_t gate, float* out, std::int64_t out_step, const float* bias,
                    bool accumulate) {
  const std::byte* r = d.r + gate * p.bytes_of(packed_elements(p.hidden, p.state_columns()));
  multiply(p, pool, d, h, p.batch, p.hidden, r, p.state_columns(), out, out_step, bias, accumulate);
}

void add(const float* x, float* y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] += x[i];
}

void sigmoid(const Recurrent& p, float* x, std::int64_t n) {
  p.simd->unary[kOpSigmoid](x, x, n, 0, 0);
}
void hyperbolic(const Recurrent& p, const float* x, float* y, std::int64_t n) {
  p.simd->unary[kOpTanh](x, y, n, 0, 0);
}

/// Gates i, o, f and c, which have what the inputs give.
void lstm_step(const Recurrent& p, ThreadPool& pool, float* gates, const Direction& d) {
  const std::int64_t n = p.hidden;
  multiply_state(p, pool, d, d.h, 0, gates, p.rows(), nullptr, true);
  parallel_rows(pool, p.batch, 16 * n, [&](std::int64_t from, std::int64_t to, int) {
    for (std::int64_t b = from; b < to; ++b) {
      float* g = gates + b * p.rows();
      float* c = d.c + b * n;
      float* h = d.h + b * n;
      sigmoid(p, g, 3 * n);
      hyperbolic(p, g + 3 * n, g + 3 * n, n);
      for (std::int64_t k = 0; k < n; ++k) c[k] = g[2 * n + k] * c[k] + g[k] * g[3 * n + k];
      hyperbolic(p, c, h, n);
      for (std::int64_t k = 0; k < n; ++k) h[k] *= g[n + k];
    }
  });
}

/// Gates z, r and h, which have what the inputs give.
void gru_step(const Recurrent& p, ThreadPool& pool, float* gates, const Direction& d) {
  const std::int64_t n = p.hidden;
  const std::int64_t rows = p.rows();
  for (std::int64_t gate = 0; gate < 2; ++gate) {
    multiply_state(p, pool, d, d.h, gate, gates + gate * n, rows, nullptr, true);
  }
  if (p.linear_before_reset) {
    multiply_state(p, pool, d, d.h, 2, d.last, n, d.state_bias, false);
  } else {
    parallel_rows(pool, p.batch, 8 * n, [&](std::int64_t from, std::int64_t to, int) {
      for (std::int64_t b = from; b < to; ++b) {
        float* r = gates + b * rows + n;
        sigmoid(p, r, n);
        for (std::int64_t k = 0; k < n; ++k) d.masked[b * n + k] = r[k] * d.h[b * n + k];
      }
    });
    multiply_state(p, pool, d, d.masked, 2, gates + 2 * n, rows, nullptr, true);
  }
  parallel_rows(pool, p.batch, 8 * n, [&](std::int64_t from, std::int64_t to, int) {
    for (std::int64_t b = from; b < to; ++b) {
      float* g = gates + b * rows;
      float* last = g + 2 * n;
      float* h = d.h + b * n;
      sigmoid(p, g, p.linear_before_reset ? 2 * n : n);
      if (p.linear_before_reset) {
        const float* state = d.last + b * n;
        for (std::int64_t k = 0; k < n; ++k) last[k] += state[k] * g[n + k];
      }
      hyperbolic(p, last, last, n);
      for (std::int64_t k = 0; k < n; ++k) h[k] = (1 - g[k]) * last[k] + g[k] * h[k];
    }
  });
}

/// A matrix of n rows of k elements, packed as WeightPanels packs it.
void pack(ThreadPool& pool, const float* from, std::int64_t n, std::int64_t k, float* to) {
  pool.parallel_for(packed_panels(n), 4, [&](std::int64_t first, std::int64_t last, int) {
    pack_panels<float>({from, 1, k}, k, n, first, last, to);
  });
}

/// The direction's weights, packed into `own` where they have not been.
void open_weights(const Recurrent& p, const Launch& l, std::int64_t direction, float* own,
                  Direction& d) {
  if (p.packed) {
    d.w = l.inputs[kW] + direction * p.bytes_of(p.w_elements());
    d.r = l.inputs[kR] + direction * p.bytes_of(p.r_elements());
    return;
  }
  const std::int64_t rows = p.rows();
  d.w = reinterpret_cast<const std::byte*>(own);
  pack(*l.pool, l.in<float>(kW) + direction * rows * p.inputs, rows, p.inputs, own);
  own += p.w_elements();
  d.r = reinterpret_cast<const std::byte*>(own);
  for (std::int64_t i = 0; i < p.state_matrices(); ++i) {
    const float* r = l.in<float>(kR) + (direction * rows + i * p.state_columns()) * p.hidden;
    pack(*l.pool, r, p.state_columns(), p.hidden,
         own + i * packed_elements(p.hidden, p.state_columns()));
  }
}

/// Sums of W's and R's biases into `out`; GRU's reset gate may scale the state's part of the last
/// gate, its bias with it.
void open_biases(const Recurrent& p, const float* biases, float* out, Direction& d) {
  const std::int64_t rows = p.rows();
  const std::int64_t added = p.linear_before_reset ? 2 * p.hidden : rows;
  std::copy_n(biases, rows, out);
  add(biases + rows, out, added);
  d.bias = out;
  if (added < rows) d.state_bias = biases + rows + added;
}

void start_state(const float* initial, float* state, std::int64_t n) {
  if (initial == nullptr) std::fill_n(state, n, 0.0f);
  if (initial != nullptr) std::copy_n(initial, n, state);
}

void run_direction(const Recurrent& p, const Launch& l, std::int64_t direction) {
  const std::int64_t rows = p.rows();
  const std::int64_t states = p.batch * p.hidden;
  Direction d;
  d.gates = reinterpret_cast<float*>(l.workspace);
  d.h = d.gates + p.gate_elements();
  d.c = d.h + states;
  d.masked = d.c + states;
  d.last = d.masked + states;
  float* bias = d.last + states;
  d.product_rows = bias + rows;
  open_weights(p, l, direction, d.product_rows + p.product_rows(), d);
  if (l.inputs[kB] != nullptr) {
    open_biases(p, l.in<float>(kB) + direction * 2 * rows, bias, d);
  }
  const auto initial = [&](int i) {
    return l.inputs[i] == nullptr ? nullptr : l.in<float>(i) + direction * states;
  };
  start_state(initial(kH0), d.h, states);
  if (p.lstm) start_state(initial(kC0), d.c, states);
  multiply(p, *l.pool, d, l.in<float>(kX), p.steps * p.batch, p.inputs, d.w, rows, d.gates, rows,
           d.bias, false);
  for (std::int64_t i = 0; i < p.steps; ++i) {
    const std::int64_t t = p.reversed(direction) ? p.steps - 1 - i : i;
    float* gates = d.gates + t * p.batch * rows;
    p.lstm ? lstm_step(p, *l.pool, gates, d) : gru_step(p, *l.pool, gates, d);
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
  const Constant* w = node.inputs[kW].constant;
  const Constant* r = node.inputs[kR].constant;
  std::optional<WeightPanels> w_panels;
  std::optional<WeightPanels> r_panels;
  if (w != nullptr && r != nullptr && p->inputs * p->hidden > 0) {
    w_panels.emplace(*w, p->inputs, p->rows(), true, p->directions);
    r_panels.emplace(*r, p->hidden, p->state_columns(), true, p->directions * p->state_matrices());
    p->packed = w_panels->half == r_panels->half;
    p->half = p->packed && w_panels->half;
  }
  auto kernel = make_kernel(p->lstm ? "lstm_f32" : "gru_f32", [p](const Launch& l) {
    for (std::int64_t d = 0; d < p->directions; ++d) run_direction(*p, l, d);
  });
  kernel->set_workspace(p->floats() * 4);
  if (p->packed) {
    w_panels->pack_when_loaded(*kernel, kW);
    r_panels->pack_when_loaded(*kernel, kR);
  }
  return KernelResult(std::move(kernel));
}

constexpr std::string_view kOps[] = {"LSTM", "GRU"};

}  // namespace

extern const KernelFamily family_recurrent;
constinit const KernelFamily family_recurrent{"recurrent", kOps, one_kernel<select>};

}  // namespace polaris::cpu
