#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "session/bindings.h"
#include "session/kept_values.h"
#include "session/kv_pool.h"
#include "session/program.h"
#include "session/run_options.h"
#include "session/run_request.h"
#include "session/session_states.h"
#include "session/state_write.h"
#include "session/ticket.h"
#include "session/turns.h"

namespace polaris {

/// A program with its states: what one user of it runs. A run gets its inputs from host tensors,
/// from values that earlier runs kept on their devices, and from states; what nobody asks for is
/// not brought to the host. Runs that read or change what outlives them (states that are not paged,
/// kept values) go one at a time, tickets in the order of their submission; others run at once. Its
/// end cancels its tickets and waits for those under way. Thread-safe.
///
/// Symbols get their sizes from the inputs of each run: one size for all inputs, at most its bound,
/// a bucketed one in a bucket. Whoever binds the inputs pads them to buckets.
class Session {
 public:
  /// States start at their first values. `pool` holds the paged states, if there are any.
  /// Errors: out_of_memory; invalid where the program has paged states and there is no pool.
  static Result<std::unique_ptr<Session>> create(std::shared_ptr<Program> program,
                                                 std::shared_ptr<KvPool> pool = nullptr);

  /// Runs a function and waits. `outputs` receives those bound to the host, in the order in which
  /// they were asked for; tensors in it that are its own and of the right type are refilled.
  /// Errors: not_found (a name that is not there, an input that is not bound), invalid (what does
  /// not fit), what the run finds. After an error states and kept values are as before, but for
  /// states that the function writes in place.
  Status run(std::string_view function, const Bindings& bindings, std::vector<Tensor>& outputs,
             const RunOptions& options = {});
  /// The short form: Program::main() on host tensors in the graph's order, all outputs to the host.
  Status run(std::span<const Tensor> inputs, std::vector<Tensor>& outputs,
             const RunOptions& options = {});

  /// Runs on another thread. The ticket owns what its run needs; dropping it cancels the run.
  Result<Ticket> submit(std::string_view function, const Bindings& bindings,
                        TicketOptions options = {});
  Result<Ticket> submit(std::vector<Tensor> inputs, TicketOptions options = {});

  /// The value that a run kept under this name, on the host. Errors: not_found.
  Result<Tensor> read_kept(std::string_view name);
  /// The bytes of row `row` of it, an index of its first axis, into `out`. Errors: not_found,
  /// invalid where there is no such row or it is not as long.
  Status read_kept_row(std::string_view name, std::int64_t row, std::span<std::byte> out);
  /// Frees a kept value; false where there is none.
  bool drop_kept(std::string_view name);

  /// States, by name; after the runs submitted before. Errors: not_found, unsupported (paged),
  /// invalid (a tensor of another type).
  Result<Tensor> read_state(std::string_view state);
  Status write_state(std::string_view state, const Tensor& tensor);
  /// Back to its first value.
  Status reset_state(std::string_view state);
  /// All of them.
  Status reset();
  Program& program() { return *program_; }

 private:
  explicit Session(std::shared_ptr<Program> program);
  Result<RunRequest> resolve(std::string_view function, const Bindings& bindings) const;
  Status run_here(const RunRequest& request, std::vector<Tensor>& outputs,
                  const RunOptions& options);
  Result<Ticket> submit_request(RunRequest request, TicketOptions options);
  Status run_request(const RunRequest& request, std::vector<Tensor>& outputs,
                     const RunOptions& options, std::int64_t ticket);
  Result<std::vector<ValueRef>> gather(const RunRequest& request);
  Status deliver(const RunRequest& request, std::span<const ValueRef> values,
                 std::vector<StateWrite> writes, std::vector<Tensor>& outputs);

  std::shared_ptr<Program> program_;
  std::shared_ptr<KvPool> pool_;
  SessionStates states_;
  std::map<const Function*, BoundStates> bound_;
  KeptValues kept_;
  Turns turns_;  // last: its tickets end before anything they use
};

}  // namespace polaris
