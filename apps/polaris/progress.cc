#include "progress.h"

#include <cstdio>

#include "base/os/clock.h"
#include "base/os/terminal.h"

namespace polaris::cli {
namespace {

constexpr double kQuietMs = 2000;
constexpr double kBetweenMs = 200;

}  // namespace

Progress::Progress(const Common& common)
    : enabled_(!common.quiet && stderr_is_terminal()), start_ns_(monotonic_ns()) {}

void Progress::show(std::string_view what, std::string_view done, std::string_view all) {
  if (!enabled_ || elapsed_ms(start_ns_) < kQuietMs) return;
  const std::lock_guard lock(mutex_);
  if (width_ > 0 && elapsed_ms(shown_ns_) < kBetweenMs) return;
  std::string line(what);
  line.append(" ").append(done).append(" of ").append(all);
  const std::size_t width = line.size();
  if (width < width_) line.append(width_ - width, ' ');
  std::fprintf(stderr, "\r%s", line.c_str());
  std::fflush(stderr);
  width_ = width;
  shown_ns_ = monotonic_ns();
}

void Progress::clear() {
  const std::lock_guard lock(mutex_);
  if (width_ == 0) return;
  std::fprintf(stderr, "\r%*s\r", static_cast<int>(width_), "");
  std::fflush(stderr);
  width_ = 0;
}

}  // namespace polaris::cli
