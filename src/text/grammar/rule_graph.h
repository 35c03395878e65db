#pragma once
#include <cstdint>
#include <vector>

#include "text/grammar/rules.h"

namespace polaris::grammar {

/// The steps of one rule: states numbered from 0, where it begins. Steps that take nothing lie
/// between states while it is made, and are gone from what finish() gives.
class RuleGraph {
 public:
  struct Step {
    std::uint32_t from = 0;
    std::uint32_t target = 0;
    RuleId rule = kMany;  // kMany: bytes
    std::uint8_t first = 0;
    std::uint8_t last = 0;
  };
  struct Finished {
    std::vector<Step> steps;  // by state
    std::vector<bool> ends;   // by state
  };

  RuleGraph() { add_state(); }
  std::uint32_t add_state() { return states_++; }
  std::uint32_t states() const { return states_; }
  std::size_t steps() const { return steps_.size() + free_.size(); }
  void add_bytes(std::uint32_t from, std::uint8_t first, std::uint8_t last, std::uint32_t target) {
    steps_.push_back({from, target, kMany, first, last});
  }
  void add_call(std::uint32_t from, RuleId rule, std::uint32_t target) {
    steps_.push_back({from, target, rule, 0, 0});
  }
  void add_free(std::uint32_t from, std::uint32_t target) { free_.push_back({from, target}); }

  /// `end`: where the rule ends. `not_empty`: it matches no empty text, though it may say so.
  /// Stops where there are more than `steps_max` steps, and gives more then.
  Finished finish(std::uint32_t end, bool not_empty, std::size_t steps_max) const;

 private:
  struct Free {
    std::uint32_t from = 0;
    std::uint32_t target = 0;
  };
  std::uint32_t states_ = 0;
  std::vector<Step> steps_;
  std::vector<Free> free_;
};

}  // namespace polaris::grammar
