#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "session/program.h"

namespace polaris {

class KvPool;

/// The cache of one sequence: an ordered list of pages, each counted, since sequences that share a
/// prefix share its pages. Gives its pages back when it ends. Used by one thread at a time.
class Sequence {
 public:
  Sequence() = default;
  Sequence(Sequence&& other) noexcept;
  Sequence& operator=(Sequence&& other) noexcept;
  ~Sequence();
  /// Tokens whose keys and values are in the cache.
  std::int64_t length() const { return length_; }
  std::span<const std::int32_t> pages() const { return pages_; }

 private:
  friend class KvPool;
  void give_back();
  std::shared_ptr<KvPool> pool_;
  std::vector<std::int32_t> pages_;
  std::int64_t length_ = 0;
};

/// The paged states of a program (keys and values of every layer): `pages` pages of `page_size`
/// tokens, on the devices where the program placed the states. A page number means the same page
/// in every state. Sequences of several sessions of the program share the pool. Thread-safe.
class KvPool : public std::enable_shared_from_this<KvPool> {
 public:
  /// Errors: out_of_memory (a device's budget, allocation or binding limit forbids it: says how
  /// many pages would fit), invalid (paged states that disagree on their page size).
  static Result<std::shared_ptr<KvPool>> create(std::shared_ptr<Program> program,
                                                std::int64_t pages);
  /// Bytes of one page over all states, per device of the runtime.
  static std::vector<std::int64_t> page_bytes(const Program& program);
  /// Tokens a page holds; 0 where the program has no paged state.
  static std::int64_t page_tokens(const Program& program);

  std::int64_t page_size() const { return page_size_; }
  std::int64_t page_count() const { return static_cast<std::int64_t>(counts_.size()); }
  std::int64_t free_pages() const;

  /// An empty sequence.
  Sequence start();
  /// A second sequence over the first `length` tokens of the same cache: pages are counted, not
  /// copied.
  Sequence fork(const Sequence& sequence, std::int64_t length);
  /// Makes [length, new_length) writable: adds pages, and copies a shared last page first.
  /// Errors: exhausted (not enough free pages; nothing changed), device.
  Status reserve(Sequence& sequence, std::int64_t new_length);
  /// The tokens up to new_length, reserved before, are now in the cache.
  void commit(Sequence& sequence, std::int64_t new_length) { sequence.length_ = new_length; }
  /// Cache row of a position (page * page_size + offset), for KvWrite.
  std::int32_t slot(const Sequence& sequence, std::int64_t position) const;

  const TensorType& state_type(std::size_t state) const { return types_[state]; }
  BufferView state_view(std::size_t state) const { return views_[state]; }

 private:
  friend class Sequence;
  explicit KvPool(std::shared_ptr<Program> program) : program_(std::move(program)) {}
  Status allocate(std::int64_t pages);
  struct PageCopy {
    std::size_t index;  // in the sequence
    std::int32_t from;
    std::int32_t to;
  };
  /// Takes the pages that a sequence needs to be writable up to a length.
  Status take_pages(Sequence& sequence, std::int64_t new_length, std::vector<PageCopy>& copies);
  Status copy_pages(std::span<const PageCopy> copies);
  void release(std::span<const std::int32_t> pages);
  std::int32_t take_page();

  std::shared_ptr<Program> program_;
  std::int64_t page_size_ = 0;
  std::vector<TensorType> types_;  // by state of the program
  std::vector<BufferView> views_;  // by state; null buffer: not paged
  std::vector<Lease> leases_;
  mutable std::mutex mutex_;
  std::vector<std::int32_t> counts_;  // by page: sequences that hold it
  std::vector<std::int32_t> free_;    // capacity for all pages from the start
};

}  // namespace polaris
