#pragma once
#include <cassert>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

namespace polaris {

struct ValueId {
  std::int32_t index = -1;
  bool valid() const { return index >= 0; }
  friend auto operator<=>(const ValueId&, const ValueId&) = default;
};
struct NodeId {
  std::int32_t index = -1;
  bool valid() const { return index >= 0; }
  friend auto operator<=>(const NodeId&, const NodeId&) = default;
};
inline constexpr ValueId kNoValue{};

/// The first `size` ids, in order.
template <class Id>
class IdRange {
 public:
  class Iterator {
   public:
    using value_type = Id;
    using difference_type = std::ptrdiff_t;
    using pointer = const Id*;
    using reference = Id;
    using iterator_category = std::forward_iterator_tag;
    Iterator() = default;
    explicit Iterator(std::int32_t at) : at_(at) {}
    Id operator*() const { return Id{at_}; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    Iterator operator++(int) { return Iterator(at_++); }
    friend bool operator==(const Iterator& a, const Iterator& b) = default;

   private:
    std::int32_t at_ = 0;
  };
  explicit IdRange(std::size_t size) : size_(static_cast<std::int32_t>(size)) {}
  Iterator begin() const { return Iterator(0); }
  Iterator end() const { return Iterator(size_); }

 private:
  std::int32_t size_;
};

/// Something for each value, or for each node, of one graph; only ids of that kind index it. An id
/// that it does not hold stops builds with assertions, as those of the sanitizers are.
template <class Id, class T, class Storage = std::vector<T>>
class IdVector {
 public:
  IdVector() = default;
  explicit IdVector(std::size_t size) : elements_(size) {}
  IdVector(std::size_t size, const T& value) : elements_(size, value) {}

  typename Storage::reference operator[](Id id) {
    assert(has(id));
    return elements_[static_cast<std::size_t>(id.index)];
  }
  typename Storage::const_reference operator[](Id id) const {
    assert(has(id));
    return elements_[static_cast<std::size_t>(id.index)];
  }
  bool has(Id id) const { return id.valid() && static_cast<std::size_t>(id.index) < size(); }
  std::size_t size() const { return elements_.size(); }
  bool empty() const { return elements_.empty(); }
  IdRange<Id> ids() const { return IdRange<Id>(size()); }

  Id push_back(T value) {
    elements_.push_back(std::move(value));
    return Id{static_cast<std::int32_t>(size() - 1)};
  }
  void resize(std::size_t size, const T& value = T()) { elements_.resize(size, value); }
  void assign(std::size_t size, const T& value) { elements_.assign(size, value); }

  auto begin() { return elements_.begin(); }
  auto end() { return elements_.end(); }
  auto begin() const { return elements_.begin(); }
  auto end() const { return elements_.end(); }

 private:
  Storage elements_;
};

/// One bit for each value of a graph.
using ValueFlags = IdVector<ValueId, bool>;

}  // namespace polaris
