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

/// The lease's buffer, which keeps the lease.
std::shared_ptr<Buffer> share(Lease lease) {
  auto shared = std::make_shared<Lease>(std::move(lease));
  Buffer* buffer = shared->buffer();
  return {std::move(shared), buffer};
}

}  // namespace

WeightClaim::WeightClaim(WeightClaim&& other) noexcept
    : store_(std::exchange(other.store_, nullptr)), id_(other.id_) {}

WeightClaim& WeightClaim::operator=(WeightClaim&& other) noexcept {
  if (this == &other) return *this;
  release();
  store_ = std::exchange(other.store_, nullptr);
  id_ = other.id_;
  return *this;
}

void WeightClaim::release() {
  if (store_ != nullptr) std::exchange(store_, nullptr)->release(id_);
}

WeightClaim WeightStore::claim() {
  const std::lock_guard lock(mutex_);
  return {this, ++claims_};
}

void WeightStore::release(std::uint64_t claim) {
  const std::lock_guard lock(mutex_);
  for (auto& [key, entry] : weights_) {
    std::erase(entry.claims, claim);
    if (entry.claims.empty()) entry.kept.reset();
  }
}

Hash128 WeightStore::hash_of(const std::shared_ptr<const Constant>& constant) {
  {
    const std::lock_guard lock(mutex_);
    const auto at = hashes_.find(constant.get());
    if (at != hashes_.end() && at->second.constant.lock() == constant) return at->second.hash;
  }
  Hasher hasher;
  add_tensor(hasher, constant->data);
  add_tensor(hasher, constant->scale);
  add_tensor(hasher, constant->zero_point);
  const Hash128 hash = hasher.finish();
  const std::lock_guard lock(mutex_);
  std::erase_if(hashes_, [](const auto& entry) { return entry.second.constant.expired(); });
  hashes_[constant.get()] = {constant, hash};
  return hash;
}

bool WeightStore::maps_directly(const WeightUse& use) const {
  return use.layout.empty() && device_.info().host_memory;
}

WeightStore::Key WeightStore::key_of(const WeightUse& use) {
  if (!maps_directly(use) || !use.constant->file) return {hash_of(use.constant), use.layout};
  // Where a file's bytes stand names them: they need not be read to be used where they are.
  const auto bytes = use.constant->data.bytes();
  Hasher hasher;
  hasher.add_i64(static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(bytes.data())));
  hasher.add_i64(static_cast<std::int64_t>(bytes.size()));
  return {hasher.finish(), "mapped"};
}

std::shared_ptr<const PackedWeight> WeightStore::find(const WeightUse& use) {
  const Key key = key_of(use);
  const std::lock_guard lock(mutex_);
  const auto at = weights_.find(key);
  return at == weights_.end() ? nullptr : at->second.weight.lock();
}

std::int64_t WeightStore::missing_bytes(const WeightUse& use) {
  return maps_directly(use) || find(use) ? 0 : use.bytes;
}

void WeightStore::keep(Entry& entry, const Weight& weight, const WeightClaim* claim) {
  entry.weight = weight;
  entry.used = clock_.tick();
  if (claim == nullptr || claim->store_ != this) return;
  if (std::find(entry.claims.begin(), entry.claims.end(), claim->id_) == entry.claims.end()) {
    entry.claims.push_back(claim->id_);
  }
  entry.kept = weight;
}

/// While it lives its maker is at it; whoever waits hears of the end, however it came about.
class WeightStore::Coming {
 public:
  Coming(WeightStore& store, Entry& entry) : store_(store), entry_(entry) {}
  ~Coming() {
    const std::lock_guard lock(store_.mutex_);
    entry_.coming = false;
    store_.came_.notify_all();
  }
  Coming(const Coming&) = delete;
  Coming& operator=(const Coming&) = delete;

 private:
  WeightStore& store_;
  Entry& entry_;
};

Result<std::shared_ptr<const PackedWeight>> WeightStore::get(const WeightUse& use,
                                                             const WeightClaim* claim) {
  const Key key = key_of(use);
  Entry* entry = nullptr;
  {
    std::unique_lock lock(mutex_);
    while (true) {
      entry = &weights_[key];
      if (Weight weight = entry->weight.lock()) {
        keep(*entry, weight, claim);
        return weight;
      }
      if (!entry->coming) break;
      came_.wait(lock);
    }
    entry->coming = true;
  }
  const Coming coming(*this, *entry);
  auto made = make(use);
  if (!made) return made.error().with_context("weight '" + use.constant->name + "'");
  Weight weight = std::make_shared<const PackedWeight>(made.take());
  const std::lock_guard lock(mutex_);
  ++brought_;
  keep(*entry, weight, claim);
  std::erase_if(weights_,
                [](const auto& one) { return one.second.weight.expired() && !one.second.coming; });
  return weight;
}

