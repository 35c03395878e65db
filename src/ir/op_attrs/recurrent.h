#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ir/attrs.h"

namespace polaris {

/// What RNN, GRU and LSTM share. Empty `activations`: the op's usual ones in each direction; alpha
/// and beta are for those functions that take them, in their order. clip 0: none. hidden_size 0:
/// that of R. layout 1: the batch is the first dim.
struct RecurrentAttrs {
  std::vector<float> activation_alpha;
  std::vector<float> activation_beta;
  std::vector<std::string> activations;
  float clip = 0.0f;
  std::string direction = "forward";
  std::int64_t hidden_size = 0;
  std::int64_t layout = 0;

  void visit_shared(AttrVisitor& v) {
    v.field("activation_alpha", activation_alpha);
    v.field("activation_beta", activation_beta);
    v.field("activations", activations);
    v.field("clip", clip);
    v.field("direction", direction);
    v.field("hidden_size", hidden_size);
    v.field("layout", layout);
  }
};

/// RNN.
struct RnnAttrs final : AttrsOf<RnnAttrs>, RecurrentAttrs {
  void visit(AttrVisitor& v) override { visit_shared(v); }
};

/// GRU.
struct GruAttrs final : AttrsOf<GruAttrs>, RecurrentAttrs {
  bool linear_before_reset = false;

  void visit(AttrVisitor& v) override {
    visit_shared(v);
    v.field("linear_before_reset", linear_before_reset);
  }
};

/// LSTM.
struct LstmAttrs final : AttrsOf<LstmAttrs>, RecurrentAttrs {
  bool input_forget = false;

  void visit(AttrVisitor& v) override {
    visit_shared(v);
    v.field("input_forget", input_forget);
  }
};

}  // namespace polaris
