#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "ir/op_attrs/recurrent.h"
#include "ir/op_def.h"

/// What RNN, GRU and LSTM share: operands, directions, sequence lengths and activations.
namespace polaris {

/// A function of the cell, with its parameters.
struct Activation {
  double (*fn)(double x, double alpha, double beta) = nullptr;
  double alpha = 0;
  double beta = 0;
};

/// One direction's weights, and what it computes with.
struct RecurrentCell {
  std::int64_t inputs = 0;
  std::int64_t hidden = 0;
  std::vector<double> w;          // [gates * hidden, inputs]
  std::vector<double> r;          // [gates * hidden, hidden]
  std::vector<double> w_bias;     // [gates * hidden]
  std::vector<double> r_bias;     // [gates * hidden]
  std::vector<double> peepholes;  // [3 * hidden]; LSTM's, or empty
  std::vector<Activation> functions;
  double clip = 0;

  /// Row `row` of W times x, and its bias; of R times h, and its bias.
  double from_input(std::int64_t row, const std::vector<double>& x) const;
  double from_state(std::int64_t row, const std::vector<double>& h) const;
  /// Function `which` of x, which is clipped before.
  double apply(std::size_t which, double x) const;
};

/// What a step reads and updates, of one sequence of the batch.
struct RecurrentState {
  std::vector<double> x;  // [inputs]
  std::vector<double> h;  // [hidden]
  std::vector<double> c;  // [hidden]; LSTM's
};

/// A recurrent op: how many gates, its usual activations, and one step.
struct RecurrentOp {
  int gates = 1;
  std::span<const std::string_view> activations;
  bool has_cell = false;  // LSTM's inputs initial_c and P, and output Y_c
  void (*step)(const RecurrentCell&, const Attrs&, RecurrentState&) = nullptr;
};

Status infer_recurrent(InferContext& c, const RecurrentOp& op, const RecurrentAttrs& attrs);
Status run_recurrent(RefContext& c, const RecurrentOp& op, const RecurrentAttrs& attrs);
/// Of a node with that many gates.
std::int64_t recurrent_flops(const NodeTypes& n, std::int64_t gates);

}  // namespace polaris
