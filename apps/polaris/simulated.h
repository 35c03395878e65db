#pragma once
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "command.h"
#include "model_io.h"
#include "sim/model_timer.h"

namespace polaris::cli {

/// A run to simulate: the graph's inputs, and what of them counts as work.
struct SimulatedRun {
  std::string what;         // "run", "prompt", "generation"
  std::int64_t tokens = 0;  // of a language model's step
  std::vector<Tensor> inputs;
  gcn::RunTiming timing;
};

/// Fills in the runs' timings. `cached_tokens` as for plan_ahead.
Status simulate(const Common& common, gcn::ModelTimer& timer, const Opened& opened,
                const Graph& graph, std::int64_t cached_tokens, std::vector<SimulatedRun>& runs);

void print_simulated(const gcn::ModelTimer& timer, const std::vector<SimulatedRun>& runs);
/// {"gpu","mhz","mesa","gap_us","bus_gb_per_s","runs":[{"what","tokens","ms","tokens_per_second",
/// "kernels_ms","gaps","gaps_ms","bus_bytes","bus_ms","nodes":[...],"not_simulated":[...]}]}
void write_simulated(JsonWriter& json, const gcn::ModelTimer& timer,
                     const std::vector<SimulatedRun>& runs);

}  // namespace polaris::cli
