#include "backend/turn_queue.h"

#include <algorithm>

namespace polaris {
namespace {

constexpr std::size_t kFailuresMax = 64;
// Handed over at a time, as long as it is more than one unit: work that is cut to be shared is cut
// about as long, and a newcomer is to wait for one unit of it, not for two.
constexpr double kAheadUs = 0.6 * Device::kUnitUs;

}  // namespace

TurnQueue::TurnQueue(UnitHardware& hardware) : hardware_(hardware) {
  // Submitting allocates nothing later on.
  waiting_.reserve(kSlots);
  flights_.reserve(kSlots);
  for (Slot& slot : slots_) slot.after.reserve(8);
}

void TurnQueue::close() {
  {
    const Lock lock(mutex_);
    stop_ = true;
    while (!waiting_.empty()) fail(*waiting_.back(), Error::cancelled("[device] closed"));
    work_.notify_all();
    hardware_.wake();
  }
  feeder_.join();
}

template <class Over>
void TurnQueue::await(Lock& lock, Over over) {
  while (!over()) {
    if (no_feeder_) {
      let_hardware_work(lock);
      pump();
    } else {
      changed_.wait(lock);
    }
  }
}

/// A slot is used again once its earlier submission is done.
Status TurnQueue::make_room(Lock& lock, std::uint64_t number) {
  Slot& slot = slot_of(number);
  const std::uint64_t before = number > kSlots ? number - kSlots : 0;
  await(lock, [&] { return slot.number == before && slot.state != State::kWaiting; });
  if (slot.value == 0 || hardware_.reached(slot.value)) return Status::success();
  const std::uint64_t value = slot.value;
  lock.unlock();
  const Status waited = hardware_.wait(value);
  lock.lock();
  return waited;
}

Result<std::uint64_t> TurnQueue::submit(const Request& request) {
  Lock lock(mutex_);
  const std::uint64_t number = ++last_number_;
  const Status room = make_room(lock, number);
  Slot& slot = slot_of(number);
  slot.number = number;
  slot.state = room ? State::kWaiting : State::kFailed;
  slot.source = request.source;
  slot.next = 0;
  slot.after.assign(request.after.begin(), request.after.end());
  slot.behind = request.behind;
  slot.copies = request.copies;
  slot.cancel = request.cancel;
  slot.value = 0;
  slot.error.reset();
  if (!room) {
    slot.error = room.error();
    changed_.notify_all();
    return room.error();
  }
  waiting_.push_back(&slot);
  note_contention(slot);
  pump();
  if (slot.state == State::kFailed) {
    const Error error = *slot.error;
    (void)settle(lock, slot).ok();  // the failure it reports is this one
    return error;
  }
  if (slot.state == State::kWaiting) keep_going();
  return number;
}

/// A submission that follows what is under way is of the same run, and disturbs nobody.
void TurnQueue::note_contention(const Slot& slot) {
  land();
  const bool follows = std::any_of(slot.after.begin(), slot.after.end(), [&](std::uint64_t before) {
    const Slot& other = slot_of(before);
    return other.number == before &&
           (other.state == State::kWaiting || !hardware_.reached(other.value));
  });
  const bool others = !flights_.empty() || waiting_.size() > 1;
  if (others && !follows) contended_.fetch_add(1, std::memory_order_relaxed);
}

Status TurnQueue::wait(std::uint64_t number) {
  Lock lock(mutex_);
  Slot& slot = slot_of(number);
  await(lock, [&] { return slot.number != number || slot.state != State::kWaiting; });
  if (slot.number == number) return settle(lock, slot);
  // Its slot is a later one's, which waited for it.
  for (const Failure& failure : failures_) {
    if (failure.number == number) return failure.error;
  }
  return Status::success();
}

/// Waits until nothing of a submission that was handed over, or failed, is under way.
Status TurnQueue::settle(Lock& lock, Slot& slot) {
  const std::uint64_t value = slot.value;
  const std::optional<Error> error = slot.error;
  lock.unlock();
  const Status waited = value == 0 ? Status::success() : hardware_.wait(value);
  lock.lock();
  return error ? Status(*error) : waited;
}

bool TurnQueue::done(std::uint64_t number) {
  const Lock lock(mutex_);
  const Slot& slot = slot_of(number);
  if (slot.number != number) return number <= last_number_;
  if (slot.state == State::kWaiting) return false;
  return slot.value == 0 || hardware_.reached(slot.value);
}

bool TurnQueue::failed(std::uint64_t number) const {
  const Lock lock(mutex_);
  return std::any_of(failures_.begin(), failures_.end(),
                     [&](const Failure& failure) { return failure.number == number; });
}

std::int64_t TurnQueue::turns_given() const {
  const Lock lock(mutex_);
  return turns_given_;
}

void TurnQueue::land() {
  std::size_t landed = 0;
  while (landed < flights_.size() && hardware_.reached(flights_[landed].value)) {
    flying_us_ -= flights_[landed].us;
    ++landed;
  }
  flights_.erase(flights_.begin(), flights_.begin() + static_cast<std::ptrdiff_t>(landed));
  if (flights_.empty()) flying_us_ = 0;
}

bool TurnQueue::has_room(const Slot& slot) const {
  if (flights_.empty() || slot.next >= slot.source->unit_count()) return true;
  return flying_us_ + slot.source->unit_us(slot.next) <= kAheadUs && flights_.size() < kSlots;
}

/// Whether what it follows lets it start. It fails with what it follows.
bool TurnQueue::ready(Slot& slot) {
  // Asked once a look, and remembered: what is awaited below must be what was found wanting here.
  if (slot.copies != 0 && hardware_.copies_reached(slot.copies)) slot.copies = 0;
  std::optional<Error> broken;
  const auto left = [&](std::uint64_t number) {
    const Slot& other = slot_of(number);
    return other.number != number || other.state != State::kWaiting;
  };
  std::erase_if(slot.after, [&](std::uint64_t number) {
    if (!left(number)) return false;
    if (const Slot& other = slot_of(number);
        other.number == number && other.state == State::kFailed) {
      broken = other.error;
    }
    return true;
  });
  if (broken) {
    fail(slot, *broken);
    return false;
  }
  return slot.after.empty() && left(slot.behind) && slot.copies == 0;
}

/// The submission whose turn it is: one that never had one at every second turn, else the one whose
/// last turn is longest ago.
TurnQueue::Slot* TurnQueue::choose() {
  Slot* veteran = nullptr;
  Slot* newcomer = nullptr;
  for (std::size_t i = 0; i < waiting_.size();) {
    Slot& slot = *waiting_[i];
    const bool can_start = ready(slot);
    if (slot.state != State::kWaiting) continue;  // it failed and left the list
    ++i;
    if (!can_start) continue;
    Slot*& first = slot.started() ? veteran : newcomer;
    if (first == nullptr) first = &slot;
  }
  veteran_waits_ = veteran != nullptr;
  if (newcomer == nullptr || (veteran_waits_ && veteran_passed_)) return veteran;
  return newcomer;
}

void TurnQueue::pump() {
  land();
  while (Slot* slot = choose()) {
    if (slot->cancel != nullptr && slot->cancel->cancelled()) {
      fail(*slot, Error::cancelled("[device] stopped on request"));
      continue;
    }
    if (!has_room(*slot)) return;
    send(*slot);
  }
}

void TurnQueue::send(Slot& slot) {
  veteran_passed_ = veteran_waits_ && !slot.started();
  if (last_sent_ != nullptr && last_sent_ != &slot && last_sent_->state == State::kWaiting) {
    ++turns_given_;
  }
  last_sent_ = &slot;
  if (slot.source->unit_count() == 0) return leave(slot, State::kSent);
  const Result<std::uint64_t> value = slot.source->send_unit(slot.next);
  if (!value) return fail(slot, value.error());
  slot.value = last_value_ = *value;
  const double us = slot.source->unit_us(slot.next);
  flights_.push_back({*value, us});
  flying_us_ += us;
  ++slot.next;
  if (slot.next == slot.source->unit_count()) return leave(slot, State::kSent);
  // To the end of the line.
  std::erase(waiting_, &slot);
  waiting_.push_back(&slot);
}

void TurnQueue::fail(Slot& slot, const Error& error) {
  slot.error = error;
  slot.value = last_value_;
  if (failures_.size() == kFailuresMax) failures_.erase(failures_.begin());
  failures_.push_back({slot.number, error});
  leave(slot, State::kFailed);
}

void TurnQueue::leave(Slot& slot, State state) {
  slot.state = state;
  std::erase(waiting_, &slot);
  changed_.notify_all();
}

/// Sees to it that what waits gets its turn.
void TurnQueue::keep_going() {
  if (feeding_) return hardware_.wake();
  if (feeder_.id() == Thread::Id() && !no_feeder_) {
    auto started = Thread::start([this] { feed(); });
    if (started) {
      feeder_ = started.take();
    } else {
      no_feeder_ = true;
    }
  }
  work_.notify_one();
}

std::uint64_t TurnQueue::copies_awaited() const {
  std::uint64_t least = 0;
  for (const Slot* slot : waiting_) {
    if (slot->copies == 0) continue;
    least = least == 0 ? slot->copies : std::min(least, slot->copies);
  }
  return least;
}

/// Waits, unlocked, until the hardware is further or something new came.
void TurnQueue::let_hardware_work(Lock& lock) {
  const std::uint64_t value = flights_.empty() ? 0 : flights_.front().value;
  const std::uint64_t copies = copies_awaited();
  feeding_ = true;
  lock.unlock();
  const Status waited = hardware_.wait_any(value, copies);
  lock.lock();
  feeding_ = false;
  while (!waited && !waiting_.empty()) fail(*waiting_.back(), waited.error());
}

void TurnQueue::feed() {
  Lock lock(mutex_);
  while (!stop_) {
    pump();
    if (waiting_.empty()) {
      work_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
    } else {
      let_hardware_work(lock);
    }
  }
}

}  // namespace polaris
