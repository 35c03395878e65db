#include "sim/dependent_groups.h"

#include <algorithm>

namespace polaris::gcn {

void DependentGroups::add(Ranges& to, const Operand& operand) const {
  if (operand.storage < 0 || operand.bytes <= 0) return;  // absent, or a weight
  const Operand root = stage_.resolve(operand);
  const Storage& storage = stage_.storages[static_cast<std::size_t>(root.storage)];
  const bool arena = storage.kind == Storage::Kind::kArena;
  const std::int64_t begin = root.offset + (arena ? storage.offset : 0);
  // Storages of an arena share its slabs over time; any other has its own bytes.
  const std::pair<int, std::int64_t> memory =
      arena ? std::pair<int, std::int64_t>{storage.device, -1 - storage.slab}
            : std::pair<int, std::int64_t>{storage.device, root.storage};
  to[memory].push_back({begin, begin + operand.bytes});
}

bool DependentGroups::overlap(const Ranges& a, const Ranges& b) {
  return std::any_of(a.begin(), a.end(), [&](const auto& entry) {
    const auto other = b.find(entry.first);
    return other != b.end() && std::any_of(entry.second.begin(), entry.second.end(), [&](Range x) {
             return std::any_of(other->second.begin(), other->second.end(),
                                [&](Range y) { return x.begin < y.end && y.begin < x.end; });
           });
  });
}

bool DependentGroups::begins(const polaris::Launch& launch) {
  Ranges reads;
  Ranges writes;
  for (const Operand& input : launch.inputs) add(reads, input);
  for (const Operand& output : launch.outputs) add(writes, output);
  add(writes, launch.workspace);
  const bool waits =
      first_ || overlap(reads, writes_) || overlap(writes, writes_) || overlap(writes, reads_);
  first_ = false;
  if (waits) {
    reads_ = std::move(reads);
    writes_ = std::move(writes);
    return true;
  }
  for (auto& [memory, ranges] : reads) {
    auto& to = reads_[memory];
    to.insert(to.end(), ranges.begin(), ranges.end());
  }
  for (auto& [memory, ranges] : writes) {
    auto& to = writes_[memory];
    to.insert(to.end(), ranges.begin(), ranges.end());
  }
  return false;
}

}  // namespace polaris::gcn
