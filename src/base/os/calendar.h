#pragma once
#include <cstdint>

namespace polaris {

/// A moment as a wall clock shows it.
struct CalendarTime {
  int year = 1970;
  int month = 1;  // 1 to 12
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int week_day = 4;  // 0 is Sunday
  int year_day = 0;  // 0 is the first of January
};

/// Milliseconds since 1970-01-01 UTC, in the machine's own time zone.
CalendarTime local_calendar(std::int64_t unix_ms);

}  // namespace polaris
