#pragma once
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "command.h"

namespace polaris::cli {

/// One line on a terminal's standard error that says how far a long piece of work is. It appears
/// after two seconds, and goes away with the object; pipes, files and --quiet see nothing of it.
/// Thread-safe.
class Progress {
 public:
  explicit Progress(const Common& common);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// "weights 1.2 GiB of 3.8 GiB": `done` and `all` as the caller wants them read.
  void show(std::string_view what, std::string_view done, std::string_view all);
  void clear();

 private:
  std::mutex mutex_;
  bool enabled_;
  std::int64_t start_ns_;
  std::int64_t shown_ns_ = 0;
  std::size_t width_ = 0;  // of the line that stands there
};

}  // namespace polaris::cli
