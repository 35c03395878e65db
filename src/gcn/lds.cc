#include "gcn/lds.h"

#include <algorithm>

namespace polaris::gcn {

void Lds::resize(std::uint32_t bytes) {
  data_.assign(bytes, std::byte{0xCD});
  touches_.assign(bytes, Touch{});
}

void Lds::reset() {
  std::fill(data_.begin(), data_.end(), std::byte{0xCD});
  first_epoch_ = ++epoch_;
}

Lds::Finding Lds::access(std::uint32_t address, std::uint32_t bytes, std::uint32_t wave,
                         Access kind) {
  Finding found;
  if (bytes > data_.size() || address > data_.size() - bytes) {
    found.bounds = true;
    return found;
  }
  const auto id = static_cast<std::uint16_t>(wave);
  for (Touch* t = &touches_[address]; t != touches_.data() + address + bytes; ++t) {
    const bool written_now = t->write_epoch == epoch_ && t->writer != id;
    if (kind == Access::kRead) {
      found.unwritten = found.unwritten || t->write_epoch < first_epoch_;
      found.race = found.race || written_now;
      t->shared_read = t->read_epoch == epoch_ && (t->shared_read || t->reader != id);
      t->read_epoch = epoch_;
      t->reader = id;
      continue;
    }
    const bool atomic = kind == Access::kAtomic;
    const bool read_now = t->read_epoch == epoch_ && (t->shared_read || t->reader != id);
    found.unwritten = found.unwritten || (atomic && t->write_epoch < first_epoch_);
    found.race = found.race || read_now || (written_now && !(atomic && t->atomic));
    t->atomic = atomic;
    t->write_epoch = epoch_;
    t->writer = id;
  }
  return found;
}

}  // namespace polaris::gcn
