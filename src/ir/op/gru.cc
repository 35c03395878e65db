#include "ir/op_util/recurrent.h"

namespace polaris {
namespace {

/// Gates are z, r and h, in that order.
void step(const RecurrentCell& cell, const Attrs& attrs, RecurrentState& state) {
  const bool linear = static_cast<const GruAttrs&>(attrs).linear_before_reset;
  const std::int64_t n = cell.hidden;
  const std::vector<double> before = state.h;
  std::vector<double> reset(before.size());
  std::vector<double> masked(before.size());
  for (std::int64_t k = 0; k < n; ++k) {
    const auto at = static_cast<std::size_t>(k);
    reset[at] = cell.apply(0, cell.from_input(n + k, state.x) + cell.from_state(n + k, before));
    masked[at] = reset[at] * before[at];
  }
  for (std::int64_t k = 0; k < n; ++k) {
    const auto at = static_cast<std::size_t>(k);
    const double z = cell.apply(0, cell.from_input(k, state.x) + cell.from_state(k, before));
    const double past = linear ? reset[at] * cell.from_state(2 * n + k, before)
                               : cell.from_state(2 * n + k, masked);
    const double fresh = cell.apply(1, cell.from_input(2 * n + k, state.x) + past);
    state.h[at] = (1 - z) * fresh + z * before[at];
  }
}

constexpr std::string_view kActivations[] = {"Sigmoid", "Tanh"};
constexpr RecurrentOp kKind{.gates = 3, .activations = kActivations, .step = step};

Status infer(InferContext& c) { return infer_recurrent(c, kKind, c.as<GruAttrs>()); }
Status reference(RefContext& c) { return run_recurrent(c, kKind, c.as<GruAttrs>()); }
std::int64_t flops(const NodeTypes& n) { return recurrent_flops(n, kKind.gates); }

constexpr Port kInputs[] = {
    {"X"}, {"W"}, {"R"}, {"B", kOptional}, {"sequence_lens", kOptional}, {"initial_h", kOptional}};
constexpr Port kOutputs[] = {{"Y", kOptional}, {"Y_h", kOptional}};

}  // namespace

extern constinit const OpDef op_gru{
    .name = "GRU",
    .doc =
        "Gated recurrent unit along sequences, forward, backwards or both; zeros behind the end of "
        "a sequence, and the state at its end.",
    .since = 22,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<GruAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
