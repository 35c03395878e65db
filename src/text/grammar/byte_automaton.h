#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"

namespace polaris::grammar {

class Grammar;

/// Texts by their bytes: states numbered from 0, where all begin.
struct ByteAutomaton {
  struct Step {
    std::uint32_t from = 0;
    std::uint32_t target = 0;
    std::uint8_t first = 0;
    std::uint8_t last = 0;
  };
  std::vector<Step> steps;
  std::vector<bool> ends;  // by state
};

/// A grammar that a text must be of, or must not.
struct Demand {
  std::shared_ptr<const Grammar> grammar;
  bool wanted = true;
};

/// The texts that keep all demands, of which one at least is wanted; nothing where there are none.
/// Errors: exhausted where there are more than `states_max` states, as there are without end where
/// a grammar is no regular one.
Result<std::optional<ByteAutomaton>> meet(std::span<const Demand> demands, std::size_t states_max);

}  // namespace polaris::grammar
