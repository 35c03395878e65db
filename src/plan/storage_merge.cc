#include "plan/storage_merge.h"

#include <algorithm>
#include <set>

namespace polaris {
namespace {

std::int32_t root_index(const std::vector<Storage>& storages, std::int32_t index) {
  while (storages[static_cast<std::size_t>(index)].parent >= 0) {
    index = storages[static_cast<std::size_t>(index)].parent;
  }
  return index;
}

std::int64_t offset_in_root(const std::vector<Storage>& storages, std::int32_t index) {
  std::int64_t offset = 0;
  for (; storages[static_cast<std::size_t>(index)].parent >= 0;
       index = storages[static_cast<std::size_t>(index)].parent) {
    offset += storages[static_cast<std::size_t>(index)].parent_offset;
  }
  return offset;
}

void put_inside(std::vector<Storage>& storages, std::int32_t child, std::int32_t parent,
                std::int64_t offset) {
  Storage& inner = storages[static_cast<std::size_t>(child)];
  inner.parent = parent;
  inner.parent_offset = offset;
  Storage& outer = storages[static_cast<std::size_t>(root_index(storages, parent))];
  outer.first = std::min(outer.first, inner.first);
  outer.last = std::max(outer.last, inner.last);
}

bool reads_root_once(const Launch& launch, const std::vector<Storage>& storages,
                     std::int32_t root) {
  int reads = 0;
  for (const Operand& input : launch.inputs) {
    if (input.storage >= 0 && root_index(storages, input.storage) == root) ++reads;
  }
  return reads == 1;
}

/// Merges one output of a launch into one of its inputs if the rules allow it.
bool merge_pair(const Graph& graph, const Node& node, const InPlace& pair, const Launch& launch,
                std::vector<Storage>& storages) {
  if (pair.required || !node.op->has_trait(kElementwise)) return false;
  const auto in_index = static_cast<std::size_t>(pair.input);
  const auto out_index = static_cast<std::size_t>(pair.output);
  if (in_index >= launch.inputs.size() || out_index >= launch.outputs.size()) return false;
  const Operand& in = launch.inputs[in_index];
  const Operand& out = launch.outputs[out_index];
  if (in.storage < 0 || out.storage < 0 || in.bytes != out.bytes || in.offset != 0) return false;
  // Packed elements of another width stand elsewhere in the same bytes.
  const ValueId read = node.inputs[in_index];
  const ValueId written = node.outputs[out_index];
  if (!read.valid() || !written.valid() ||
      !same_places(graph.value(read).type.dtype, graph.value(written).type.dtype)) {
    return false;
  }
  const std::int32_t in_root = root_index(storages, in.storage);
  if (offset_in_root(storages, in.storage) != 0) return false;
  if (!reads_root_once(launch, storages, in_root)) return false;
  const Storage& from = storages[static_cast<std::size_t>(in_root)];
  const Storage& to = storages[static_cast<std::size_t>(out.storage)];
  const bool arenas = from.kind == Storage::Kind::kArena && to.kind == Storage::Kind::kArena;
  // The input, and all that shares its bytes, dies here exactly when the last step in which they
  // matter is the one that first writes the output.
  if (!arenas || to.parent >= 0 || from.last != to.first || from.bytes != to.bytes) return false;
  put_inside(storages, out.storage, in_root, 0);
  return true;
}

}  // namespace

Storage& root_of(std::vector<Storage>& storages, const Operand& operand) {
  return storages[static_cast<std::size_t>(root_index(storages, operand.storage))];
}

bool merge_parts(std::vector<Storage>& storages, const Operand& whole,
                 std::span<const Part> parts) {
  std::set<std::int32_t> seen;
  const Storage& outer = storages[static_cast<std::size_t>(whole.storage)];
  for (const Part& part : parts) {
    if (part.operand.storage < 0 || !seen.insert(part.operand.storage).second) return false;
    const Storage& inner = storages[static_cast<std::size_t>(part.operand.storage)];
    const bool own = inner.kind == Storage::Kind::kArena && inner.parent < 0 &&
                     part.operand.offset == 0 && inner.bytes == part.operand.bytes;
    if (!own || inner.device != outer.device) return false;
  }
  for (const Part& part : parts) {
    put_inside(storages, part.operand.storage, whole.storage, part.offset_bytes);
  }
  return true;
}

void spread_lifetimes(std::vector<Storage>& storages) {
  for (const Storage& storage : storages) {
    if (storage.parent < 0) continue;
    Storage& root = storages[static_cast<std::size_t>(root_index(storages, storage.parent))];
    root.first = std::min(root.first, storage.first);
    root.last = std::max(root.last, storage.last);
  }
}

void merge_in_place(const Graph& graph, Stage& stage) {
  for (Step& step : stage.steps) {
    auto* segment = std::get_if<SegmentStep>(&step);
    if (segment == nullptr) continue;
    for (const Launch& launch : segment->launches) {
      if (launch.relayout) continue;
      const Node& node = graph.node(launch.node);
      for (const InPlace& pair : node.op->inplace) {
        if (merge_pair(graph, node, pair, launch, stage.storages)) break;
      }
    }
  }
}

Operand Stage::resolve(Operand operand) const {
  while (operand.storage >= 0) {
    const Storage& storage = storages[static_cast<std::size_t>(operand.storage)];
    if (storage.parent < 0) break;
    operand.offset += storage.parent_offset;
    operand.storage = storage.parent;
  }
  return operand;
}

}  // namespace polaris
