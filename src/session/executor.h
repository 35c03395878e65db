#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "session/host_phase.h"
#include "session/program.h"
#include "session/run_options.h"
#include "session/state_write.h"
#include "session/value_ref.h"

namespace polaris {

/// Runs one of a program's graphs (the main one or a subgraph) stage by stage.
class Executor {
 public:
  Executor(Program& program, const RunOptions& options, std::int64_t ticket)
      : program_(program), runtime_(program.runtime()), options_(options), ticket_(ticket) {}

  struct Outcome {
    std::vector<ValueRef> outputs;   // in the graph's order
    std::vector<StateWrite> writes;  // the states' next values, not yet written
  };
  /// `inputs` in the graph's order. Waits for all work. Outputs that are in `device_outputs` (by
  /// value; null: none) are not for the host.
  Result<Outcome> run(const Graph& graph, std::span<const ValueRef> inputs,
                      const BoundStates& states, const ValueFlags* device_outputs = nullptr);

 private:
  using Live = LiveValue;
  using Frontier = std::vector<Live>;

  Result<std::vector<ValueRef>> operands_of(const GraphInfo& info, const Node& node,
                                            const Frontier& frontier, const BoundStates& states);
  Status run_on_host(const GraphInfo& info, const Node& node, Frontier& frontier,
                     const BoundStates& states);
  Result<std::vector<ValueRef>> run_control(const GraphInfo& info, const Node& node,
                                            const Frontier& frontier, const BoundStates& states);
  Result<ValueRef> value_of(const Graph& graph, ValueId id, const Frontier& frontier,
                            const BoundStates& states);
  Result<std::vector<ValueRef>> run_subgraph(const Graph& graph, std::span<const ValueRef> inputs);
  Result<Outcome> finish(const GraphInfo& info, const Frontier& frontier,
                         const BoundStates& states);
  Result<std::vector<StateWrite>> state_writes(const GraphInfo& info, const Frontier& frontier,
                                               const BoundStates& states);
  Result<std::vector<LiveIn>> live_in(const GraphInfo& info, Frontier& frontier);

  Program& program_;
  Runtime& runtime_;
  const RunOptions& options_;
  std::int64_t ticket_;
  int depth_ = 0;
};

}  // namespace polaris
