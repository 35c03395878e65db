#pragma once
#include <vector>

#ifdef POLARIS_MOVE_ON_INSERT
#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#endif

namespace polaris {

#ifndef POLARIS_MOVE_ON_INSERT

/// A std::vector that is added to while others look into it: no reference or iterator into it may
/// be kept over an insertion. Builds with POLARIS_MOVE_ON_INSERT, as those of the address sanitizer
/// are, see to it that one which is kept dangles, even where spare capacity would have hidden it.
template <class T>
using EditVector = std::vector<T>;

#else

/// Moves all elements to other memory at each insertion. The capacity is what reserve() asked for,
/// and resize() within it stays where it is: callers rely on it not to allocate.
template <class T>
class EditVector : public std::vector<T> {
  using Base = std::vector<T>;

 public:
  using Base::Base;
  using Base::operator=;
  EditVector() = default;
  EditVector(const Base& other) : Base(other) {}                 // NOLINT: stands for a vector
  EditVector(Base&& other) noexcept : Base(std::move(other)) {}  // NOLINT

  void reserve(std::size_t size) { move_elements(size); }
  void push_back(T value) {
    move_elements(Base::size() + 1);
    Base::push_back(std::move(value));
  }
  template <class... Args>
  typename Base::reference emplace_back(Args&&... args) {
    push_back(T(std::forward<Args>(args)...));
    return Base::back();
  }
  typename Base::iterator insert(typename Base::const_iterator at, T value) {
    const auto offset = at - Base::cbegin();
    move_elements(Base::size() + 1);
    return Base::insert(Base::cbegin() + offset, std::move(value));
  }
  template <class Iterator>
  typename Base::iterator insert(typename Base::const_iterator at, Iterator first, Iterator last) {
    const auto offset = at - Base::cbegin();
    move_elements(Base::size() + static_cast<std::size_t>(std::distance(first, last)));
    return Base::insert(Base::cbegin() + offset, first, last);
  }
  void resize(std::size_t size, const T& value = T()) {
    if (size > Base::capacity()) move_elements(size);
    Base::resize(size, value);
  }

 private:
  // Longer ones grow as vectors do: moving a million elements at each insertion would take hours
  // and show nothing that short ones do not.
  static constexpr std::size_t kMovedMax = 4096;

  void move_elements(std::size_t room) {
    const std::size_t had = Base::capacity();
    if (Base::size() > kMovedMax) {
      if (room > had) Base::reserve(std::max(room, 2 * had));
      return;
    }
    Base moved;
    moved.reserve(std::max(room, had));
    moved.insert(moved.end(), std::make_move_iterator(Base::begin()),
                 std::make_move_iterator(Base::end()));
    Base::swap(moved);
  }
};

#endif

}  // namespace polaris
