#include "session/kv_pool.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/checked.h"

namespace polaris {
namespace {

/// Bytes of one page of a paged state.
std::int64_t state_page_bytes(const State& state) {
  TensorType page = state.type;
  page.shape[0] = 1;
  return page.bytes().value_or(0);
}

}  // namespace

Sequence::Sequence(Sequence&& other) noexcept
    : pool_(std::move(other.pool_)),
      pages_(std::move(other.pages_)),
      length_(std::exchange(other.length_, 0)) {
  other.pages_.clear();
}

Sequence& Sequence::operator=(Sequence&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  pool_ = std::move(other.pool_);
  pages_ = std::move(other.pages_);
  length_ = std::exchange(other.length_, 0);
  other.pages_.clear();
  return *this;
}

Sequence::~Sequence() { give_back(); }

void Sequence::give_back() {
  if (pool_) pool_->release(pages_);
  pages_.clear();
  pool_.reset();
}

std::int64_t KvPool::page_tokens(const Program& program) {
  for (const ProgramState& held : program.states()) {
    const State& state = *held.state;
    if (state.paged && state.type.shape.rank() == 3) return state.type.shape[1];
  }
  return 0;
}

std::vector<std::int64_t> KvPool::page_bytes(const Program& program) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(program.runtime().device_count()), 0);
  for (const ProgramState& held : program.states()) {
    if (!held.state->paged) continue;
    out[static_cast<std::size_t>(held.device)] += state_page_bytes(*held.state);
  }
  return out;
}

Result<std::shared_ptr<KvPool>> KvPool::create(std::shared_ptr<Program> program,
                                               std::int64_t pages) {
  if (pages < 1 || pages > INT32_MAX) {
    return Error::invalid("[kv] pages, got " + std::to_string(pages) + ", wanted 1 to 2^31 - 1");
  }
  std::shared_ptr<KvPool> pool(new KvPool(std::move(program)));
  if (auto status = pool->allocate(pages); !status) return status.error();
  pool->counts_.assign(static_cast<std::size_t>(pages), 0);
  pool->free_.reserve(static_cast<std::size_t>(pages));
  for (std::int64_t p = pages - 1; p >= 0; --p) pool->free_.push_back(static_cast<std::int32_t>(p));
  return pool;
}

Status KvPool::allocate(std::int64_t pages) {
  page_size_ = page_tokens(*program_);
  const auto& states = program_->states();
  types_.resize(states.size());
  views_.resize(states.size());
  for (std::size_t s = 0; s < states.size(); ++s) {
    const State& state = *states[s].state;
    if (!state.paged) continue;
    if (state.type.shape.rank() != 3 || state.type.shape[1] != page_size_) {
      return Error::invalid("[kv] state '" + state.name + "', got " + state.type.to_string() +
                            ", wanted [pages, " + std::to_string(page_size_) + ", width]");
    }
    const std::int64_t page = state.type.shape.elements_between(1, 3);
    if (!state.type.encoding.is_block() && !fills_bytes(state.type.dtype, page)) {
      return Error::invalid("[kv] state '" + state.name + "', got " + state.type.to_string() +
                            ", wanted pages of whole bytes");
    }
    const DeviceIndex d = states[s].device;
    Device& device = program_->runtime().device(d);
    TensorType type = state.type;
    type.shape[0] = pages;
    const std::int64_t bytes = type.bytes().value_or(0);
    const std::int64_t limit =
        std::min(device.info().binding_bytes_max, device.info().allocation_bytes_max);
    if (bytes > limit) {
      return Error::out_of_memory("[kv] state '" + state.name + "' of " + std::to_string(pages) +
                                  " pages on " + device.info().id + ", got a need of " +
                                  std::to_string(bytes) + " bytes, wanted at most " +
                                  std::to_string(limit) + " (" +
                                  std::to_string(limit / state_page_bytes(state)) + " pages)");
    }
    auto lease = program_->runtime().memory(d).lease(std::max<std::int64_t>(bytes, 16),
                                                     MemoryKind::kDevice, MemoryOwner::kCache);
    if (!lease) return lease.error().with_context("[kv] state '" + state.name + "'");
    const BufferView view{lease->buffer(), 0, bytes};
    if (auto status = device.fill_zero(view); !status) return status;
    types_[s] = type;
    views_[s] = view;
    leases_.push_back(lease.take());
  }
  return Status::success();
}

