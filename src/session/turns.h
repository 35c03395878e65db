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

/// The order in which one session's runs go. Ordered ones go one at a time, tickets in the order of
/// their submission, each on a thread of `tasks` only while it runs; others run at once.
class Turns {
 public:
  explicit Turns(TaskQueue& tasks) : tasks_(tasks) {}
  /// Ends every ticket: afterwards none runs.
  ~Turns();
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  using Run = std::function<Result<std::vector<Tensor>>(TicketRun&)>;
  void submit(std::shared_ptr<TicketRun> ticket, Run run, bool ordered);

  /// Holds the turn of an ordered run on the caller's own thread, after all that was submitted
  /// before.
  class Hold {
   public:
    Hold(Turns& turns, bool ordered);
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    Turns& turns_;
    bool ordered_;
  };

 private:
  struct Entry {
    std::shared_ptr<TicketRun> ticket;
    Run run;
    bool ordered = false;
  };
  Status post(std::shared_ptr<Entry> entry);
  void run_entry(Entry& entry);
  void pass_on();

  TaskQueue& tasks_;
  std::mutex mutex_;
  std::condition_variable free_;
  bool busy_ = false;  // somebody holds the turn
  bool ending_ = false;
  std::deque<std::shared_ptr<Entry>> waiting_;
  std::vector<std::weak_ptr<TicketRun>> live_;
};

}  // namespace polaris
