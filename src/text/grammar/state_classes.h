#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "text/grammar/grammar.h"

namespace polaris::grammar {

/// Which states of a grammar lead alike for the next bytes, within their rule: those of a counted
/// repeat do where its bounds are further away than that.
class StateClasses {
 public:
  /// Numbers of bytes that states are compared over.
  static constexpr std::array<std::uint32_t, 5> kDepths = {2, 4, 8, 16, 32};
  static constexpr std::size_t kStatesMax = 1 << 16;  // of larger grammars each state is its own
  static constexpr std::size_t kStepsMax = 1 << 17;

  explicit StateClasses(const Grammar& grammar);

  /// The least of kDepths that is no less than `bytes`, by its index.
  static std::size_t level_of(std::uint32_t bytes) {
    std::size_t level = 0;
    while (level + 1 < kDepths.size() && kDepths[level] < bytes) ++level;
    return level;
  }
  /// States with one number lead alike for kDepths[level] bytes.
  std::uint32_t of(StateId state, std::size_t level) const {
    return classes_[level].empty() ? state : classes_[level][state];
  }
  /// Bytes that come at least before the state's rule ends; kDepths.back(): as many or more.
  std::uint32_t bytes_to_end(StateId state) const { return to_end_.empty() ? 0 : to_end_[state]; }

 private:
  std::array<std::vector<std::uint32_t>, kDepths.size()> classes_;
  std::vector<std::uint8_t> to_end_;
};

}  // namespace polaris::grammar
