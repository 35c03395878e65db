#include "session/plan_cache.h"

#include <condition_variable>
#include <utility>

namespace polaris {

/// A plan in the making, and those who wait for it.
struct PlanCache::Flight {
  std::condition_variable over;  // with the cache's mutex
  bool done = false;
  Plan plan;
  std::optional<Error> error;  // neither this nor a plan: host memory ran out
};

/// Ends a flight whatever happens, also where memory runs out on the way: a key that nobody makes
/// any more must not keep others waiting.
class PlanCache::Landing {
 public:
  Landing(PlanCache& cache, const std::string& key, std::shared_ptr<Flight> flight)
      : cache_(cache), key_(key), flight_(std::move(flight)) {}
  ~Landing() {
    const std::lock_guard lock(cache_.mutex_);
    flight_->done = true;
    cache_.flights_.erase(cache_.flights_.find(key_));
    flight_->over.notify_all();
  }
  Landing(const Landing&) = delete;
  Landing& operator=(const Landing&) = delete;

 private:
  PlanCache& cache_;
  const std::string& key_;
  std::shared_ptr<Flight> flight_;
};

Result<PlanCache::Plan> PlanCache::get(const Graph* graph, const std::string& key,
                                       const Make& make) {
  std::shared_ptr<Flight> flight;
  while (!flight) {
    std::unique_lock lock(mutex_);
    if (Plan plan = find(graph, key)) return plan;
    const auto at = flights_.find(key);
    if (at == flights_.end()) {
      flight = std::make_shared<Flight>();
      flights_.emplace(key, flight);
      continue;
    }
    const std::shared_ptr<Flight> other = at->second;
    other->over.wait(lock, [&] { return other->done; });
    if (other->plan) return other->plan;
    if (!other->error) return Error::out_of_memory("[plan] host memory ran out");
    if (other->error->code() != ErrorCode::kCancelled) return *other->error;
  }
  Plans dropped;  // freed last, under no lock: that may wait for a device
  const Landing landing(*this, key, flight);
  auto made = make();
  if (!made) {
    flight->error = made.error();
    return made.error();
  }
  Plan plan(made.take());
  const std::lock_guard lock(mutex_);
  flight->plan = plan;
  return keep(graph, key, std::move(plan), dropped);
}

PlanCache::Plan PlanCache::find(const Graph* graph, std::string_view key) {
  const auto at = by_key_.find(key);
  if (at == by_key_.end()) return nullptr;
  Plans& plans = plans_[graph];
  plans.splice(plans.begin(), plans, at->second);
  at->second->used = tick_();
  return at->second->plan;
}

PlanCache::Plan PlanCache::keep(const Graph* graph, const std::string& key, Plan plan,
                                Plans& dropped) {
  if (limits_.plans == 0) return plan;
  const auto bytes = host_bytes(*plan) + 2 * static_cast<std::int64_t>(key.size());
  Plans fresh;
  fresh.push_front({key, plan, bytes, tick_()});
  Plans& plans = plans_[graph];
  by_key_.emplace(fresh.front().key, fresh.begin());
  plans.splice(plans.begin(), fresh);
  bytes_ += bytes;
  while (plans.size() > limits_.plans) drop(plans, std::prev(plans.end()), dropped);
  while (bytes_ > limits_.host_bytes && by_key_.size() > 1) {
    Plans* oldest = nullptr;
    for (auto& [unused, of_graph] : plans_) {
      if (of_graph.empty() || of_graph.back().plan == plan) continue;
      if (oldest == nullptr || of_graph.back().used < oldest->back().used) oldest = &of_graph;
    }
    if (oldest == nullptr) break;
    drop(*oldest, std::prev(oldest->end()), dropped);
  }
  return plan;
}

void PlanCache::drop(Plans& plans, Plans::iterator at, Plans& dropped) {
  bytes_ -= at->bytes;
  by_key_.erase(by_key_.find(at->key));
  dropped.splice(dropped.end(), plans, at);
}

void PlanCache::for_each(const std::function<void(const LoadedStage&)>& visit) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [graph, plans] : plans_) {
    for (const Kept& kept : plans) visit(*kept.plan);
  }
}

std::size_t PlanCache::size() const {
  const std::lock_guard lock(mutex_);
  return by_key_.size();
}

std::pair<PlanCache::Plans*, PlanCache::Plans::iterator> PlanCache::find_oldest_idle() const {
  std::pair<Plans*, Plans::iterator> out{nullptr, {}};
  for (auto& [graph, plans] : plans_) {
    for (auto at = plans.begin(); at != plans.end(); ++at) {
      if (at->plan.use_count() > 1) continue;
      if (out.first == nullptr || at->used < out.second->used) out = {&plans, at};
    }
  }
  return out;
}

std::optional<std::uint64_t> PlanCache::oldest_idle() const {
  const std::lock_guard lock(mutex_);
  const auto [plans, at] = find_oldest_idle();
  if (plans == nullptr) return std::nullopt;
  return at->used;
}

bool PlanCache::drop_oldest_idle() {
  Plans dropped;
  const std::lock_guard lock(mutex_);
  const auto [plans, at] = find_oldest_idle();
  if (plans == nullptr) return false;
  drop(*plans, at, dropped);
  return true;
}

}  // namespace polaris
