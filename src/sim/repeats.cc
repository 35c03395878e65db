#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include "sim/null_device.h"

namespace polaris::radv {
namespace {

constexpr std::string_view kMark = "(then repeated ";
// More than any program has instructions.
constexpr int kMost = 1 << 20;

/// How often the line says that the one before it comes again; 0: it says nothing of the kind.
int repeats(std::string_view line) {
  const std::size_t at = line.find(kMark);
  if (at == std::string_view::npos) return 0;
  const std::string_view number = line.substr(at + kMark.size());
  int count = 0;
  std::from_chars(number.data(), number.data() + number.size(), count);
  return std::clamp(count, 0, kMost);
}

}  // namespace

std::string with_repeats(const std::string& assembly) {
  std::string out;
  std::string_view last;
  for (std::string_view rest = assembly; !rest.empty();) {
    const std::size_t length = std::min(rest.find('\n'), rest.size() - 1) + 1;
    const std::string_view line = rest.substr(0, length);
    rest.remove_prefix(length);
    const int count = repeats(line);
    for (int i = 0; i < count; ++i) out += last;
    if (count > 0) continue;
    out += line;
    last = line;
  }
  return out;
}

}  // namespace polaris::radv
