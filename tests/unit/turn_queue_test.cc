#include "backend/turn_queue.h"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

namespace polaris {
namespace {

/// Hardware whose work is done when the test says so.
class FakeHardware final : public UnitHardware {
 public:
  bool reached(std::uint64_t value) override {
    const std::lock_guard lock(mutex_);
    return value <= done_;
  }
  Status wait(std::uint64_t value) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return value <= done_; });
    return Status::success();
  }
  bool copies_reached(std::uint64_t value) override {
    const std::lock_guard lock(mutex_);
    const bool reached = value <= copies_;
    if (looks_left_ > 0 && --looks_left_ == 0) copies_ = value;
    return reached;
  }
  Status wait_any(std::uint64_t value, std::uint64_t copies) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] {
      return lost_ || woken_ > noticed_ || (value != 0 && value <= done_) ||
             (copies != 0 && copies <= copies_);
    });
    noticed_ = woken_;
    return lost_ ? Status(Error::device("lost")) : Status::success();
  }
  void wake() override {
    const std::lock_guard lock(mutex_);
    ++woken_;
    changed_.notify_all();
  }
  void finish(std::uint64_t value) { set(done_, value); }
  void finish_copies(std::uint64_t value) { set(copies_, value); }
  /// The copy that is asked for ends right after it was found not to have ended so often.
  void end_copies_after_looks(int looks) { looks_left_ = looks; }
  void lose() {
    const std::lock_guard lock(mutex_);
    lost_ = true;
    done_ = UINT64_MAX;
    changed_.notify_all();
  }

  std::uint64_t send(const std::string& unit) {
    const std::lock_guard lock(mutex_);
    log_.push_back(unit);
    changed_.notify_all();
    return log_.size();
  }
  /// What was handed over, once it is at least so much.
  std::vector<std::string> log(std::size_t at_least) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return log_.size() >= at_least; });
    return log_;
  }

 private:
  void set(std::uint64_t& at, std::uint64_t value) {
    const std::lock_guard lock(mutex_);
    at = value;
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t done_ = 0;
  std::uint64_t copies_ = 0;
  int looks_left_ = 0;
  std::uint64_t woken_ = 0;
  std::uint64_t noticed_ = 0;
  bool lost_ = false;
  std::vector<std::string> log_;
};

class FakeWork final : public UnitSource {
 public:
  FakeWork(FakeHardware& hardware, std::string name, std::size_t units, double us)
      : hardware_(hardware), name_(std::move(name)), units_(units), us_(us) {}
  std::size_t unit_count() const override { return units_; }
  double unit_us(std::size_t) const override { return us_; }
  Result<std::uint64_t> send_unit(std::size_t unit) override {
    if (unit == fails_at) return Error::out_of_memory("as asked for");
    return hardware_.send(name_ + std::to_string(unit));
  }
  std::size_t fails_at = SIZE_MAX;

 private:
  FakeHardware& hardware_;
  std::string name_;
  std::size_t units_;
  double us_;
};

// Works stand before their queue: it reads them until it ends.
using Log = std::vector<std::string>;
constexpr double kLong = Device::kUnitUs;

TEST_CASE("turn queue: a unit's work is handed over at a time; newcomers get every second turn") {
  FakeHardware hardware;
  FakeWork a(hardware, "a", 4, kLong);
  FakeWork b(hardware, "b", 1, kLong);
  FakeWork c(hardware, "c", 1, kLong);
  TurnQueue queue(hardware);
  REQUIRE(queue.submit({&a}));
  REQUIRE(queue.submit({&b}));
  auto last = queue.submit({&c});
  REQUIRE(last);
  CHECK(hardware.log(1) == Log{"a0"});
  const Log wanted = {"a0", "b0", "a1", "c0", "a2", "a3"};
  for (std::size_t n = 1; n < wanted.size(); ++n) {
    hardware.finish(n);
    CHECK(hardware.log(n + 1) == Log(wanted.begin(), wanted.begin() + static_cast<long>(n) + 1));
  }
  CHECK(queue.turns_given() == 2);
  CHECK(queue.done(*last));
  hardware.finish(wanted.size());
}

TEST_CASE("turn queue: two long jobs alternate, and neither starves under newcomers") {
  FakeHardware hardware;
  FakeWork a(hardware, "a", 3, kLong);
  FakeWork b(hardware, "b", 3, kLong);
  FakeWork n(hardware, "n", 1, kLong);
  TurnQueue queue(hardware);
  REQUIRE(queue.submit({&a}));
  REQUIRE(queue.submit({&b}));
  for (int i = 0; i < 4; ++i) REQUIRE(queue.submit({&n}));
  const Log wanted = {"a0", "b0", "a1", "n0", "b1", "n0", "a2", "n0", "b2", "n0"};
  for (std::size_t at = 1; at < wanted.size(); ++at) {
    hardware.finish(at);
    (void)hardware.log(at + 1);
  }
  CHECK(hardware.log(wanted.size()) == wanted);
  hardware.finish(wanted.size());
}

