// All states are written as if at once, whichever of them reads which.

#include "session/state_write.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "session/value_move.h"
#include "support/session_run.h"
#include "support/text_program.h"

namespace polaris::test {
namespace {

/// States of one number each, and which state's old value becomes whose new one; -1: a number of
/// the host's.
class Case {
 public:
  explicit Case(std::shared_ptr<Runtime> runtime) : runtime_(std::move(runtime)) {}

  void check(const std::vector<int>& sources) {
    states_.clear();
    for (std::size_t i = 0; i < sources.size(); ++i) {
      auto state = copy_to(*runtime_, ValueRef::of(number(static_cast<float>(i))), 0);
      REQUIRE(state);
      states_.push_back(state.take());
    }
    std::vector<StateWrite> writes;
    for (std::size_t i = 0; i < sources.size(); ++i) {
      ValueRef from = sources[i] < 0 ? ValueRef::of(number(100.0f + static_cast<float>(i)))
                                     : states_[static_cast<std::size_t>(sources[i])];
      from.lease.reset();  // as a state's value comes
      writes.push_back({std::move(from), 0, states_[i].view});
    }
    const Status status = write_states(*runtime_, std::move(writes));
    REQUIRE_MESSAGE(status, status.error().message());
    for (std::size_t i = 0; i < sources.size(); ++i) {
      CAPTURE(i);
      const auto got = to_host(*runtime_, states_[i], {});
      REQUIRE(got);
      const float wanted =
          sources[i] < 0 ? 100.0f + static_cast<float>(i) : static_cast<float>(sources[i]);
      CHECK(got->data<float>()[0] == wanted);
    }
  }

 private:
  static Tensor number(float value) { return floats({1}, {value}); }
  std::shared_ptr<Runtime> runtime_;
  std::vector<ValueRef> states_;
};

}  // namespace

TEST_CASE("state writes: up to four states, every way to read each other or the host") {
  for (const std::string name : {"reference", "cpu"}) {
    Case test(make_runtime({name}));
    for (int count = 1; count <= 4; ++count) {
      int ways = 1;
      for (int i = 0; i < count; ++i) ways *= count + 1;
      for (int way = 0; way < ways; ++way) {
        std::vector<int> sources;
        for (int i = 0, left = way; i < count; ++i, left /= count + 1) {
          sources.push_back(left % (count + 1) - 1);
        }
        CAPTURE(way);
        test.check(sources);
      }
    }
  }
}

TEST_CASE("state writes: many states, random readers, long chains and rings") {
  Case test(make_runtime({"reference"}));
  std::mt19937 random(3);
  for (int round = 0; round < 50; ++round) {
    std::vector<int> sources;
    for (int i = 0; i < 40; ++i) sources.push_back(static_cast<int>(random() % 41) - 1);
    CAPTURE(round);
    test.check(sources);
  }
  for (const int step : {1, 2, 39}) {
    std::vector<int> ring;
    for (int i = 0; i < 40; ++i) ring.push_back((i + step) % 40);
    CAPTURE(step);
    test.check(ring);
    ring[7] = -1;  // a chain
    test.check(ring);
  }
}

}  // namespace polaris::test
