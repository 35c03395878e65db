// Plain recurrent cells and SVDF, the filter that factors one by rank.
#include <algorithm>
#include <utility>

#include "load/tflite/op/layers.h"
#include "load/tflite/op/recurrent.h"

namespace polaris::tflite {
namespace {

void keep(OperatorImport& o, std::size_t i, ValueId value) {
  if (o.ok() && o.in(i).is_variable) o.importer().set_variable(o.def().inputs[i], value);
}

/// Relu, its capped kinds and Tanh, in whichever graph the step stands.
ValueId activated(OperatorImport& o, Builder& b, ValueId x, std::int64_t activation) {
  switch (activation) {
    case 0: return x;
    case 1: return b.add("Relu", {x});
    case 2: return b.add("Clip", {x, b.number(-1), b.number(1)});
    case 3: return b.add("Clip", {x, b.number(0), b.number(6)});
    case 4: return b.add("Tanh", {x});
    default: o.fail("activation, got " + std::to_string(activation)); return kNoValue;
  }
}

// Inputs: x, its weights, recurrent weights, bias, hidden state.
StepsResult run_rnn(OperatorImport& o, ValueId x, std::int64_t activation) {
  if (o.quantized(0)) {
    o.unsupported("integers");
    return {};
  }
  const auto step = [&](Builder& b, ValueId at, const std::vector<ValueId>& carried,
                        const std::vector<ValueId>& same) {
    ValueId sum = b.add("Gemm", {at, same[0], same[2]}, {{"transB", true}});
    sum = b.add("Add", {sum, b.add("Gemm", {carried[0], same[1]}, {{"transB", true}})});
    const ValueId h = activated(o, b, sum, activation);
    return StepResult{{h}, h};
  };
  return run_steps(o, x, {o.real(4)},
                   {weight(o, 1, {0, 1}), weight(o, 2, {0, 1}), bias(o, 3, 0, 1)}, step);
}

}  // namespace

void rnn(OperatorImport& o) {
  Builder& b = o.builder();
  const auto made = run_rnn(o, b.add("Unsqueeze", {o.real(0), b.ints({0})}), o.byte_option(0));
  if (!o.ok()) return;
  o.give(0, b.add("Squeeze", {made.outputs, b.ints({0})}));
  keep(o, 4, made.carried[0]);
}

void unidirectional_sequence_rnn(OperatorImport& o) {
  Builder& b = o.builder();
  const bool time_first = o.flag(0);
  const ValueId x = time_first ? o.real(0) : b.transpose(o.real(0), {1, 0, 2});
  const auto made = run_rnn(o, x, o.byte_option(1));
  if (!o.ok()) return;
  o.give(0, time_first ? made.outputs : b.transpose(made.outputs, {1, 0, 2}));
  keep(o, 4, made.carried[0]);
}

// Inputs: x, feature weights [filters, inputs], time weights [filters, memory], bias, state
// [batch, filters * memory]. Each filter keeps its last values; `rank` filters add up to a unit.
void svdf(OperatorImport& o) {
  Builder& b = o.builder();
  const std::int64_t rank = o.option(0);
  const ValueId features = weight(o, 1, {0, 1});
  const ValueId times = weight(o, 2, {0, 1});
  const std::int64_t filters = b.dim(times, 0);
  const std::int64_t memory = b.dim(times, 1);
  if (!o.ok()) return;
  if (std::max(filters, memory) > kCellsMost) {
    return o.fail("weights, got " + std::to_string(filters) + " by " + std::to_string(memory));
  }
  if (filters < 1 || memory < 1 || rank < 1 || filters % rank != 0) {
    return o.fail("filters, got " + std::to_string(filters) + ", wanted a multiple of the rank, " +
                  std::to_string(rank));
  }
  ValueId fresh = b.add("Gemm", {o.real(0), features}, {{"transB", true}});
  if (o.quantized(4)) fresh = o.quantize(fresh, o.in(4));
  const ValueId old = b.reshape(o.raw(4), {-1, filters, memory});
  const ValueId kept =
      b.add("Concat", {b.slice(old, 2, 1, memory), b.reshape(fresh, {-1, filters, 1})},
            {{"axis", std::int64_t{2}}});
  const ValueId state = b.reshape(kept, {-1, filters * memory});
  const ValueId real = o.quantized(4) ? o.dequantized(kept, o.in(4), 0) : kept;
  const ValueId products = b.add("Mul", {real, times});
  const ValueId units = b.reshape(products, {-1, filters / rank, rank * memory});
  ValueId y = b.add("ReduceSum", {units, b.ints({2})}, {{"keepdims", false}});
  // A bias of integers stands at the scale of state and time weights.
  const ValueId offset = bias(o, 3, 4, 2);
  if (offset.valid()) y = b.add("Add", {y, offset});
  o.give_activated(y, o.byte_option(1));
  keep(o, 4, state);
}

}  // namespace polaris::tflite