Result<PackedWeight> WeightStore::make(const WeightUse& use) {
  const Constant& constant = *use.constant;
  if (maps_directly(use)) {
    if (auto buffer = device_.wrap(constant.data.bytes(), constant.data.owner())) {
      return PackedWeight{std::move(buffer), 0, use.bytes, true};
    }
  }
  auto placed = place(use.bytes);
  if (!placed || use.bytes == 0) return placed;
  if (auto status = fill(use, placed->view()); !status) return status.error();
  if (constant.file) constant.file->release_pages(constant.data.bytes());
  return placed;
}

Status WeightStore::fill(const WeightUse& use, const BufferView& view) {
  const Constant& constant = *use.constant;
  if (use.layout.empty()) return device_.write(view, constant.data.bytes().data());
  const auto bytes = static_cast<std::size_t>(view.bytes);
  // Host memory is packed in place; a device gets it through one buffer of the tensor's size.
  if (view.buffer->host() != nullptr) {
    return use.packer->pack(use.input, constant, {view.buffer->host() + view.offset, bytes});
  }
  std::vector<std::byte> packed(bytes);
  if (auto status = use.packer->pack(use.input, constant, packed); !status) return status;
  return device_.write(view, packed.data());
}

Result<PackedWeight> WeightStore::place(std::int64_t bytes) {
  const std::int64_t size = std::max<std::int64_t>(bytes, 16);
  if (size >= kOwnBufferBytes) {
    auto lease = memory_.lease(size, MemoryKind::kDevice, MemoryOwner::kWeights);
    if (!lease) return lease.error();
    return PackedWeight{share(lease.take()), 0, bytes};
  }
  const auto take = [&]() -> PackedWeight {
    auto slab = slab_.lock();
    if (!slab || slab_used_ + size > slab->bytes()) return {};
    PackedWeight out{slab, slab_used_, bytes};
    slab_used_ = round_up(slab_used_ + size, device_.info().alignment_bytes);
    return out;
  };
  {
    const std::lock_guard lock(slab_mutex_);
    if (PackedWeight taken = take(); taken.buffer) return taken;
  }
  // One slab at a time: of two made at once the first would stay almost empty. What a lease lets
  // go, weights too, needs none but the store's other locks, which nobody holds here.
  const std::lock_guard growing(growing_mutex_);
  {
    const std::lock_guard lock(slab_mutex_);
    if (PackedWeight taken = take(); taken.buffer) return taken;
  }
  auto lease = memory_.lease(kSlabBytes, MemoryKind::kDevice, MemoryOwner::kWeights);
  if (!lease) return lease.error();
  auto fresh = share(lease.take());
  const std::lock_guard lock(slab_mutex_);
  slab_ = fresh;
  slab_used_ = 0;
  return take();
}

std::int64_t WeightStore::drop_idle(std::int64_t bytes) {
  const std::lock_guard lock(mutex_);
  std::vector<Entry*> idle;
  for (auto& [key, entry] : weights_) {
    // Only the store holds it, and nobody else can take hold of it now.
    if (entry.kept.use_count() == 1 && !entry.kept->mapped) idle.push_back(&entry);
  }
  std::sort(idle.begin(), idle.end(),
            [](const Entry* a, const Entry* b) { return a->used < b->used; });
  std::int64_t freed = 0;
  for (Entry* entry : idle) {
    if (freed >= bytes) break;
    freed += std::max<std::int64_t>(entry->kept->bytes, 1);
    ++dropped_;
    entry->kept.reset();
    entry->claims.clear();
  }
  return freed;
}

std::int64_t WeightStore::live_bytes() const {
  const std::lock_guard lock(mutex_);
  std::int64_t bytes = 0;
  for (const auto& [key, entry] : weights_) {
    if (const auto weight = entry.weight.lock()) bytes += weight->bytes;
  }
  return bytes;
}

std::int64_t WeightStore::live_count() const {
  const std::lock_guard lock(mutex_);
  return std::count_if(weights_.begin(), weights_.end(),
                       [](const auto& one) { return !one.second.weight.expired(); });
}

std::int64_t WeightStore::brought() const {
  const std::lock_guard lock(mutex_);
  return brought_;
}

std::int64_t WeightStore::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace polaris
