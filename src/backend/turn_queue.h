#pragma once
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "backend/backend.h"
#include "base/os/thread.h"

namespace polaris {

/// Work cut in units that are handed to the hardware one by one. Stays until its run is over.
class UnitSource {
 public:
  virtual ~UnitSource() = default;
  virtual std::size_t unit_count() const = 0;
  /// How long the unit keeps the hardware, as far as is known.
  virtual double unit_us(std::size_t unit) const = 0;
  /// Hands it over. Returns the value that the hardware reaches once the unit is done; values rise.
  virtual Result<std::uint64_t> send_unit(std::size_t unit) = 0;
};

/// How far the hardware is. Thread-safe.
class UnitHardware {
 public:
  virtual ~UnitHardware() = default;
  virtual bool reached(std::uint64_t value) = 0;
  virtual Status wait(std::uint64_t value) = 0;
  /// The same for the queue of copies.
  virtual bool copies_reached(std::uint64_t value) = 0;
  /// Blocks until one of the values other than 0 is reached, or wake() was called since.
  virtual Status wait_any(std::uint64_t value, std::uint64_t copies) = 0;
  virtual void wake() = 0;
};

/// Submissions that take turns at one hardware queue. One unit is handed over at a time, or several
/// short ones, so that a newcomer waits for no more; then units of different submissions follow
/// each other, newcomers first at every second turn. A submission starts after those it names: they
/// are handed over before it (the hardware keeps order), and its copies are done. Thread-safe.
class TurnQueue {
 public:
  explicit TurnQueue(UnitHardware& hardware);
  ~TurnQueue() { close(); }
  TurnQueue(const TurnQueue&) = delete;
  TurnQueue& operator=(const TurnQueue&) = delete;

  struct Request {
    UnitSource* source = nullptr;
    std::span<const std::uint64_t> after = {};  // submissions; it fails with them
    std::uint64_t behind = 0;                   // a submission that it only follows
    std::uint64_t copies = 0;                   // a value of the queue of copies
    const CancelToken* cancel = nullptr;
  };
  /// Returns the submission's number; numbers rise. After an error nothing of it is under way.
  Result<std::uint64_t> submit(const Request& request);
  /// Until it is done. After an error nothing of it is under way.
  Status wait(std::uint64_t number);
  bool done(std::uint64_t number);
  /// Whether it failed, or was stopped, as far as is remembered.
  bool failed(std::uint64_t number) const;

  /// Drops what was not handed over yet, for good.
  void close();
  std::int64_t turns_given() const;
  /// Submissions that came while the hardware had other work than what they follow.
  std::int64_t contended() const { return contended_.load(std::memory_order_relaxed); }

 private:
  enum class State : std::uint8_t { kFree, kWaiting, kSent, kFailed };
  struct Slot {
    std::uint64_t number = 0;
    State state = State::kFree;
    UnitSource* source = nullptr;
    std::size_t next = 0;
    std::vector<std::uint64_t> after;
    std::uint64_t behind = 0;
    std::uint64_t copies = 0;
    const CancelToken* cancel = nullptr;
    /// At which nothing of it is under way: of its last unit, or where it failed, of the last unit
    /// at all, since what it follows may still run. 0: nothing was handed over.
    std::uint64_t value = 0;
    std::optional<Error> error;
    bool started() const { return next > 0; }
  };
  struct Flight {
    std::uint64_t value = 0;
    double us = 0;
  };
  using Lock = std::unique_lock<std::mutex>;
  static constexpr std::size_t kSlots = 256;

  Slot& slot_of(std::uint64_t number) { return slots_[number % kSlots]; }
  template <class Over>
  void await(Lock& lock, Over over);
  Status make_room(Lock& lock, std::uint64_t number);
  void pump();
  void land();
  bool has_room(const Slot& slot) const;
  bool ready(Slot& slot);
  Slot* choose();
  void send(Slot& slot);
  void fail(Slot& slot, const Error& error);
  void leave(Slot& slot, State state);
  void note_contention(const Slot& slot);
  void keep_going();
  void feed();
  void let_hardware_work(Lock& lock);
  std::uint64_t copies_awaited() const;
  Status settle(Lock& lock, Slot& slot);

  UnitHardware& hardware_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;  // a submission was handed over, or failed
  std::condition_variable work_;     // for the feeder
  std::array<Slot, kSlots> slots_;
  std::vector<Slot*> waiting_;  // by time of the last turn, never served ones behind
  std::vector<Flight> flights_;
  double flying_us_ = 0;
  std::uint64_t last_value_ = 0;  // handed over
  std::uint64_t last_number_ = 0;
  bool veteran_waits_ = false;   // as choose() saw last
  bool veteran_passed_ = false;  // a newcomer went before it at the last turn
  bool stop_ = false;
  bool feeding_ = false;  // the feeder waits for the hardware
  bool no_feeder_ = false;
  std::int64_t turns_given_ = 0;
  std::atomic<std::int64_t> contended_{0};
  const Slot* last_sent_ = nullptr;
  struct Failure {
    std::uint64_t number;
    Error error;
  };
  std::vector<Failure> failures_;  // the latest, longer than their slots live
  Thread feeder_;
};

}  // namespace polaris
