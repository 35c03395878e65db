#include "ir/op_util/recurrent.h"

namespace polaris {
namespace {

/// Gates are i, o, f and c, peepholes i, o and f, in that order.
void step(const RecurrentCell& cell, const Attrs& attrs, RecurrentState& state) {
  const bool coupled = static_cast<const LstmAttrs&>(attrs).input_forget;
  const std::int64_t n = cell.hidden;
  const std::vector<double> before = state.h;
  const auto gate = [&](std::int64_t row) {
    return cell.from_input(row, state.x) + cell.from_state(row, before);
  };
  // Without peepholes nothing is added, whatever the cell holds.
  const auto peep = [&](std::int64_t row, double c) {
    return cell.peepholes.empty() ? 0 : cell.peepholes[static_cast<std::size_t>(row)] * c;
  };
  for (std::int64_t k = 0; k < n; ++k) {
    const auto at = static_cast<std::size_t>(k);
    const double c = state.c[at];
    const double in = cell.apply(0, gate(k) + peep(k, c));
    const double forget = coupled ? 1 - in : cell.apply(0, gate(2 * n + k) + peep(2 * n + k, c));
    state.c[at] = forget * c + in * cell.apply(1, gate(3 * n + k));
    const double out = cell.apply(0, gate(n + k) + peep(n + k, state.c[at]));
    state.h[at] = out * cell.apply(2, state.c[at]);
  }
}

constexpr std::string_view kActivations[] = {"Sigmoid", "Tanh", "Tanh"};
constexpr RecurrentOp kKind{
    .gates = 4, .activations = kActivations, .has_cell = true, .step = step};

Status infer(InferContext& c) { return infer_recurrent(c, kKind, c.as<LstmAttrs>()); }
Status reference(RefContext& c) { return run_recurrent(c, kKind, c.as<LstmAttrs>()); }
std::int64_t flops(const NodeTypes& n) { return recurrent_flops(n, kKind.gates); }

constexpr Port kInputs[] = {{"X"},
                            {"W"},
                            {"R"},
                            {"B", kOptional},
                            {"sequence_lens", kOptional},
                            {"initial_h", kOptional},
                            {"initial_c", kOptional},
                            {"P", kOptional}};
constexpr Port kOutputs[] = {{"Y", kOptional}, {"Y_h", kOptional}, {"Y_c", kOptional}};

}  // namespace

extern constinit const OpDef op_lstm{
    .name = "LSTM",
    .doc =
        "Long short-term memory along sequences, forward, backwards or both, with or without "
        "peepholes; zeros behind the end of a sequence, and the states at its end.",
    .since = 22,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<LstmAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
