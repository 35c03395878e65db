#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "session/task_queue.h"
#include "session/ticket.h"

namespace polaris {

/// The order in which one session's runs go. Where runs share states they go one at a time, tickets
/// in the order of their submission, each on a thread of `tasks` only while it runs; otherwise all
/// may run at once.
class Turns {
 public:
  Turns(TaskQueue& tasks, bool serial) : tasks_(tasks), serial_(serial) {}
  /// Ends every ticket: afterwards none runs.
  ~Turns();
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  using Run = std::function<Result<std::vector<Tensor>>(TicketRun&)>;
  void submit(std::shared_ptr<TicketRun> ticket, Run run);

  /// Holds the turn of a run on the caller's own thread, after all that was submitted before.
  class Hold {
   public:
    explicit Hold(Turns& turns);
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    Turns& turns_;
  };

 private:
  struct Entry {
    std::shared_ptr<TicketRun> ticket;
    Run run;
  };
  void post(std::shared_ptr<Entry> entry);
  void run_entry(Entry& entry);
  void pass_on();

  TaskQueue& tasks_;
  const bool serial_;
  std::mutex mutex_;
  std::condition_variable free_;
  bool busy_ = false;  // serial: somebody holds the turn
  bool ending_ = false;
  std::deque<std::shared_ptr<Entry>> waiting_;
  std::vector<std::weak_ptr<TicketRun>> live_;
};

}  // namespace polaris
