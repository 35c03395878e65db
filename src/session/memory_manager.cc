#include "session/memory_manager.h"

#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "session/lease_granule.h"

namespace polaris {
namespace {

std::string size_text(std::int64_t bytes) {
  if (bytes < (std::int64_t{1} << 20)) return std::to_string(bytes) + " bytes";
  return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB";
}

const char* owner_name(MemoryOwner owner) {
  switch (owner) {
    case MemoryOwner::kWorking: return "working memory";
    case MemoryOwner::kWeights: return "weights";
    case MemoryOwner::kCache: return "caches";
    case MemoryOwner::kState: return "states";
  }
  return "";
}

}  // namespace

Lease::Lease(MemoryManager* manager, std::unique_ptr<Buffer> buffer, MemoryKind kind,
             MemoryOwner owner)
    : manager_(manager), buffer_(std::move(buffer)), kind_(kind), owner_(owner) {}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  manager_ = other.manager_;
  buffer_ = std::move(other.buffer_);
  kind_ = other.kind_;
  owner_ = other.owner_;
  return *this;
}

Lease::~Lease() { give_back(); }

void Lease::give_back() {
  if (buffer_) manager_->give_back(std::move(buffer_), kind_, owner_);
}

std::int64_t MemoryManager::budget_bytes() const {
  return std::max<std::int64_t>(device_.budget_bytes() - device_.info().own_bytes, 0);
}

/// The smallest free buffer that is large enough, of equals the one that is oldest.
Lease MemoryManager::take_free(std::int64_t bytes, MemoryKind kind) {
  const std::lock_guard lock(mutex_);
  auto best = free_.end();
  for (auto at = free_.begin(); at != free_.end(); ++at) {
    if (at->kind != kind || at->buffer->bytes() < bytes) continue;
    const bool better =
        best == free_.end() || at->buffer->bytes() < best->buffer->bytes() ||
        (at->buffer->bytes() == best->buffer->bytes() && at->buffer->id() < best->buffer->id());
    if (better) best = at;
  }
  // Room to come back without allocating, which give_back could not report.
  if (best == free_.end()) {
    free_.reserve(free_.size() + 64);
    return {};
  }
  Lease out(this, std::move(best->buffer), kind, MemoryOwner::kWorking);
  held(MemoryOwner::kWorking) += out.buffer()->bytes();
  free_.erase(best);
  return out;
}

/// `missing`: by how much the budget is short, 0 where it is not the budget that refuses.
Result<std::unique_ptr<Buffer>> MemoryManager::try_allocate(std::int64_t bytes, MemoryKind kind,
                                                            std::int64_t& missing) {
  const std::lock_guard lock(allocate_mutex_);
  const std::int64_t budget = budget_bytes();
  const std::int64_t live = device_.counters().live_bytes;
  missing = std::max<std::int64_t>(bytes - (budget - live), 0);
  if (missing == 0) return device_.allocate(bytes, kind);
  return Error::out_of_memory("[memory] " + device_.info().id + ", got a need of " +
                              size_text(bytes) + " on top of " + size_text(live) +
                              ", wanted at most " + size_text(budget));
}

Result<Lease> MemoryManager::lease(std::int64_t bytes, MemoryKind kind, MemoryOwner owner) {
  std::int64_t rounded = bytes;
  if (owner == MemoryOwner::kWorking) {
    if (Lease found = take_free(bytes, kind)) return found;
    const std::int64_t cap = std::max(bytes, device_.info().allocation_bytes_max);
    rounded = std::min(round_up(bytes, kLeaseGranuleBytes), cap);
  }
  while (true) {
    std::int64_t missing = 0;
    auto buffer = try_allocate(rounded, kind, missing);
    if (buffer) {
      held(owner) += rounded;
      return Lease(this, buffer.take(), kind, owner);
    }
    if (buffer.error().code() != ErrorCode::kOutOfMemory) return buffer.error();
    const bool hopeless = bytes > device_.info().allocation_bytes_max;
    if (hopeless || !reclaim(missing > 0 ? missing : rounded)) {
      return Error::out_of_memory(buffer.error().message() + "; held: " + holders());
    }
  }
}

/// One step in the order of what is let go; false where all is in use.
bool MemoryManager::reclaim(std::int64_t bytes) { return trim(bytes) || reclaim_idle(bytes); }

bool MemoryManager::reclaim_idle(std::int64_t bytes) {
  if (weights_ != nullptr && weights_->drop_idle(bytes) > 0) return true;
  return plans_.drop_oldest_idle();
}

Status MemoryManager::make_room(std::int64_t bytes) {
  const auto short_of = [&] {
    const std::int64_t in_use = device_.counters().live_bytes - free_bytes();
    return in_use + bytes - budget_bytes();
  };
  // Weights may all be idle; of the rest nothing is.
  std::int64_t fixed = 0;
  for (const MemoryOwner owner :
       {MemoryOwner::kWorking, MemoryOwner::kCache, MemoryOwner::kState}) {
    fixed += held_bytes(owner);
  }
  const bool possible = fixed + bytes <= budget_bytes();
  for (std::int64_t missing = short_of(); missing > 0; missing = short_of()) {
    if (possible && reclaim_idle(missing)) continue;
    return Error::out_of_memory("got a need of " + size_text(bytes) + ", wanted at most " +
                                size_text(std::max<std::int64_t>(bytes - missing, 0)) +
                                " of a budget of " + size_text(budget_bytes()) +
                                "; held: " + holders());
  }
  return Status::success();
}

void MemoryManager::trim() { (void)trim(INT64_MAX); }

/// Releases free buffers of at least `bytes` if there are so many, the oldest first.
bool MemoryManager::trim(std::int64_t bytes) {
  const std::lock_guard lock(mutex_);
  std::int64_t sum = 0;
  std::size_t count = 0;
  while (count < free_.size() && sum < bytes) sum += free_[count++].buffer->bytes();
  const auto end = free_.begin() + static_cast<std::ptrdiff_t>(count);
  free_.erase(free_.begin(), end);
  return count > 0;
}

std::int64_t MemoryManager::free_bytes() const {
  const std::lock_guard lock(mutex_);
  std::int64_t bytes = 0;
  for (const Free& free : free_) bytes += free.buffer->bytes();
  return bytes;
}

std::int64_t MemoryManager::held_bytes(MemoryOwner owner) const {
  return held_[static_cast<std::size_t>(owner)].load(std::memory_order_relaxed);
}

std::string MemoryManager::holders() const {
  std::string out;
  const auto add = [&](std::int64_t bytes, const char* name) {
    if (bytes > 0) out += (out.empty() ? "" : ", ") + std::string(name) + " " + size_text(bytes);
  };
  for (std::size_t o = 0; o < kMemoryOwnerCount; ++o) {
    const auto owner = static_cast<MemoryOwner>(o);
    add(held_bytes(owner), owner_name(owner));
  }
  add(free_bytes(), "free working memory");
  return out.empty() ? "nothing" : out;
}

void MemoryManager::give_back(std::unique_ptr<Buffer> buffer, MemoryKind kind, MemoryOwner owner) {
  held(owner) -= buffer->bytes();
  if (owner != MemoryOwner::kWorking) return;
  // A budget that shrank takes the pool with it.
  if (device_.counters().live_bytes > budget_bytes()) return;
  const std::lock_guard lock(mutex_);
  // Without spare room the buffer is simply freed: a destructor must not fail.
  if (free_.size() < free_.capacity()) free_.push_back({std::move(buffer), kind});
}

}  // namespace polaris
