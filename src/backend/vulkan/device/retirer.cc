#include "backend/vulkan/device/retirer.h"

#include <utility>

namespace polaris::vulkan {

Retirer::~Retirer() {
  // One by one: a chain of owners would end each inside the other.
  while (first_) first_ = std::move(first_->next_);
}

bool Retirer::idle(const LastUse& last) {
  return (last.turn == 0 || turns_.done(last.turn)) && device_.copies().reached(last.copy);
}

void Retirer::retire(std::unique_ptr<Retired> thing, const LastUse& last) {
  if (idle(last)) return;  // and gone
  thing->last_ = last;
  const std::lock_guard lock(mutex_);
  std::unique_ptr<Retired>* next = &thing->next_;
  *end_ = std::move(thing);
  end_ = next;
  count_.fetch_add(1, std::memory_order_relaxed);
}

std::unique_ptr<Retired> Retirer::take_idle() {
  const std::lock_guard lock(mutex_);
  for (std::unique_ptr<Retired>* at = &first_; *at; at = &(*at)->next_) {
    if (!idle((*at)->last_)) continue;
    std::unique_ptr<Retired> found = std::move(*at);
    *at = std::move(found->next_);
    if (!*at) end_ = at;
    count_.fetch_sub(1, std::memory_order_relaxed);
    return found;
  }
  return nullptr;
}

void Retirer::sweep() {
  if (count_.load(std::memory_order_relaxed) == 0) return;
  while (take_idle()) {
  }
}

bool Retirer::wait_for_one() {
  LastUse last;
  {
    const std::lock_guard lock(mutex_);
    if (!first_) return false;
    last = first_->last_;
  }
  // A lost device uses nothing any more; what failed ended too.
  if (last.turn != 0) (void)turns_.wait(last.turn).ok();
  (void)device_.copies().wait(last.copy).ok();
  sweep();
  return true;
}

}  // namespace polaris::vulkan
