#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace polaris {

enum class LogLevel : std::uint8_t { kError, kWarning, kInfo, kDebug };

/// "error", "warning", "info", "debug".
std::string_view log_level_name(LogLevel level);
std::optional<LogLevel> log_level_from_name(std::string_view name);

/// Where messages go: by default lines "polaris: level: text" on stderr. A value, passed to what
/// logs; copies are cheap. Thread-safe when its sink is (stderr is: one write a line).
class Logger {
 public:
  using Sink = void (*)(void* context, LogLevel level, std::string_view text);
  Logger() = default;
  explicit Logger(LogLevel level) : level_(level) {}
  Logger(LogLevel level, Sink sink, void* context)
      : level_(level), sink_(sink), context_(context) {}

  LogLevel level() const { return level_; }
  bool enabled(LogLevel level) const { return level <= level_; }
  void write(LogLevel level, std::string_view text) const;
  void error(std::string_view text) const { write(LogLevel::kError, text); }
  void warning(std::string_view text) const { write(LogLevel::kWarning, text); }
  void info(std::string_view text) const { write(LogLevel::kInfo, text); }
  void debug(std::string_view text) const { write(LogLevel::kDebug, text); }

 private:
  LogLevel level_ = LogLevel::kWarning;
  Sink sink_ = nullptr;
  void* context_ = nullptr;
};

}  // namespace polaris
