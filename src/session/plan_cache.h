#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "session/reclaimer.h"
#include "session/stage_loader.h"

namespace polaris {

struct PlanLimits {
  /// Plans kept per graph; 0: none, each is made for one run.
  std::size_t plans = 64;
  /// Host memory of all kept plans and their recordings, estimated; the newest plan stays.
  std::int64_t host_bytes = std::int64_t{256} << 20;
};

/// The loaded stages of a program, by key; the least recently used go first. Each is made by one
/// thread while those that ask for the same wait, and no others do. Thread-safe.
class PlanCache final : public Reclaimer {
 public:
  using Plan = std::shared_ptr<const LoadedStage>;
  using Make = std::function<Result<std::unique_ptr<LoadedStage>>()>;

  /// `tick` counts up through all caches that share it, to tell which of their plans is the oldest.
  PlanCache(const PlanLimits& limits, std::function<std::uint64_t()> tick)
      : limits_(limits), tick_(std::move(tick)) {}
  PlanCache(const PlanCache&) = delete;
  PlanCache& operator=(const PlanCache&) = delete;

  /// The plan of `graph` for `key`, made now by `make`, under no lock, if it is not there. What
  /// fails is not kept: all who wait for it get its error, but where its maker was cancelled the
  /// next of them makes it.
  Result<Plan> get(const Graph* graph, const std::string& key, const Make& make);
  void for_each(const std::function<void(const LoadedStage&)>& visit) const;
  std::size_t size() const;

  /// The tick at which the plan that would go first was last used; nothing where all are in use
  /// (somebody beside the cache holds them).
  std::optional<std::uint64_t> oldest_idle() const override;
  /// Drops that plan. False where there is none.
  bool drop_oldest_idle() override;

 private:
  struct Kept {
    std::string key;
    Plan plan;
    std::int64_t bytes = 0;
    std::uint64_t used = 0;
  };
  using Plans = std::list<Kept>;  // front: most recent
  struct Flight;
  class Landing;

  Plan find(const Graph* graph, std::string_view key);
  Plan keep(const Graph* graph, const std::string& key, Plan plan, Plans& dropped);
  std::pair<Plans*, Plans::iterator> find_oldest_idle() const;
  void drop(Plans& plans, Plans::iterator at, Plans& dropped);

  const PlanLimits limits_;
  const std::function<std::uint64_t()> tick_;
  mutable std::mutex mutex_;                     // held for look-ups only
  mutable std::map<const Graph*, Plans> plans_;  // iterators are handed out of const look-ups
  std::map<std::string_view, Plans::iterator> by_key_;  // keys are unique over all graphs
  std::map<std::string, std::shared_ptr<Flight>, std::less<>> flights_;
  std::int64_t bytes_ = 0;
};

}  // namespace polaris
