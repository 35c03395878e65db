#include "base/os/line_input.h"

#include <errno.h>
#include <unistd.h>

namespace polaris {

LineEnd LineInput::read(std::string& line) {
  line.clear();
  bool too_long = false;
  while (true) {
    const std::size_t end = buffer_.find('\n', seen_);
    if (end != std::string::npos) {
      line.assign(buffer_, 0, end);
      buffer_.erase(0, end + 1);
      seen_ = 0;
      if (!line.empty() && line.back() == '\r') line.pop_back();
      if (!too_long) return LineEnd::kLine;
      line.clear();
      return LineEnd::kTooLong;
    }
    seen_ = buffer_.size();
    if (seen_ > kBytesMax) {
      too_long = true;
      buffer_.clear();
      seen_ = 0;
    }
    char bytes[4096];
    const ssize_t count = ::read(STDIN_FILENO, bytes, sizeof bytes);
    if (count > 0) {
      buffer_.append(bytes, static_cast<std::size_t>(count));
      continue;
    }
    if (count < 0 && errno == EINTR) {
      buffer_.clear();
      seen_ = 0;
      return LineEnd::kInterrupted;
    }
    if (buffer_.empty() || too_long) return too_long ? LineEnd::kTooLong : LineEnd::kEnd;
    line.swap(buffer_);
    buffer_.clear();
    seen_ = 0;
    return LineEnd::kLine;
  }
}

bool stdin_is_terminal() { return ::isatty(STDIN_FILENO) == 1; }

}  // namespace polaris
