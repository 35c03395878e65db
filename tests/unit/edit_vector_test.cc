#include "base/edit_vector.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "support/freed.h"
#include "support/skip.h"

namespace polaris::test {
namespace {

/// Does the same to both, at random.
template <class List>
std::size_t edit(List& list, std::mt19937& random, int kind) {
  const std::size_t at = list.empty() ? 0 : random() % list.size();
  const auto place = list.begin() + static_cast<std::ptrdiff_t>(at);
  const std::vector<std::string> more{"one", "two", "three"};
  switch (kind) {
    case 0: list.push_back(std::to_string(at)); break;
    case 1: list.emplace_back(3, 'x'); break;
    case 2: list.insert(place, "inserted"); break;
    case 3: list.insert(place, more.begin(), more.end()); break;
    case 4: list.resize(list.size() + 2, "resized"); break;
    case 5: list.resize(list.size() / 2); break;
    case 6: list.reserve(list.size() + 3); break;
    case 7:
      if (!list.empty()) list.push_back(list[at]);
      break;
    default:
      if (!list.empty()) list.erase(place);
      break;
  }
  return list.size();
}

TEST_CASE("it holds what a vector would") {
  EditVector<std::string> list;
  std::vector<std::string> wanted;
  std::mt19937 kinds(1);
  for (int i = 0; i < 3000; ++i) {
    const int kind = static_cast<int>(kinds() % 9);
    std::mt19937 one(static_cast<unsigned>(i));
    std::mt19937 other(static_cast<unsigned>(i));
    REQUIRE(edit(list, one, kind) == edit(wanted, other, kind));
    REQUIRE(list == wanted);
  }
}

TEST_CASE("it grows beyond what is moved each time") {
  EditVector<int> list;
  for (int i = 0; i < 20000; ++i) list.push_back(i);
  list.resize(20010, -1);
  CHECK(list[19999] == 19999);
  CHECK(list[20009] == -1);
}

#ifdef POLARIS_MOVE_ON_INSERT
TEST_CASE("each insertion leaves references to freed memory") {
  for (int kind : {0, 1, 2, 3, 4, 6, 7}) {
    CAPTURE(kind);
    EditVector<std::string> list{"a", "b"};
    list.shrink_to_fit();
    const std::string* const before = list.data();
    std::mt19937 random(7);
    edit(list, random, kind);
    CHECK(list.data() != before);
    CHECK(is_freed(before));
  }
}

TEST_CASE("what was reserved is not allocated for again") {
  EditVector<int> list{1, 2};
  list.reserve(10);
  const int* const before = list.data();
  list.resize(10);
  CHECK(list.data() == before);
}
#else
TEST_CASE("each insertion leaves references to freed memory") {
  skip("lists move at each insertion in builds with POLARIS_MOVE_ON_INSERT alone");
}
#endif

}  // namespace
}  // namespace polaris::test
