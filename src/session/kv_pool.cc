#include "session/kv_pool.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/checked.h"

namespace polaris {

Sequence::Sequence(Sequence&& other) noexcept
    : pool_(std::move(other.pool_)),
      rows_(std::move(other.rows_)),
      length_(std::exchange(other.length_, 0)) {
  other.rows_.clear();
}

Sequence& Sequence::operator=(Sequence&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  pool_ = std::move(other.pool_);
  rows_ = std::move(other.rows_);
  length_ = std::exchange(other.length_, 0);
  other.rows_.clear();
  return *this;
}

Sequence::~Sequence() { give_back(); }

void Sequence::give_back() {
  if (pool_) pool_->release(rows_);
  rows_.clear();
  pool_.reset();
}

std::int32_t KvPool::Pages::take() {
  const std::int32_t page = free.back();
  free.pop_back();
  counts[static_cast<std::size_t>(page)] = 1;
  return page;
}

void KvPool::Pages::let_go(std::int32_t page) {
  if (--counts[static_cast<std::size_t>(page)] == 0) free.push_back(page);
}

Result<std::shared_ptr<KvPool>> KvPool::create(std::shared_ptr<Program> program,
                                               std::int64_t pages) {
  const std::size_t groups = program->decoder() ? program->decoder()->groups.size() : 1;
  const std::vector<std::int64_t> counts(groups, pages);
  return create(std::move(program), counts);
}

Result<std::shared_ptr<KvPool>> KvPool::create(std::shared_ptr<Program> program,
                                               std::span<const std::int64_t> pages) {
  for (const std::int64_t count : pages) {
    if (count >= 1 && count <= INT32_MAX) continue;
    return Error::invalid("[kv] pages, got " + std::to_string(count) + ", wanted 1 to 2^31 - 1");
  }
  std::shared_ptr<KvPool> pool(new KvPool(std::move(program)));
  if (auto status = pool->set_groups(pages); !status) return status.error();
  const auto& states = pool->program_->states();
  for (std::size_t s = 0; s < states.size(); ++s) {
    if (!states[s].state->paged) continue;
    if (auto status = pool->allocate(s, pages[pool->group_of_[s]]); !status) return status.error();
  }
  return pool;
}

Status KvPool::set_groups(std::span<const std::int64_t> pages) {
  auto groups = cache_groups(*program_);
  if (!groups) return groups.error();
  groups_ = groups.take();
  if (!groups_.empty() && pages.size() != groups_.size()) {
    return Error::invalid("[kv] counts of pages, got " + std::to_string(pages.size()) +
                          ", wanted " + std::to_string(groups_.size()) + ", one a cache group");
  }
  const auto& states = program_->states();
  types_.resize(states.size());
  views_.resize(states.size());
  group_of_.resize(states.size(), 0);
  for (std::size_t s = 0; s < states.size(); ++s) {
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      if (std::ranges::count(groups_[g].states, states[s].state->name) > 0) group_of_[s] = g;
    }
  }
  pages_.resize(groups_.size());
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    pages_[g].counts.assign(static_cast<std::size_t>(pages[g]), 0);
    pages_[g].free.reserve(static_cast<std::size_t>(pages[g]));
    for (std::int64_t p = pages[g] - 1; p >= 0; --p) {
      pages_[g].free.push_back(static_cast<std::int32_t>(p));
    }
  }
  return Status::success();
}

Status KvPool::allocate(std::size_t s, std::int64_t pages) {
  const State& state = *program_->states()[s].state;
  const Shape& shape = state.type.shape;
  if (!state.type.encoding.is_block() &&
      !fills_bytes(state.type.dtype, shape.elements_between(1, shape.rank()))) {
    return Error::invalid("[kv] state '" + state.name + "', got " + state.type.to_string() +
                          ", wanted pages of whole bytes");
  }
  const DeviceIndex d = program_->states()[s].device;
  Device& device = program_->runtime().device(d);
  TensorType type = state.type;
  type.shape[0] = pages;
  const std::int64_t bytes = type.bytes().value_or(0);
  const std::int64_t limit =
      std::min(device.info().binding_bytes_max, device.info().allocation_bytes_max);
  if (bytes > limit) {
    return Error::out_of_memory(
        "[kv] state '" + state.name + "' of " + std::to_string(pages) + " pages on " +
        device.info().id + ", got a need of " + std::to_string(bytes) + " bytes, wanted at most " +
        std::to_string(limit) + " (" + std::to_string(limit / state_page_bytes(state)) + " pages)");
  }
  auto lease = program_->runtime().memory(d).lease(std::max<std::int64_t>(bytes, 16),
                                                   MemoryKind::kDevice, MemoryOwner::kCache);
  if (!lease) return lease.error().with_context("[kv] state '" + state.name + "'");
  const BufferView view{lease->buffer(), 0, bytes};
  if (auto status = device.fill_zero(view); !status) return status;
  types_[s] = type;
  views_[s] = view;
  leases_.push_back(lease.take());
  return Status::success();
}

