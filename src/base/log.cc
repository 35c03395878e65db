#include "base/log.h"

#include <cstdio>
#include <string>

namespace polaris {
namespace {

constexpr LogLevel kLevels[] = {LogLevel::kError, LogLevel::kWarning, LogLevel::kInfo,
                                LogLevel::kDebug};

}  // namespace

std::string_view log_level_name(LogLevel level) {
  switch (level) {
    case LogLevel::kError: return "error";
    case LogLevel::kWarning: return "warning";
    case LogLevel::kInfo: return "info";
    case LogLevel::kDebug: return "debug";
  }
  return "error";
}

std::optional<LogLevel> log_level_from_name(std::string_view name) {
  for (LogLevel level : kLevels) {
    if (log_level_name(level) == name) return level;
  }
  return std::nullopt;
}

void Logger::write(LogLevel level, std::string_view text) const {
  if (!enabled(level)) return;
  if (sink_ != nullptr) {
    sink_(context_, level, text);
    return;
  }
  std::string line = "polaris: ";
  line += log_level_name(level);
  line += ": ";
  line += text;
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace polaris
