#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ir/op_def.h"

namespace polaris {

/// The operators a program may use: the built-in list plus those added by plugins. A value passed
/// to loaders, passes and planner; OpDefs outlive every graph that names them.
class OpSet {
 public:
  /// All of src/ir/op/.
  static OpSet builtin();
  const OpDef* find(std::string_view name, std::string_view domain = "") const;
  /// By "Name" or "domain.Name".
  const OpDef* find_full(std::string_view full_name) const;
  /// Adds a run-time op. Errors: invalid where name and domain are taken.
  Status add(std::shared_ptr<const OpDef> op);
  /// Sorted by domain, then name.
  std::vector<const OpDef*> all() const;

 private:
  std::map<std::string, const OpDef*, std::less<>> ops_;  // key "domain.name"
  std::vector<std::shared_ptr<const OpDef>> added_;
};

}  // namespace polaris