std::int64_t KvPool::page_count(std::size_t group) const {
  return static_cast<std::int64_t>(pages_[group].counts.size());
}

std::int64_t KvPool::free_pages(std::size_t group) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::int64_t>(pages_[group].free.size());
}

std::int64_t KvPool::pages_of_none_but(std::span<const Sequence* const> sequences,
                                       std::size_t group) const {
  std::vector<std::int32_t> pages;
  for (const Sequence* sequence : sequences) {
    const auto own = sequence->pages(group);
    pages.insert(pages.end(), own.begin(), own.end());
  }
  std::sort(pages.begin(), pages.end());
  std::int64_t out = 0;
  const std::lock_guard lock(mutex_);
  for (auto begin = pages.begin(); begin != pages.end();) {
    const auto end = std::upper_bound(begin, pages.end(), *begin);
    const auto holders = static_cast<std::int64_t>(end - begin);
    if (holders == pages_[group].counts[static_cast<std::size_t>(*begin)]) ++out;
    begin = end;
  }
  return out;
}

std::int64_t KvPool::tokens_max() const {
  std::int64_t most = INT64_MAX;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (groups_[g].cross || groups_[g].window > 0) continue;
    most = std::min(most, page_count(g) * page_size(g));
  }
  return most;
}

std::int64_t KvPool::step_tokens_max() const {
  std::int64_t most = INT64_MAX;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (groups_[g].window == 0) continue;
    // Room for whole sequences: no page has to go before another is taken.
    if (page_count(g) * page_size(g) >= tokens_max()) continue;
    // window_pages, the other way round.
    const std::int64_t tokens = (page_count(g) - 1) * page_size(g) - (groups_[g].window - 1);
    most = std::min(most, std::max<std::int64_t>(tokens, 1));
  }
  return most;
}

std::int64_t KvPool::source_max() const {
  std::int64_t most = INT64_MAX;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (groups_[g].cross) most = std::min(most, page_count(g) * page_size(g));
  }
  return most;
}

Sequence KvPool::start() {
  Sequence out;
  out.rows_.resize(groups_.size());
  out.pool_ = shared_from_this();
  return out;
}

std::int64_t KvPool::forkable(const Sequence& sequence, std::int64_t length) const {
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (sequence.rows_[g].first > first_needed(length, groups_[g].window)) return 0;
  }
  return length;
}

Sequence KvPool::fork(const Sequence& sequence, std::int64_t length) {
  Sequence out = start();
  out.length_ = length;
  const std::lock_guard lock(mutex_);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const PageRow& from = sequence.rows_[g];
    PageRow& row = out.rows_[g];
    row.first = from.first;
    row.length = groups_[g].cross ? from.length : length;
    const std::int64_t pages = ceil_div(row.length - row.first, page_size(g));
    row.pages.assign(from.pages.begin(), from.pages.begin() + static_cast<std::ptrdiff_t>(pages));
    for (const std::int32_t page : row.pages) ++pages_[g].counts[static_cast<std::size_t>(page)];
    drop_behind(row, g);
  }
  return out;
}

Status KvPool::reserve(Sequence& sequence, std::int64_t new_length) {
  std::vector<std::int64_t> ends;
  for (const CacheGroup& group : groups_) ends.push_back(group.cross ? -1 : new_length);
  return reserve_rows(sequence, ends);
}

Status KvPool::reserve_source(Sequence& sequence, std::int64_t positions) {
  std::vector<std::int64_t> ends;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    ends.push_back(groups_[g].cross ? positions : -1);
    if (groups_[g].cross && sequence.rows_[g].length > 0) {
      return Error::invalid("[kv] cache group '" + groups_[g].name +
                            "', got a second source, wanted one that is written once");
    }
  }
  return reserve_rows(sequence, ends);
}

Status KvPool::reserve_rows(Sequence& sequence, std::span<const std::int64_t> ends) {
  std::vector<PageCopy> copies;
  if (auto taken = take_pages(sequence, ends, copies); !taken) return taken;
  if (copies.empty()) return Status::success();
  bool copied = false;
  // Pages are given back even where memory ends while they are copied.
  const auto settle = [&](void*) {
    const std::lock_guard lock(mutex_);
    for (const PageCopy& copy : copies) {
      pages_[copy.group].let_go(copied ? copy.from : copy.to);
      if (copied) sequence.rows_[copy.group].pages[copy.index] = copy.to;
    }
  };
  const std::unique_ptr<void, decltype(settle)> settled(&copied, settle);
  // Others go on meanwhile: the pages copied from are counted, those copied to are nobody's.
  const Status status = copy_pages(copies);
  copied = status.ok();
  return status;
}

