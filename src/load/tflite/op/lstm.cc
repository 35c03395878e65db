// LSTMs, as tensorflow/lite/kernels/lstm_eval.cc has them: peepholes, a projection, layer
// normalization, and a coupled input gate where its weights are absent.
#include <array>
#include <optional>
#include <utility>

#include "ir/op_attrs/recurrent.h"
#include "load/tflite/op/layers.h"
#include "load/tflite/op/recurrent.h"

namespace polaris::tflite {
namespace {

enum Gate : std::size_t { kInput, kForget, kCell, kOutput, kGates };

// Inputs of the operator, by gate from the first of each kind on.
constexpr std::size_t kW = 1;
constexpr std::size_t kR = 5;
constexpr std::size_t kPeephole = 9;  // input, forget, output
constexpr std::size_t kBias = 12;
constexpr std::size_t kProjection = 16;
constexpr std::size_t kProjectionBias = 17;
constexpr std::size_t kHidden = 18;
constexpr std::size_t kCellState = 19;
constexpr std::size_t kNorm = 20;

std::size_t peephole(std::size_t gate) { return kPeephole + (gate == kOutput ? 2 : gate); }

/// What an operator's options say.
struct Settings {
  std::int64_t activation = 0;
  float cell_clip = 0;
  float projection_clip = 0;
};

/// Weights as real numbers; those that are absent are no values.
struct Weights {
  std::array<ValueId, kGates> w;
  std::array<ValueId, kGates> r;
  std::array<ValueId, kGates> peephole;
  std::array<ValueId, kGates> bias;
  std::array<ValueId, kGates> norm;
  ValueId projection;
  ValueId projection_bias;

