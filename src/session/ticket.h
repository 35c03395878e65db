#pragma once
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "session/run_options.h"
#include "tensor/tensor.h"

namespace polaris {

/// What a ticket's run notes down. Shared, since the run may outlive who asked for it.
struct TicketOptions {
  std::shared_ptr<Trace> trace;                    // as RunOptions::trace
  std::shared_ptr<std::vector<NodeTime>> profile;  // as RunOptions::profile, of one ticket each
  std::shared_ptr<RunOrder> order = nullptr;       // as RunOptions::order, with its place
  std::size_t place = 0;
  /// Asked in place of the ticket's own, and outlives its run.
  const CancelToken* cancel = nullptr;
};

/// A ticket as its run and its session see it; owned by all who still need it.
class TicketRun {
 public:
  TicketRun(std::int64_t id, TicketOptions options) : id_(id), options_(std::move(options)) {}
  std::int64_t id() const { return id_; }
  /// For the run; points into this object.
  RunOptions run_options();
  const TicketOptions& options() const { return options_; }
  void cancel() { cancel_.cancel(); }
  /// False where the ticket is over already: its run must not begin.
  bool begin();
  void finish(Result<std::vector<Tensor>> result);
  /// Cancels. A run that has not begun is over at once; one under way is waited for.
  void end();
  bool done() const;
  Result<std::vector<Tensor>> wait();

 private:
  enum class Phase : std::uint8_t { kQueued, kRunning, kDone };
  std::int64_t id_;
  TicketOptions options_;
  CancelToken cancel_;
  mutable std::mutex mutex_;
  std::condition_variable over_;
  Phase phase_ = Phase::kQueued;
  std::optional<Result<std::vector<Tensor>>> result_;  // gone when it is taken
};

/// A run under way or done. May outlive its session, whose end cancels it. Dropping a ticket that
/// is not done cancels its run and does not wait for it.
class Ticket {
 public:
  Ticket() = default;
  explicit Ticket(std::shared_ptr<TicketRun> run) : run_(std::move(run)) {}
  Ticket(Ticket&&) = default;
  Ticket& operator=(Ticket&& other) noexcept;
  ~Ticket();
  /// Blocks until the run is over; its outputs in the order in which they were asked for. Once.
  /// Errors: what the run found; cancelled; invalid where they were taken before.
  Result<std::vector<Tensor>> wait();
  void cancel();
  bool done() const { return !run_ || run_->done(); }
  std::int64_t id() const { return run_ ? run_->id() : 0; }

 private:
  std::shared_ptr<TicketRun> run_;
};

}  // namespace polaris
