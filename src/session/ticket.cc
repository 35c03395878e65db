#include "session/ticket.h"

#include <utility>

namespace polaris {

RunOptions TicketRun::run_options() {
  RunOptions out;
  out.cancel = options_.cancel != nullptr ? options_.cancel : &cancel_;
  out.trace = options_.trace.get();
  out.profile = options_.profile.get();
  out.order = options_.order.get();
  out.place = options_.place;
  return out;
}

bool TicketRun::begin() {
  const std::lock_guard lock(mutex_);
  if (phase_ != Phase::kQueued) return false;
  phase_ = Phase::kRunning;
  return true;
}

void TicketRun::finish(Result<std::vector<Tensor>> result) {
  const std::lock_guard lock(mutex_);
  result_ = std::move(result);
  phase_ = Phase::kDone;
  over_.notify_all();
}

void TicketRun::end() {
  cancel();
  std::unique_lock lock(mutex_);
  if (phase_ == Phase::kQueued) {
    result_ = Error::cancelled("[run] the session ended before the run began");
    phase_ = Phase::kDone;
    over_.notify_all();
  }
  over_.wait(lock, [this] { return phase_ == Phase::kDone; });
}

bool TicketRun::done() const {
  const std::lock_guard lock(mutex_);
  return phase_ == Phase::kDone;
}

Result<std::vector<Tensor>> TicketRun::wait() {
  std::unique_lock lock(mutex_);
  over_.wait(lock, [this] { return phase_ == Phase::kDone; });
  if (!result_) return Error::invalid("[run] the ticket's outputs were taken before");
  Result<std::vector<Tensor>> out = std::move(*result_);
  result_.reset();
  return out;
}

Ticket& Ticket::operator=(Ticket&& other) noexcept {
  if (this == &other) return *this;
  cancel();
  run_ = std::move(other.run_);
  return *this;
}

Ticket::~Ticket() { cancel(); }

Result<std::vector<Tensor>> Ticket::wait() {
  if (!run_) return Error::invalid("[run] the ticket is empty");
  return run_->wait();
}

void Ticket::cancel() {
  if (run_) run_->cancel();
}

}  // namespace polaris
