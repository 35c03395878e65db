#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "session/kv_pool.h"
#include "session/program.h"
#include "session/run_options.h"
#include "session/ticket.h"
#include "session/turns.h"
#include "session/value_ref.h"

namespace polaris {

/// A program with its states: what one user of it runs. States that are not paged live here and
/// are updated by each run, so the runs of such sessions go one at a time, tickets in the order of
/// their submission; others run at once. Its end cancels its tickets and waits for those under way.
class Session {
 public:
  /// States start at their initial values. `pool` holds the paged states, if there are any.
  /// Errors: out_of_memory; invalid where the program has paged states and there is no pool.
  static Result<std::unique_ptr<Session>> create(std::shared_ptr<Program> program,
                                                 std::shared_ptr<KvPool> pool = nullptr);
  /// Runs and waits. `inputs` in the graph's order, of the declared dtypes and ranks. `outputs`
  /// receives the results; tensors in it that are its own and of the right type are refilled.
  Status run(std::span<const Tensor> inputs, std::vector<Tensor>& outputs,
             const RunOptions& options = {});
  /// Runs on another thread. The ticket owns what its run needs; dropping it cancels the run.
  Result<Ticket> submit(std::vector<Tensor> inputs, TicketOptions options = {});
  /// States back to their initial values.
  Status reset();
  Program& program() { return *program_; }

 private:
  explicit Session(std::shared_ptr<Program> program) : program_(std::move(program)) {}
  Status check_inputs(std::span<const Tensor> inputs) const;
  Status run_once(std::span<const Tensor> inputs, std::vector<Tensor>& outputs,
                  const RunOptions& options, std::int64_t ticket);
  std::shared_ptr<Program> program_;
  std::shared_ptr<KvPool> pool_;
  std::vector<std::unique_ptr<Buffer>> state_buffers_;
  BoundStates states_;
  std::unique_ptr<Turns> turns_;  // last: its tickets end before anything they use
};

}  // namespace polaris
