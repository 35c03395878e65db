#include "tensor/shape.h"

#include <doctest/doctest.h>

#include <vector>

namespace polaris {

TEST_CASE("shapes hold up to eight dims") {
  Shape s{2, 3};
  CHECK(s.rank() == 2);
  CHECK(s.back() == 3);
  for (int i = 0; i < 6; ++i) CHECK(s.push_back(1));
  CHECK(!s.push_back(1));
  CHECK(s.rank() == kMaxRank);
  const std::vector<std::int64_t> many(20, 7);
  CHECK(Shape(many).rank() == kMaxRank);
  Shape t{2, 3, 4};
  t.insert(1, 9);
  CHECK(t == Shape{2, 9, 3, 4});
  t.erase(0);
  CHECK(t == Shape{9, 3, 4});
  CHECK(Shape::filled(3, 5) == Shape{5, 5, 5});
  CHECK(Shape{} != Shape{1});
}

TEST_CASE("element counts are checked") {
  CHECK(Shape{}.elements() == 1);
  CHECK(Shape{3, 4}.elements() == 12);
  CHECK(Shape{3, 4, 5}.elements_between(1, 3) == 20);
  CHECK(!Shape{3, kUnknownDim}.checked_elements());
  CHECK(!Shape{3, symbol_dim(0)}.checked_elements());
  CHECK(!Shape{INT64_MAX, 3}.checked_elements());
  CHECK(!Shape{INT64_MAX, 3, 0}.checked_elements());
  CHECK(Shape{7, 3, 0}.checked_elements() == 0);
  CHECK(!Shape{symbol_dim(2)}.is_static());
  CHECK(Shape{kUnknownDim, symbol_dim(4), 7}.to_string() == "[?, s4, 7]");
}

TEST_CASE("symbols and sizes do not mix") {
  for (std::int64_t id : {0, 1, 1000}) {
    CHECK(is_symbol_dim(symbol_dim(id)));
    CHECK(!is_static_dim(symbol_dim(id)));
    CHECK(symbol_of(symbol_dim(id)) == id);
  }
  CHECK(!is_symbol_dim(kUnknownDim));
  CHECK(!is_static_dim(kUnknownDim));
}

TEST_CASE("axes and strides") {
  CHECK(normalize_axis(-1, 3) == 2);
  CHECK(normalize_axis(0, 3) == 0);
  CHECK(!normalize_axis(3, 3));
  CHECK(!normalize_axis(-4, 3));
  CHECK(!normalize_axis(0, 0));
  CHECK(row_major_strides({2, 3, 4}) == Shape{12, 4, 1});
  CHECK(row_major_strides({}) == Shape{});
}

TEST_CASE("broadcasting follows NumPy, also for dims not known yet") {
  const auto both = [](const Shape& a, const Shape& b) { return broadcast_shapes(a, b); };
  CHECK(both({3, 1, 7}, {5, 1}) == Shape{3, 5, 7});
  CHECK(both({}, {2, 3}) == Shape{2, 3});
  CHECK(both({0, 3}, {1, 3}) == Shape{0, 3});
  CHECK(!both({3}, {4}));
  CHECK(!both({0}, {2}));
  const std::int64_t s = symbol_dim(0);
  CHECK(both({s, 4}, {s, 1}) == Shape{s, 4});
  CHECK(both({s}, {1}) == Shape{s});
  CHECK(both({s}, {7}) == Shape{7});
  CHECK(both({s}, {symbol_dim(1)}) == Shape{kUnknownDim});
  CHECK(both({kUnknownDim}, {1}) == Shape{kUnknownDim});
}

}  // namespace polaris
