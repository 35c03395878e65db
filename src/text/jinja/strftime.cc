#include <algorithm>

#include "base/strings.h"
#include "text/jinja/printf.h"

namespace polaris::jinja {
namespace {

constexpr std::string_view kDays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                      "Thursday", "Friday", "Saturday"};
constexpr std::string_view kMonths[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};

std::string number(int value, int width, char fill = '0') {
  std::string out = std::to_string(value);
  while (static_cast<int>(out.size()) < width) out.insert(out.begin(), fill);
  return out;
}

bool is_leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

/// Of ISO 8601: weeks begin on Monday, the first one holds a year's first Thursday.
struct IsoWeek {
  int year = 0;
  int week = 0;
};

IsoWeek iso_week(const CalendarTime& t) {
  const int week_day = (t.week_day + 6) % 7;  // 0 is Monday
  const int week = (t.year_day - week_day + 10) / 7;
  if (week < 1) {
    const int days = is_leap(t.year - 1) ? 366 : 365;
    return {t.year - 1, (t.year_day + days - week_day + 10) / 7};
  }
  const int days = is_leap(t.year) ? 366 : 365;
  const bool next = week == 53 && t.year_day - week_day + 3 >= days;
  return next ? IsoWeek{t.year + 1, 1} : IsoWeek{t.year, week};
}

/// What a letter stands for; composed ones are spelled out in other letters.
std::string_view spelled(char letter) {
  switch (letter) {
    case 'c': return "%a %b %e %H:%M:%S %Y";
    case 'D':
    case 'x': return "%m/%d/%y";
    case 'F': return "%Y-%m-%d";
    case 'R': return "%H:%M";
    case 'T':
    case 'X': return "%H:%M:%S";
    case 'r': return "%I:%M:%S %p";
    default: return {};
  }
}

/// False for a letter that stands for nothing.
bool append_field(const CalendarTime& t, char letter, bool bare, std::string& out) {
  const auto digits = [&](int value, int width, char fill = '0') {
    out += number(value, bare ? 0 : width, fill);
    return true;
  };
  const auto hour12 = t.hour % 12 == 0 ? 12 : t.hour % 12;
  const auto day = static_cast<std::size_t>(std::clamp(t.week_day, 0, 6));
  const auto month = static_cast<std::size_t>(std::clamp(t.month, 1, 12) - 1);
  switch (letter) {
    case 'a': out += kDays[day].substr(0, 3); return true;
    case 'A': out += kDays[day]; return true;
    case 'b':
    case 'h': out += kMonths[month].substr(0, 3); return true;
    case 'B': out += kMonths[month]; return true;
    case 'C': return digits(t.year / 100, 2);
    case 'd': return digits(t.day, 2);
    case 'e': return digits(t.day, 2, ' ');
    case 'f': out += "000000"; return true;
    case 'G': return digits(iso_week(t).year, 4);
    case 'H': return digits(t.hour, 2);
    case 'I': return digits(hour12, 2);
    case 'j': return digits(t.year_day + 1, 3);
    case 'k': return digits(t.hour, 2, ' ');
    case 'l': return digits(hour12, 2, ' ');
    case 'm': return digits(t.month, 2);
    case 'M': return digits(t.minute, 2);
    case 'n': out += '\n'; return true;
    case 'p': out += t.hour < 12 ? "AM" : "PM"; return true;
    case 'S': return digits(t.second, 2);
    case 't': out += '\t'; return true;
    case 'u': return digits(t.week_day == 0 ? 7 : t.week_day, 1);
    case 'U': return digits((t.year_day + 7 - t.week_day) / 7, 2);
    case 'V': return digits(iso_week(t).week, 2);
    case 'w': return digits(t.week_day, 1);
    case 'W': return digits((t.year_day + 7 - (t.week_day + 6) % 7) / 7, 2);
    case 'y': return digits(t.year % 100, 2);
    case 'Y': return digits(t.year, 4);
    case 'z':
    case 'Z': return true;  // the moment carries no zone
    case '%': out += '%'; return true;
    default: return false;
  }
}

bool append_time(const CalendarTime& t, std::string_view format, std::string& out) {
  for (std::size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%') {
      out += format[at];
      continue;
    }
    if (++at >= format.size()) return false;
    const bool bare = format[at] == '-';
    if (bare && ++at >= format.size()) return false;
    const std::string_view more = spelled(format[at]);
    if (more.empty() ? !append_field(t, format[at], bare, out) : !append_time(t, more, out)) {
      return false;
    }
  }
  return true;
}

}  // namespace

Value time_format(Machine& machine, std::string_view format) {
  // No letter stands for more than 32 bytes.
  if (!machine.room(32 * format.size())) return {};
  std::string out;
  if (append_time(machine.now(), format, out)) return machine.text(std::move(out));
  return machine.fail("strftime_now, got the format '" + printable(format, 40) + "'");
}

}  // namespace polaris::jinja
