#include "ir/op_util/recurrent.h"

namespace polaris {
namespace {

void step(const RecurrentCell& cell, const Attrs&, RecurrentState& state) {
  std::vector<double> h(state.h.size());
  for (std::size_t k = 0; k < h.size(); ++k) {
    const auto row = static_cast<std::int64_t>(k);
    h[k] = cell.apply(0, cell.from_input(row, state.x) + cell.from_state(row, state.h));
  }
  state.h = std::move(h);
}

constexpr std::string_view kActivations[] = {"Tanh"};
constexpr RecurrentOp kKind{.gates = 1, .activations = kActivations, .step = step};

Status infer(InferContext& c) { return infer_recurrent(c, kKind, c.as<RnnAttrs>()); }
Status reference(RefContext& c) { return run_recurrent(c, kKind, c.as<RnnAttrs>()); }
std::int64_t flops(const NodeTypes& n) { return recurrent_flops(n, kKind.gates); }

constexpr Port kInputs[] = {
    {"X"}, {"W"}, {"R"}, {"B", kOptional}, {"sequence_lens", kOptional}, {"initial_h", kOptional}};
constexpr Port kOutputs[] = {{"Y", kOptional}, {"Y_h", kOptional}};

}  // namespace

extern constinit const OpDef op_rnn{
    .name = "RNN",
    .doc =
        "h = f(W x + R h + biases) along sequences, forward, backwards or both; zeros behind the "
        "end of a sequence, and the state at its end.",
    .since = 22,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<RnnAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
