#include "session/state_write.h"

#include <map>
#include <span>
#include <utility>

#include "session/value_move.h"

namespace polaris {
namespace {

/// Finds the write whose state holds given bytes.
class Targets {
 public:
  explicit Targets(std::span<const StateWrite> writes) {
    for (std::size_t i = 0; i < writes.size(); ++i) {
      const BufferView& to = writes[i].to;
      if (to.bytes > 0) by_place_[{to.buffer, to.offset}] = {to.bytes, static_cast<int>(i)};
    }
  }

  /// The write to the bytes in which the value stands, or -1.
  int find(const ValueRef& value) const {
    if (value.device == kHost) return -1;
    auto at = by_place_.upper_bound({value.view.buffer, value.view.offset});
    if (at == by_place_.begin()) return -1;
    --at;
    const auto& [place, target] = *at;
    const bool inside =
        place.first == value.view.buffer && value.view.offset < place.second + target.bytes;
    return inside ? target.write : -1;
  }

 private:
  struct Target {
    std::int64_t bytes = 0;
    int write = -1;
  };
  std::map<std::pair<const Buffer*, std::int64_t>, Target> by_place_;
};

}  // namespace

Status write_states(Runtime& runtime, std::vector<StateWrite> writes) {
  const Targets targets(writes);
  std::vector<int> reads_of(writes.size());    // the write to the bytes that write i reads
  std::vector<int> readers(writes.size(), 0);  // writes still to come that read target i
  std::vector<bool> done(writes.size(), false);
  std::vector<std::size_t> ready;
  for (std::size_t i = 0; i < writes.size(); ++i) {
    reads_of[i] = targets.find(writes[i].from);
    if (reads_of[i] >= 0) ++readers[static_cast<std::size_t>(reads_of[i])];
  }
  const auto read_done = [&](std::size_t i) {
    if (reads_of[i] < 0) return;
    const auto target = static_cast<std::size_t>(reads_of[i]);
    reads_of[i] = -1;
    if (--readers[target] == 0 && !done[target]) ready.push_back(target);
  };
  for (std::size_t i = 0; i < writes.size(); ++i) {
    if (readers[i] == 0) ready.push_back(i);
  }
  for (std::size_t left = 0; left < writes.size(); ++left) {
    while (true) {
      while (!ready.empty()) {
        const std::size_t i = ready.back();
        ready.pop_back();
        if (done[i]) continue;
        const StateWrite& write = writes[i];
        auto status = copy_into(runtime, write.from, write.device, write.to);
        if (!status) return status;
        done[i] = true;
        read_done(i);
      }
      // What is left waits for each other in rings: one source is kept aside.
      if (done[left]) break;
      auto kept = copy_to(runtime, writes[left].from, writes[left].from.device);
      if (!kept) return kept.error();
      writes[left].from = kept.take();
      read_done(left);
    }
  }
  return Status::success();
}

}  // namespace polaris
