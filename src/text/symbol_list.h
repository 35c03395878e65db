#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

#include "base/unicode.h"

namespace polaris {

/// The symbols of a piece while neighbours are merged: a list in an array, so that a merge takes a
/// step whatever the piece's length.
struct SymbolList {
  struct Symbol {
    std::size_t begin = 0;
    std::size_t bytes = 0;  // 0: merged into its left neighbour
    int previous = -1;
    int next = -1;
    int token = -1;  // the owner's
  };
  std::vector<Symbol> symbols;

  Symbol& operator[](int i) { return symbols[static_cast<std::size_t>(i)]; }
  const Symbol& operator[](int i) const { return symbols[static_cast<std::size_t>(i)]; }
  int size() const { return static_cast<int>(symbols.size()); }

  void push(std::size_t begin, std::size_t bytes) {
    const int index = size();
    if (index > 0) symbols.back().next = index;
    symbols.push_back({begin, bytes, index - 1, -1, -1});
  }
  /// One symbol a character.
  explicit SymbolList(std::string_view text) {
    symbols.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t bytes = decode_utf8(text, at).bytes;
      push(at, bytes);
      at += bytes;
    }
  }
  /// `right`, the next of `left`, becomes part of it.
  void merge(int left, int right) {
    Symbol& a = (*this)[left];
    Symbol& b = (*this)[right];
    a.bytes += b.bytes;
    b.bytes = 0;
    a.next = b.next;
    if (b.next >= 0) (*this)[b.next].previous = left;
  }
};

}  // namespace polaris
