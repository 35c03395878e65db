#include "session/weight_store.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/checked.h"

namespace polaris {
namespace {

// Weights below this share buffers: drivers bound the number of allocations (Vulkan: 4096).
// Slabs stay small, so that little is left over in the last.
constexpr std::int64_t kOwnBufferBytes = 256 << 10;
constexpr std::int64_t kSlabBytes = 1 << 20;

void add_tensor(Hasher& hasher, const Tensor& tensor) {
  if (!tensor) return;
  hasher.add_text(tensor.type().to_string());
  hasher.add(tensor.bytes());
}

}  // namespace

Hash128 WeightStore::hash_of(const std::shared_ptr<const Constant>& constant) {
  const auto at = hashes_.find(constant.get());
  if (at != hashes_.end() && at->second.constant.lock() == constant) return at->second.hash;
  Hasher hasher;
  add_tensor(hasher, constant->data);
  add_tensor(hasher, constant->scale);
  add_tensor(hasher, constant->zero_point);
  const Hash128 hash = hasher.finish();
  std::erase_if(hashes_, [](const auto& entry) { return entry.second.constant.expired(); });
  hashes_[constant.get()] = {constant, hash};
  return hash;
}

bool WeightStore::maps_directly(const WeightUse& use) const {
  return use.layout.empty() && device_.info().host_memory;
}

std::int64_t WeightStore::missing_bytes(const WeightUse& use) {
  const std::lock_guard lock(mutex_);
  if (maps_directly(use)) return 0;
  const auto at = weights_.find({hash_of(use.constant), use.layout});
  return at != weights_.end() && !at->second.expired() ? 0 : use.bytes;
}

Result<std::shared_ptr<const PackedWeight>> WeightStore::get(const WeightUse& use) {
  const std::lock_guard lock(mutex_);
  const Key key{hash_of(use.constant), use.layout};
  if (const auto at = weights_.find(key); at != weights_.end()) {
    if (auto weight = at->second.lock()) return weight;
  }
  auto made = make(use);
  if (!made) return made.error().with_context("weight '" + use.constant->name + "'");
  auto weight = std::make_shared<const PackedWeight>(made.take());
  std::erase_if(weights_, [](const auto& entry) { return entry.second.expired(); });
  weights_[key] = weight;
  return weight;
}

Result<PackedWeight> WeightStore::make(const WeightUse& use) {
  const Constant& constant = *use.constant;
  if (maps_directly(use)) {
    if (auto buffer = device_.wrap(constant.data.bytes(), constant.data.owner())) {
      return PackedWeight{std::move(buffer), 0, use.bytes};
    }
  }
  auto placed = place(use.bytes);
  if (!placed) return placed.error();
  const BufferView view = placed->view();
  if (use.bytes == 0) return placed;
  const std::byte* source = constant.data.bytes().data();
  std::vector<std::byte> packed;
  if (!use.layout.empty()) {
    // Host memory is packed in place; a device gets it through one buffer of the tensor's size.
    std::span<std::byte> out;
    if (view.buffer->host() != nullptr) {
      out = {view.buffer->host() + view.offset, static_cast<std::size_t>(view.bytes)};
    } else {
      packed.resize(static_cast<std::size_t>(view.bytes));
      out = packed;
    }
    if (auto status = use.packer->pack(use.input, constant, out); !status) return status.error();
    source = out.data();
  }
  if (view.buffer->host() == nullptr || use.layout.empty()) {
    if (auto status = device_.write(view, source); !status) return status.error();
  }
  if (constant.file) constant.file->release_pages(constant.data.bytes());
  return placed;
}

Result<PackedWeight> WeightStore::place(std::int64_t bytes) {
  const std::int64_t size = std::max<std::int64_t>(bytes, 16);
  if (size >= kOwnBufferBytes) {
    auto buffer = device_.allocate(size, MemoryKind::kDevice);
    if (!buffer) return buffer.error();
    return PackedWeight{std::shared_ptr<Buffer>(buffer.take()), 0, bytes};
  }
  auto slab = slab_.lock();
  if (!slab || slab_used_ + size > slab->bytes()) {
    auto buffer = device_.allocate(kSlabBytes, MemoryKind::kDevice);
    if (!buffer) return buffer.error();
    slab = std::shared_ptr<Buffer>(buffer.take());
    slab_ = slab;
    slab_used_ = 0;
  }
  PackedWeight out{slab, slab_used_, bytes};
  slab_used_ = round_up(slab_used_ + size, device_.info().alignment_bytes);
  return out;
}

std::int64_t WeightStore::live_bytes() const {
  const std::lock_guard lock(mutex_);
  std::int64_t bytes = 0;
  for (const auto& [key, weak] : weights_) {
    if (const auto weight = weak.lock()) bytes += weight->bytes;
  }
  return bytes;
}

std::int64_t WeightStore::live_count() const {
  const std::lock_guard lock(mutex_);
  return std::count_if(weights_.begin(), weights_.end(),
                       [](const auto& entry) { return !entry.second.expired(); });
}

}  // namespace polaris