TEST_CASE("turn queue: short units go together up to a unit's time, without a thread") {
  FakeHardware hardware;
  FakeWork a(hardware, "a", 3, kLong / 8);
  FakeWork b(hardware, "b", 1, kLong / 8);
  FakeWork c(hardware, "c", 1, kLong / 8);
  TurnQueue queue(hardware);
  REQUIRE(queue.submit({&a}));
  REQUIRE(queue.submit({&b}));
  auto held_back = queue.submit({&c});
  REQUIRE(held_back);
  CHECK(hardware.log(4) == Log{"a0", "a1", "a2", "b0"});
  CHECK_FALSE(queue.done(*held_back));
  CHECK(queue.contended() == 2);
  hardware.finish(1);
  CHECK(hardware.log(5).back() == "c0");
  hardware.finish(5);
  CHECK(queue.wait(*held_back));
}

TEST_CASE("turn queue: work waits for what it follows, and others pass it") {
  FakeHardware hardware;
  FakeWork a(hardware, "a", 2, kLong);
  FakeWork b(hardware, "b", 1, 1);
  FakeWork c(hardware, "c", 1, 1);
  FakeWork d(hardware, "d", 1, 1);
  TurnQueue queue(hardware);
  auto first = queue.submit({&a});
  REQUIRE(first);
  const std::uint64_t after[] = {*first};
  REQUIRE(queue.submit({&b, after}));
  REQUIRE(queue.submit({.source = &c, .copies = 7}));
  auto free = queue.submit({&d});
  REQUIRE(free);
  hardware.finish(1);
  CHECK(hardware.log(2) == Log{"a0", "d0"});
  hardware.finish(2);
  CHECK(hardware.log(3).back() == "a1");
  CHECK(queue.wait(*free).ok());
  hardware.finish(3);
  CHECK(hardware.log(4).back() == "b0");
  hardware.finish_copies(7);
  CHECK(hardware.log(5).back() == "c0");
  hardware.finish(5);
}

TEST_CASE("turn queue: a copy that ends between two looks is not waited for for ever") {
  for (int looks = 1; looks <= 2; ++looks) {
    CAPTURE(looks);
    FakeHardware hardware;
    hardware.end_copies_after_looks(looks);
    FakeWork a(hardware, "a", 1, 1);
    TurnQueue queue(hardware);
    auto first = queue.submit({.source = &a, .copies = 3});
    REQUIRE(first);
    // Nothing else ends it: what looked last must look again.
    CHECK(hardware.log(1) == Log{"a0"});
    hardware.finish(1);
    CHECK(queue.wait(*first).ok());
  }
}

TEST_CASE("turn queue: a failure is told once nothing of the work is under way") {
  FakeHardware hardware;
  FakeWork a(hardware, "a", 3, 1);
  TurnQueue queue(hardware);
  a.fails_at = 2;
  bool told = false;
  auto caller = Thread::start([&] {
    auto failed = queue.submit({&a});
    told = !failed && failed.error().code() == ErrorCode::kOutOfMemory;
  });
  REQUIRE(caller);
  CHECK(hardware.log(2) == Log{"a0", "a1"});
  hardware.finish(1);
  std::this_thread::yield();
  hardware.finish(2);
  caller->join();
  CHECK(told);
}

TEST_CASE("turn queue: what follows a failure fails with it, what is only behind it runs") {
  FakeHardware hardware;
  FakeWork a(hardware, "a", 3, kLong);
  TurnQueue queue(hardware);
  a.fails_at = 1;
  FakeWork b(hardware, "b", 1, 1);
  FakeWork c(hardware, "c", 1, 1);
  auto first = queue.submit({&a});
  REQUIRE(first);
  const std::uint64_t after[] = {*first};
  auto follower = queue.submit({&b, after});
  auto behind = queue.submit({.source = &c, .behind = *first});
  REQUIRE(follower);
  REQUIRE(behind);
  hardware.finish(1);
  CHECK(hardware.log(2) == Log{"a0", "c0"});
  hardware.finish(2);
  CHECK(queue.wait(*first).ok() == false);
  CHECK(queue.wait(*follower).ok() == false);
  CHECK(queue.wait(*behind).ok());
  CHECK(queue.failed(*first));
  CHECK_FALSE(queue.failed(*behind));
  // Long after its slot is another's, a failure is still one.
  for (int i = 0; i < 600; ++i) {
    auto next = queue.submit({&c});
    REQUIRE(next);
    hardware.finish(UINT64_MAX - 1);
    CHECK(queue.wait(*next));
  }
  CHECK(queue.wait(*first).ok() == false);
  CHECK(queue.wait(*behind).ok());
}

TEST_CASE("turn queue: a cancel takes effect between two units, and a lost device ends all") {
  FakeHardware hardware;
  FakeWork a(hardware, "a", 100, kLong);
  TurnQueue queue(hardware);
  CancelToken cancel;
  auto first = queue.submit({.source = &a, .cancel = &cancel});
  REQUIRE(first);
  cancel.cancel();
  hardware.finish(1);
  const Status stopped = queue.wait(*first);
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code() == ErrorCode::kCancelled);
  CHECK(hardware.log(1) == Log{"a0"});
  auto second = queue.submit({&a});
  REQUIRE(second);
  hardware.lose();
  CHECK_FALSE(queue.wait(*second));
}

TEST_CASE("turn queue: closing drops what was not handed over") {
  FakeHardware hardware;
  FakeWork a(hardware, "a", 5, kLong);
  TurnQueue queue(hardware);
  auto first = queue.submit({&a});
  REQUIRE(first);
  hardware.finish(1);
  queue.close();
  hardware.finish(5);
  const Status dropped = queue.wait(*first);
  CHECK_FALSE(dropped);
  CHECK(queue.done(*first));
}

}  // namespace
}  // namespace polaris
