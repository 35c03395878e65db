#include "session/reclaimer.h"

namespace polaris {

void ReclaimList::add(Reclaimer& reclaimer) {
  const std::lock_guard lock(mutex_);
  reclaimers_.push_back(&reclaimer);
}

void ReclaimList::remove(Reclaimer& reclaimer) {
  const std::lock_guard lock(mutex_);
  std::erase(reclaimers_, &reclaimer);
}

bool ReclaimList::drop_oldest_idle() {
  const std::lock_guard lock(mutex_);
  Reclaimer* oldest = nullptr;
  std::uint64_t oldest_tick = 0;
  for (Reclaimer* reclaimer : reclaimers_) {
    const auto tick = reclaimer->oldest_idle();
    if (!tick || (oldest != nullptr && *tick >= oldest_tick)) continue;
    oldest = reclaimer;
    oldest_tick = *tick;
  }
  if (oldest == nullptr || !oldest->drop_oldest_idle()) return false;
  dropped_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

}  // namespace polaris
