#include "backend/vulkan/device/unit_cut.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace polaris::vulkan {
namespace {

TEST_CASE("units: dispatches go together up to a unit's time, in order") {
  const DispatchCost costs[] = {{10, 1}, {20, 1}, {15, 1}, {40, 1}, {1, 1}};
  const auto pieces = cut_units(costs, 40, true);
  REQUIRE(pieces.size() == 5);
  const std::uint32_t units[] = {0, 0, 1, 2, 3};
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    CHECK(pieces[i].dispatch == i);
    CHECK(pieces[i].parts == 1);
    CHECK(pieces[i].unit == units[i]);
  }
}

TEST_CASE("units: a long dispatch is split as far as its grid allows, unless nothing is") {
  for (const std::uint32_t parts_max : {1u, 2u, 7u, 1000u}) {
    for (const double us : {1.0, 39.0, 41.0, 100.0, 399.0, 1e9}) {
      const DispatchCost costs[] = {{5, 1}, {us, parts_max}, {5, 1}};
      const auto pieces = cut_units(costs, 40, true);
      const std::uint32_t parts = pieces[1].parts;
      CHECK(parts <= parts_max);
      CHECK(pieces.size() == 2 + parts);
      if (parts < parts_max) CHECK(pieces[1].us <= 40);
      double unit_us = 0;
      for (std::size_t i = 0; i < pieces.size(); ++i) {
        const bool same = i > 0 && pieces[i].unit == pieces[i - 1].unit;
        unit_us = (same ? unit_us : 0) + pieces[i].us;
        CHECK((unit_us <= 40 || pieces[i].us > 40));
        if (i > 0) CHECK(pieces[i].unit - pieces[i - 1].unit <= 1);
      }
      CHECK(cut_units(costs, 40, false).size() == 3);
    }
  }
  CHECK(cut_units({}, 40, true).empty());
}

}  // namespace
}  // namespace polaris::vulkan
