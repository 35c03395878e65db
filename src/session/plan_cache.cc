#include "session/plan_cache.h"

#include <utility>

namespace polaris {

Result<PlanCache::Plan> PlanCache::get(
    const std::string& key, const std::function<Result<std::unique_ptr<LoadedStage>>()>& make) {
  const std::lock_guard lock(mutex_);
  if (const auto at = plans_.find(key); at != plans_.end()) {
    by_use_.splice(by_use_.begin(), by_use_, at->second.used);
    return at->second.plan;
  }
  auto made = make();
  if (!made) return made.error();
  while (plans_.size() >= plans_max_) {
    const std::string oldest = *by_use_.back();
    by_use_.pop_back();
    plans_.erase(oldest);
  }
  Plan plan(made.take());
  const auto at = plans_.emplace(key, Cached{plan, {}}).first;
  by_use_.push_front(&at->first);
  at->second.used = by_use_.begin();
  return plan;
}

void PlanCache::for_each(const std::function<void(const LoadedStage&)>& visit) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, cached] : plans_) visit(*cached.plan);
}

}  // namespace polaris
