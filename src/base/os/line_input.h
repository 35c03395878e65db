#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace polaris {

enum class LineEnd : std::uint8_t {
  kLine,         // a whole line, or what stood before the end of the file
  kEnd,          // nothing is left
  kInterrupted,  // a signal came first: what was typed is gone
  kTooLong,      // the line was read to its end and dropped
};

/// Lines of standard input, a terminal or not. The terminal's own line editing is all there is.
class LineInput {
 public:
  /// A line without its end. A signal is noticed while one waits, where its handler was set to
  /// interrupt (InterruptGuard's is).
  LineEnd read(std::string& line);

  static constexpr std::size_t kBytesMax = std::size_t{16} << 20;

 private:
  std::string buffer_;    // read, not yet asked for
  std::size_t seen_ = 0;  // of it without a line end
};

/// Whether standard input is a terminal that a person types at.
bool stdin_is_terminal();

}  // namespace polaris