Status KvPool::take_pages(Sequence& sequence, std::span<const std::int64_t> ends,
                          std::vector<PageCopy>& copies) {
  std::vector<std::size_t> wanted(groups_.size(), 0);
  const std::lock_guard lock(mutex_);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (ends[g] < 0) continue;
    const PageRow& row = sequence.rows_[g];
    const std::size_t held = row.pages.size();
    wanted[g] = static_cast<std::size_t>(ceil_div(ends[g] - row.first, page_size(g)));
    const auto begin = static_cast<std::size_t>((row.length - row.first) / page_size(g));
    const std::size_t copied = copies.size();
    // Pages to be written that another sequence reads too.
    for (std::size_t p = begin; p < std::min(held, wanted[g]); ++p) {
      const std::int32_t page = row.pages[p];
      if (pages_[g].counts[static_cast<std::size_t>(page)] > 1) copies.push_back({g, p, page, -1});
    }
    const std::size_t fresh = copies.size() - copied + (wanted[g] > held ? wanted[g] - held : 0);
    if (fresh > pages_[g].free.size()) {
      copies.clear();
      return Error::exhausted("[kv] the cache is full, got " +
                              std::to_string(pages_[g].free.size()) + " free pages, wanted " +
                              std::to_string(fresh));
    }
  }
  // Room first: running out of memory half way would lose pages.
  for (std::size_t g = 0; g < groups_.size(); ++g) sequence.rows_[g].pages.reserve(wanted[g]);
  for (PageCopy& copy : copies) copy.to = pages_[copy.group].take();
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    PageRow& row = sequence.rows_[g];
    while (row.pages.size() < wanted[g]) row.pages.push_back(pages_[g].take());
  }
  return Status::success();
}

/// Starts all copies before it waits for the first.
Status KvPool::copy_pages(std::span<const PageCopy> copies) {
  struct Started {
    Device* device;
    Fence fence;
  };
  const auto& states = program_->states();
  std::vector<Started> started;
  started.reserve(copies.size() * states.size());
  Status status;
  for (std::size_t s = 0; s < states.size(); ++s) {
    if (views_[s].buffer == nullptr) continue;
    const std::int64_t bytes = state_page_bytes(*states[s].state);
    Device& device = program_->runtime().device(states[s].device);
    for (const PageCopy& copy : copies) {
      if (copy.group != group_of_[s]) continue;
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

void KvPool::commit(Sequence& sequence, std::int64_t new_length) {
  sequence.length_ = new_length;
  const std::lock_guard lock(mutex_);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (groups_[g].cross) continue;
    PageRow& row = sequence.rows_[g];
    row.length = new_length;
    const auto held = static_cast<std::size_t>(ceil_div(new_length - row.first, page_size(g)));
    for (; row.pages.size() > held; row.pages.pop_back()) pages_[g].let_go(row.pages.back());
    drop_behind(row, g);
  }
}

void KvPool::commit_source(Sequence& sequence, std::int64_t positions) {
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (groups_[g].cross) sequence.rows_[g].length = positions;
  }
}

/// Lets go of the pages that no token behind the row reads. With the lock held.
void KvPool::drop_behind(PageRow& row, std::size_t group) {
  const std::int64_t needed = first_needed(row.length, groups_[group].window);
  const std::int64_t pages = (needed - row.first) / page_size(group);
  if (pages <= 0) return;
  const auto end = row.pages.begin() + static_cast<std::ptrdiff_t>(pages);
  for (auto page = row.pages.begin(); page != end; ++page) pages_[group].let_go(*page);
  row.pages.erase(row.pages.begin(), end);
  row.first += pages * page_size(group);
}

std::int32_t KvPool::slot(const Sequence& sequence, std::int64_t position,
                          std::size_t group) const {
  const PageRow& row = sequence.rows_[group];
  const std::int64_t at = position - row.first;
  const std::int32_t page = row.pages[static_cast<std::size_t>(at / page_size(group))];
  return static_cast<std::int32_t>(page * page_size(group) + at % page_size(group));
}

void KvPool::release(std::span<const PageRow> rows) {
  const std::lock_guard lock(mutex_);
  for (std::size_t g = 0; g < rows.size(); ++g) {
    for (const std::int32_t page : rows[g].pages) pages_[g].let_go(page);
  }
}

}  // namespace polaris