  std::vector<ValueId> list() const {
    std::vector<ValueId> out;
    for (const auto* group : {&w, &r, &peephole, &bias, &norm}) {
      out.insert(out.end(), group->begin(), group->end());
    }
    out.push_back(projection);
    out.push_back(projection_bias);
    return out;
  }
  static Weights of(const std::vector<ValueId>& list) {
    Weights out;
    std::size_t at = 0;
    for (auto* group : {&out.w, &out.r, &out.peephole, &out.bias, &out.norm}) {
      for (ValueId& value : *group) value = list[at++];
    }
    out.projection = list[at++];
    out.projection_bias = list[at];
    return out;
  }
};

ValueId vector_of(OperatorImport& o, std::size_t i) { return o.has(i) ? o.real(i) : kNoValue; }

/// A bias of integers stands at the scale of its gate: that of x and w, or of layer normalization.
ValueId gate_bias(OperatorImport& o, std::size_t i, std::size_t w, bool normalized) {
  if (!o.has(i) || is_float(o.dtype(i))) return vector_of(o, i);
  if (normalized) {
    const auto& scale = o.in(i).quantization.scale;
    return scale.empty() ? kNoValue : o.dequantized(o.raw(i), o.in(i), 0);
  }
  return bias(o, i, 0, w);
}

Weights read_weights(OperatorImport& o) {
  Weights out;
  const bool normalized = o.has(kNorm + kForget);
  for (std::size_t gate = 0; gate < kGates; ++gate) {
    if (gate == kInput && !o.has(kW)) continue;
    out.w[gate] = weight(o, kW + gate, {0, 1});
    out.r[gate] = weight(o, kR + gate, {0, 1});
    if (gate != kCell) out.peephole[gate] = vector_of(o, peephole(gate));
    out.bias[gate] = gate_bias(o, kBias + gate, kW + gate, normalized);
    out.norm[gate] = vector_of(o, kNorm + gate);
  }
  if (o.has(kProjection)) out.projection = weight(o, kProjection, {0, 1});
  out.projection_bias = o.has(kProjection) ? vector_of(o, kProjectionBias) : kNoValue;
  return out;
}

ValueId product(Builder& b, ValueId x, ValueId w) {
  return b.add("Gemm", {x, w}, {{"transB", true}});
}

ValueId plus(Builder& b, ValueId a, ValueId c) { return c.valid() ? b.add("Add", {a, c}) : a; }

ValueId clipped(Builder& b, ValueId x, float limit) {
  if (!(limit > 0)) return x;
  const auto most = static_cast<double>(limit);
  return b.add("Clip", {x, b.number(-most), b.number(most)});
}

/// Layer normalization without an offset; epsilon is LiteRT's.
ValueId normalized(Builder& b, ValueId x, ValueId scale) {
  constexpr float kEpsilon = 1e-8f;
  return b.add("LayerNormalization", {x, scale},
               {{"axis", std::int64_t{-1}}, {"epsilon", kEpsilon}});
}

/// What happens to hidden and cell state between steps: integers are rounded.
struct Rounding {
  std::function<ValueId(Builder&, ValueId)> hidden;
  std::function<ValueId(Builder&, ValueId)> cell;
};

ValueId same_value(Builder&, ValueId value) { return value; }

std::string_view activation_name(OperatorImport& o, std::int64_t activation) {
  if (activation == 1) return "Relu";
  if (activation == 4) return "Tanh";
  o.unsupported("activation of an LSTM, got " + std::to_string(activation));
  return "Tanh";
}

Step lstm_step(const Settings& settings, std::string_view activation, const Rounding& rounding) {
  return [=](Builder& b, ValueId x, const std::vector<ValueId>& carried,
             const std::vector<ValueId>& same) {
    const Weights weights = Weights::of(same);
    const ValueId h = carried[0];
    const ValueId c = carried[1];
    const auto gate = [&](std::size_t k, ValueId cell) {
      ValueId sum = b.add("Add", {product(b, x, weights.w[k]), product(b, h, weights.r[k])});
      if (weights.peephole[k].valid()) {
        sum = b.add("Add", {sum, b.add("Mul", {cell, weights.peephole[k]})});
      }
      if (weights.norm[k].valid()) sum = normalized(b, sum, weights.norm[k]);
      return plus(b, sum, weights.bias[k]);
    };
    const ValueId forget = b.add("Sigmoid", {gate(kForget, c)});
    const ValueId input = weights.w[kInput].valid() ? b.add("Sigmoid", {gate(kInput, c)})
                                                    : b.add("Sub", {b.number(1), forget});
    const ValueId fresh = b.add(activation, {gate(kCell, c)});
    ValueId cell = b.add("Add", {b.add("Mul", {forget, c}), b.add("Mul", {input, fresh})});
    cell = rounding.cell(b, clipped(b, cell, settings.cell_clip));
    const ValueId output = b.add("Sigmoid", {gate(kOutput, cell)});
    ValueId hidden = b.add("Mul", {output, b.add(activation, {cell})});
    if (weights.projection.valid()) {
      hidden = plus(b, product(b, hidden, weights.projection), weights.projection_bias);
      hidden = clipped(b, hidden, settings.projection_clip);
    }
    hidden = rounding.hidden(b, hidden);
    return StepResult{{hidden, cell}, hidden};
  };
}

/// A round trip through the integers of a tensor.
std::function<ValueId(Builder&, ValueId)> rounds(OperatorImport& o, std::size_t i) {
  if (!o.quantized(i)) return same_value;
  const TensorDef& tensor = o.in(i);
  const float scale = tensor.quantization.scale[0];
  const double zero = tensor.quantization.zero_point.empty()
                          ? 0.0
                          : static_cast<double>(tensor.quantization.zero_point[0]);
  const DType dtype = o.dtype(i);
  return [=](Builder& b, ValueId value) {
    const ValueId step = b.number(static_cast<double>(scale));
    const ValueId point = b.number(zero, dtype);
    const ValueId stored = b.add("QuantizeLinear", {value, step, point});
    return b.add("DequantizeLinear", {stored, step, point});
  };
}

/// LSTM as ONNX has it does without projections, norms and clipped cells.
bool is_plain(OperatorImport& o, const Settings& settings) {
  return !o.has(kProjection) && !o.has(kNorm + kForget) && o.has(kW) && !(settings.cell_clip > 0) &&
         !o.quantized(kHidden) && !o.quantized(0) && o.has(kPeephole) == o.has(kPeephole + 1);
}

struct Sequence {
  ValueId outputs;
  ValueId hidden;
  ValueId cell;
};

/// x: [time, batch, inputs].
Sequence run_plain(OperatorImport& o, ValueId x, const Weights& weights,
                   std::string_view activation) {
  Builder& b = o.builder();
  // Their order is input, forget, cell, output; ours input, output, forget, cell.
  constexpr std::array<std::size_t, kGates> kOrder{kInput, kOutput, kForget, kCell};
  const auto joined = [&](const std::array<ValueId, kGates>& parts, std::size_t count) {
    std::vector<ValueId> list;
    for (std::size_t i = 0; i < count; ++i) list.push_back(parts[kOrder[i]]);
    const ValueId all = b.add("Concat", std::move(list), {{"axis", std::int64_t{0}}});
    return b.add("Unsqueeze", {all, b.ints({0})});
  };
  const std::int64_t cells = b.dim(weights.w[kForget], 0);
  if (o.ok() && (cells < 1 || cells > kCellsMost)) o.fail("cells, got " + std::to_string(cells));
  if (!o.ok()) return {};
  ValueId biases;
  if (weights.bias[kForget].valid()) {
    const ValueId none = b.add("Expand", {b.number(0), b.ints({1, 4 * cells})});
    biases = b.add("Concat", {joined(weights.bias, kGates), none}, {{"axis", std::int64_t{1}}});
  }
  ValueId peepholes;
  if (weights.peephole[kForget].valid()) peepholes = joined(weights.peephole, 3);
  auto attrs = std::make_unique<LstmAttrs>();
  attrs->hidden_size = cells;
  attrs->activations = {"Sigmoid", std::string(activation), std::string(activation)};
  const auto state = [&](std::size_t i) { return b.add("Unsqueeze", {o.real(i), b.ints({0})}); };
  const OpDef* op = b.ops().find("LSTM");
  if (op == nullptr || !o.ok()) return {};
  const auto made = b.add_all_with("LSTM",
                                   {x, joined(weights.w, kGates), joined(weights.r, kGates), biases,
                                    kNoValue, state(kHidden), state(kCellState), peepholes},
                                   3, std::move(attrs));
  return {b.add("Squeeze", {made[0], b.ints({1})}), b.add("Squeeze", {made[1], b.ints({0})}),
          b.add("Squeeze", {made[2], b.ints({0})})};
}

Sequence run_sequence(OperatorImport& o, ValueId x, const Settings& settings) {
  const Weights weights = read_weights(o);
  const std::string_view activation = activation_name(o, settings.activation);
  if (!o.ok()) return {};
  if (is_plain(o, settings)) return run_plain(o, x, weights, activation);
  const Rounding rounding{rounds(o, kHidden), rounds(o, kCellState)};
  if (!o.ok()) return {};
  auto made = run_steps(o, x, {o.real(kHidden), o.real(kCellState)}, weights.list(),
                        lstm_step(settings, activation, rounding));
  if (made.carried.size() != 2) return {};
  return {made.outputs, made.carried[0], made.carried[1]};
}

void keep(OperatorImport& o, std::size_t i, ValueId value) {
  if (!o.ok()) return;
  const ValueId stored = o.quantized(i) ? o.quantize(value, o.in(i)) : value;
  if (o.in(i).is_variable) o.importer().set_variable(o.def().inputs[i], stored);
}

}  // namespace

void unidirectional_sequence_lstm(OperatorImport& o) {
  Builder& b = o.builder();
  if (o.flag(5)) return o.unsupported("diagonal recurrent tensors");
  const Settings settings{o.byte_option(0), o.float_option(1), o.float_option(2)};
  const bool time_first = o.flag(3);
  const ValueId x = time_first ? o.real(0) : b.transpose(o.real(0), {1, 0, 2});
  const Sequence made = run_sequence(o, x, settings);
  if (!o.ok()) return;
  o.give(0, time_first ? made.outputs : b.transpose(made.outputs, {1, 0, 2}));
  keep(o, kHidden, made.hidden);
  keep(o, kCellState, made.cell);
}

// One step; states are inputs.
void lstm(OperatorImport& o) {
  Builder& b = o.builder();
  if (o.byte_option(3) != 0) return o.unsupported("the basic kernel, wanted the full one");
  const Settings settings{o.byte_option(0), o.float_option(1), o.float_option(2)};
  const Sequence made = run_sequence(o, b.add("Unsqueeze", {o.real(0), b.ints({0})}), settings);
  if (!o.ok()) return;
  o.give(0, b.add("Squeeze", {made.outputs, b.ints({0})}));
  keep(o, kHidden, made.hidden);
  keep(o, kCellState, made.cell);
}

}  // namespace polaris::tflite
