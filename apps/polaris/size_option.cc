#include "size_option.h"

#include <cctype>
#include <cmath>
#include <string_view>

#include "base/strings.h"

namespace polaris::cli {
namespace {

/// The power of 1024 that a unit stands for.
std::optional<int> power_of(std::string_view unit) {
  std::string lower;
  for (const char c : unit) {
    lower.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  if (lower.empty() || lower == "b") return 0;
  constexpr std::string_view kUnits = "kmgt";
  const std::size_t at = kUnits.find(lower[0]);
  const bool whole = lower.size() == 1 || lower.substr(1) == "ib";
  return at != kUnits.npos && whole ? std::optional(static_cast<int>(at) + 1) : std::nullopt;
}

}  // namespace

std::optional<std::int64_t> parse_size(const std::string& text) {
  const std::size_t end = text.find_first_not_of("0123456789.");
  const auto number = parse_f64(std::string_view(text).substr(0, end));
  const auto power = power_of(end == text.npos ? "" : trim(std::string_view(text).substr(end)));
  if (!number || !power) return std::nullopt;
  const double bytes = *number * std::pow(1024.0, *power);
  if (!(bytes >= 1) || bytes >= 0x1p62) return std::nullopt;
  return static_cast<std::int64_t>(bytes);
}

std::string size_error(const std::string& text) {
  if (parse_size(text)) return {};
  return "got '" + printable(text, 64) + "', wanted a size such as 2GiB or 512MiB";
}

}  // namespace polaris::cli
