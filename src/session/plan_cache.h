#pragma once
#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "session/stage_loader.h"

namespace polaris {

/// The loaded stages of a program, by key; the least recently used go first. Thread-safe.
class PlanCache {
 public:
  using Plan = std::shared_ptr<const LoadedStage>;
  explicit PlanCache(std::size_t plans_max) : plans_max_(plans_max) {}
  /// The plan for `key`, made now if it is not there.
  Result<Plan> get(const std::string& key,
                   const std::function<Result<std::unique_ptr<LoadedStage>>()>& make);
  void for_each(const std::function<void(const LoadedStage&)>& visit) const;

 private:
  struct Cached {
    Plan plan;
    std::list<const std::string*>::iterator used;
  };
  const std::size_t plans_max_;
  mutable std::mutex mutex_;  // plans, and their making: no stage is planned twice
  std::map<std::string, Cached, std::less<>> plans_;
  std::list<const std::string*> by_use_;  // front: most recent
};

}  // namespace polaris
