#include "session/turns.h"

#include <new>
#include <utility>

namespace polaris {

Turns::~Turns() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    waiting_.clear();
  }
  for (const auto& weak : live_) {
    if (const auto ticket = weak.lock()) ticket->end();
  }
}

void Turns::submit(std::shared_ptr<TicketRun> ticket, Run run, bool ordered) {
  auto entry = std::make_shared<Entry>(Entry{std::move(ticket), std::move(run), ordered});
  const std::lock_guard lock(mutex_);
  std::erase_if(live_, [](const auto& weak) {
    const auto other = weak.lock();
    return !other || other->done();
  });
  live_.push_back(entry->ticket);
  if (ordered && (busy_ || !waiting_.empty())) {
    waiting_.push_back(std::move(entry));
    return;
  }
  const auto posted = post(entry);
  if (posted) {
    busy_ = busy_ || ordered;
  } else {
    entry->ticket->finish(posted.error());
  }
}

Status Turns::post(std::shared_ptr<Entry> entry) {
  return tasks_.post([this, entry = std::move(entry)] { run_entry(*entry); });
}

void Turns::run_entry(Entry& entry) {
  // A ticket that must not begin was ended with its session: nothing of it may be touched.
  if (!entry.ticket->begin()) return;
  Result<std::vector<Tensor>> result = std::vector<Tensor>();
  try {
    result = entry.run(*entry.ticket);
  } catch (const std::bad_alloc&) {
    result = Error::out_of_memory("[run] host memory ran out");
  }
  entry.run = nullptr;
  if (entry.ordered) pass_on();
  // Last: the session may end as soon as its tickets have.
  entry.ticket->finish(std::move(result));
}

void Turns::pass_on() {
  const std::lock_guard lock(mutex_);
  busy_ = false;
  while (!ending_ && !waiting_.empty()) {
    const std::shared_ptr<Entry> next = std::move(waiting_.front());
    waiting_.pop_front();
    try {
      const auto posted = post(next);
      busy_ = posted.ok();
      if (busy_) break;
      next->ticket->finish(posted.error());
    } catch (const std::bad_alloc&) {
      next->ticket->finish(Error::out_of_memory("[run] host memory ran out"));
    }
  }
  free_.notify_all();
}

Turns::Hold::Hold(Turns& turns, bool ordered) : turns_(turns), ordered_(ordered) {
  if (!ordered_) return;
  std::unique_lock lock(turns_.mutex_);
  turns_.free_.wait(lock, [&] { return !turns_.busy_ && turns_.waiting_.empty(); });
  turns_.busy_ = true;
}

Turns::Hold::~Hold() {
  if (ordered_) turns_.pass_on();
}

}  // namespace polaris
