#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "session/cache_groups.h"
#include "session/page_row.h"
#include "session/program.h"

namespace polaris {

class KvPool;

/// The cache of one sequence: in each cache group a row of pages, each counted, since sequences
/// that share a prefix share its pages. Gives its pages back when it ends. Used by one thread at a
/// time.
class Sequence {
 public:
  Sequence() = default;
  Sequence(Sequence&& other) noexcept;
  Sequence& operator=(Sequence&& other) noexcept;
  ~Sequence();
  /// Whether it is of a pool: it came from start() or fork().
  bool started() const { return pool_ != nullptr; }
  /// Tokens whose keys and values are in the cache.
  std::int64_t length() const { return length_; }
  const PageRow& row(std::size_t group) const { return rows_[group]; }
  std::span<const std::int32_t> pages(std::size_t group = 0) const {
    return group < rows_.size() ? std::span(rows_[group].pages) : std::span<const std::int32_t>();
  }

 private:
  friend class KvPool;
  void give_back();
  std::shared_ptr<KvPool> pool_;
  std::vector<PageRow> rows_;  // by group
  std::int64_t length_ = 0;
};

/// The paged states of a program (keys and values of every layer), on the devices where the program
/// placed them. States of one cache group of the program's decoder contract have pages of one size,
/// and a page number means the same page in all of them; each group counts pages of its own, and
/// lets those go that lie behind its window. Without a contract all paged states are one group.
/// Sequences of several sessions of the program share the pool. Thread-safe.
class KvPool : public std::enable_shared_from_this<KvPool> {
 public:
  /// `pages` for each group. Errors: out_of_memory (a device's budget, allocation or binding limit
  /// forbids it: says how many pages would fit), invalid (states of a group that disagree on their
  /// page size; no count for each group, or one that cannot be).
  static Result<std::shared_ptr<KvPool>> create(std::shared_ptr<Program> program,
                                                std::span<const std::int64_t> pages);
  /// As many pages in each group.
  static Result<std::shared_ptr<KvPool>> create(std::shared_ptr<Program> program,
                                                std::int64_t pages);
  const std::vector<CacheGroup>& groups() const { return groups_; }
  std::int64_t page_size(std::size_t group = 0) const { return groups_[group].page_size; }
  std::int64_t page_count(std::size_t group = 0) const;
  std::int64_t free_pages(std::size_t group = 0) const;
  /// Pages of a group that would be free without these sequences: no other holds them.
  std::int64_t pages_of_none_but(std::span<const Sequence* const> sequences,
                                 std::size_t group) const;
  /// Tokens of the longest sequence that the pool could hold.
  std::int64_t tokens_max() const;
  /// Tokens of a sequence that may be written at once: windows are to hold what these read.
  std::int64_t step_tokens_max() const;
  /// Positions of the longest source that the encoder's groups could hold.
  std::int64_t source_max() const;

  /// An empty sequence.
  Sequence start();
  /// A second sequence over the first `length` tokens of the same cache, and over the same
  /// encoder's keys and values: pages are counted, not copied. `length` is what `forkable` gives.
  Sequence fork(const Sequence& sequence, std::int64_t length);
  /// `length`, or 0 where the sequence has let go of what tokens behind it would read.
  std::int64_t forkable(const Sequence& sequence, std::int64_t length) const;
  /// Makes [length, new_length) writable in every group but the encoder's: adds pages, and copies a
  /// shared last page first. Errors: exhausted (not enough free pages; nothing changed), device.
  Status reserve(Sequence& sequence, std::int64_t new_length);
  /// Makes `positions` writable in the encoder's groups, once: more for a second time are refused.
  /// Errors: exhausted (nothing changed), invalid.
  Status reserve_source(Sequence& sequence, std::int64_t positions);
  /// The tokens up to new_length, reserved before, are now in the cache; pages behind the windows
  /// are free again, and those that were reserved for more. `new_length` is at least length().
  void commit(Sequence& sequence, std::int64_t new_length);
  /// What was reserved in the encoder's groups is now in the cache.
  void commit_source(Sequence& sequence, std::int64_t positions);
  /// Cache row of a position (page * page_size + offset), for KvWrite.
  std::int32_t slot(const Sequence& sequence, std::int64_t position, std::size_t group = 0) const;

  const TensorType& state_type(std::size_t state) const { return types_[state]; }
  BufferView state_view(std::size_t state) const { return views_[state]; }

 private:
  friend class Sequence;
  explicit KvPool(std::shared_ptr<Program> program) : program_(std::move(program)) {}
  Status set_groups(std::span<const std::int64_t> pages);
  Status allocate(std::size_t state, std::int64_t pages);
  struct PageCopy {
    std::size_t group;
    std::size_t index;  // in the row
    std::int32_t from;
    std::int32_t to;
  };
  struct Pages {
    std::vector<std::int32_t> counts;  // by page: sequences that hold it
    std::vector<std::int32_t> free;    // capacity for all pages from the start
    std::int32_t take();
    void let_go(std::int32_t page);
  };
  /// Makes each row writable up to its end, where that is not negative.
  Status reserve_rows(Sequence& sequence, std::span<const std::int64_t> ends);
  Status take_pages(Sequence& sequence, std::span<const std::int64_t> ends,
                    std::vector<PageCopy>& copies);
  Status copy_pages(std::span<const PageCopy> copies);
  void drop_behind(PageRow& row, std::size_t group);
  void release(std::span<const PageRow> rows);

  std::shared_ptr<Program> program_;
  std::vector<CacheGroup> groups_;
  std::vector<std::size_t> group_of_;  // by state of the program
  std::vector<TensorType> types_;      // by state
  std::vector<BufferView> views_;      // by state; null buffer: not paged
  std::vector<Lease> leases_;
  mutable std::mutex mutex_;
  std::vector<Pages> pages_;  // by group
};

}  // namespace polaris