std::int64_t KvPool::free_pages() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::int64_t>(free_.size());
}

Sequence KvPool::start() {
  Sequence out;
  out.pool_ = shared_from_this();
  return out;
}

Sequence KvPool::fork(const Sequence& sequence, std::int64_t length) {
  Sequence out = start();
  const std::lock_guard lock(mutex_);
  const auto pages = static_cast<std::size_t>(ceil_div(length, page_size_));
  out.pages_.assign(sequence.pages_.begin(),
                    sequence.pages_.begin() + static_cast<std::ptrdiff_t>(pages));
  out.length_ = length;
  for (std::int32_t page : out.pages_) ++counts_[static_cast<std::size_t>(page)];
  return out;
}

std::int32_t KvPool::take_page() {
  const std::int32_t page = free_.back();
  free_.pop_back();
  counts_[static_cast<std::size_t>(page)] = 1;
  return page;
}

Status KvPool::reserve(Sequence& sequence, std::int64_t new_length) {
  std::vector<PageCopy> copies;
  if (auto taken = take_pages(sequence, new_length, copies); !taken) return taken;
  if (copies.empty()) return Status::success();
  // Others go on meanwhile: the pages copied from are counted, those copied to are nobody's.
  const Status copied = copy_pages(copies);
  const std::lock_guard lock(mutex_);
  for (const PageCopy& copy : copies) {
    const std::int32_t let_go = copied ? copy.from : copy.to;
    if (--counts_[static_cast<std::size_t>(let_go)] == 0) free_.push_back(let_go);
    if (copied) sequence.pages_[copy.index] = copy.to;
  }
  return copied;
}

Status KvPool::take_pages(Sequence& sequence, std::int64_t new_length,
                          std::vector<PageCopy>& copies) {
  const auto wanted = static_cast<std::size_t>(ceil_div(new_length, page_size_));
  const std::size_t held = sequence.pages_.size();
  const auto first = static_cast<std::size_t>(sequence.length_ / page_size_);
  const std::lock_guard lock(mutex_);
  // Pages to be written that another sequence reads too.
  for (std::size_t p = first; p < std::min(held, wanted); ++p) {
    const std::int32_t page = sequence.pages_[p];
    if (counts_[static_cast<std::size_t>(page)] > 1) copies.push_back({p, page, -1});
  }
  const std::size_t fresh = copies.size() + (wanted > held ? wanted - held : 0);
  if (fresh > free_.size()) {
    return Error::exhausted("[kv] the cache is full, got " + std::to_string(free_.size()) +
                            " free pages, wanted " + std::to_string(fresh));
  }
  sequence.pages_.reserve(wanted);
  for (PageCopy& copy : copies) copy.to = take_page();
  while (sequence.pages_.size() < wanted) sequence.pages_.push_back(take_page());
  return Status::success();
}

/// Starts all copies before it waits for the first.
Status KvPool::copy_pages(std::span<const PageCopy> copies) {
  struct Started {
    Device* device;
    Fence fence;
  };
  std::vector<Started> started;
  Status status;
  const auto& states = program_->states();
  for (std::size_t s = 0; s < states.size(); ++s) {
    if (views_[s].buffer == nullptr) continue;
    const std::int64_t bytes = state_page_bytes(*states[s].state);
    Device& device = program_->runtime().device(states[s].device);
    for (const PageCopy& copy : copies) {
      started.reserve(started.size() + 1);
      auto fence = device.start_copy({views_[s].buffer, copy.from * bytes, bytes},
                                     {views_[s].buffer, copy.to * bytes, bytes}, {});
      if (fence) {
        started.push_back({&device, *fence});
      } else if (status) {
        status = fence.error();
      }
    }
  }
  for (const Started& copy : started) {
    const Status waited = copy.device->wait(copy.fence);
    if (status) status = waited;
  }
  return status;
}

std::int32_t KvPool::slot(const Sequence& sequence, std::int64_t position) const {
  const auto page = static_cast<std::size_t>(position / page_size_);
  return static_cast<std::int32_t>(sequence.pages_[page] * page_size_ + position % page_size_);
}

void KvPool::release(std::span<const std::int32_t> pages) {
  const std::lock_guard lock(mutex_);
  for (std::int32_t page : pages) {
    if (--counts_[static_cast<std::size_t>(page)] == 0) free_.push_back(page);
  }
}

}  // namespace polaris
