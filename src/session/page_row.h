#pragma once
#include <cstdint>
#include <vector>

namespace polaris {

/// What a sequence holds in one cache group: its pages in order, and where they begin, since those
/// behind a window are let go.
struct PageRow {
  std::vector<std::int32_t> pages;
  std::int64_t first = 0;   // position of the first row of the first page
  std::int64_t length = 0;  // positions that are written, those let go included
};

/// The first position that the token at `length` reads: nothing before it is needed any more.
inline std::int64_t first_needed(std::int64_t length, std::int64_t window) {
  return window > 0 && length >= window ? length - window + 1 : 0;
}

}  // namespace polaris
