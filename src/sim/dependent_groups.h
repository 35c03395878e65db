#pragma once
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "plan/plan.h"

namespace polaris::gcn {

/// Launches of a stage in groups that share no byte that one of them writes: what a device may run
/// at once. Between two groups it waits.
class DependentGroups {
 public:
  explicit DependentGroups(const Stage& stage) : stage_(stage) {}
  /// Takes the next launch; whether it begins a group.
  bool begins(const polaris::Launch& launch);

 private:
  struct Range {
    std::int64_t begin;
    std::int64_t end;
  };
  using Ranges = std::map<std::pair<int, std::int64_t>, std::vector<Range>>;
  void add(Ranges& to, const Operand& operand) const;
  static bool overlap(const Ranges& a, const Ranges& b);

  const Stage& stage_;
  bool first_ = true;
  Ranges reads_;  // of the group at hand
  Ranges writes_;
};

}  // namespace polaris::gcn
