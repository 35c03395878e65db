#pragma once
#include "ir/graph.h"

namespace polaris::test {

/// Rounds the activations of every linear layer with block-quantized weights to q8_0, as
/// llama.cpp's default CPU kernels do; ours keep 15 bits or all. Runs on the reference only.
void round_activations_to_q8_0(Graph& graph);

}  // namespace polaris::test
