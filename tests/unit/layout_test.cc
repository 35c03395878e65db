#include "tensor/layout.h"

#include <doctest/doctest.h>

namespace polaris {

TEST_CASE("channels-last puts axis 1 behind the spatial axes") {
  CHECK(physical_shape({2, 3, 5, 7}, Layout::kChannelsLast) == Shape{2, 5, 7, 3});
  CHECK(physical_shape({2, 3, 5}, Layout::kChannelsLast) == Shape{2, 5, 3});
  CHECK(physical_shape({2, 3, 4, 5, 7}, Layout::kChannelsLast) == Shape{2, 4, 5, 7, 3});
  CHECK(physical_shape({2, 3}, Layout::kChannelsLast) == Shape{2, 3});
  CHECK(physical_shape({}, Layout::kChannelsLast) == Shape{});
  CHECK(physical_shape({2, 3, 5, 7}, Layout::kRowMajor) == Shape{2, 3, 5, 7});
}

TEST_CASE("axes of one element do not tell layouts apart") {
  const auto same = [](const Shape& shape) {
    return same_order(shape, Layout::kRowMajor, Layout::kChannelsLast);
  };
  CHECK(same({2, 3}));
  CHECK(same({2, 3, 1, 1}));
  CHECK(same({2, 1, 5, 7}));
  CHECK_FALSE(same({2, 3, 5, 1}));
  CHECK_FALSE(same({1, 3, 1, 7}));
}

}  // namespace polaris
