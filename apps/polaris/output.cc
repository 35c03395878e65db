#include "output.h"

#include <cstdio>

namespace polaris::cli {

void print_text(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void print_line(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

Status output_status() {
  const bool whole = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (whole) return Status::success();
  return Error::io("[cli] stdout cannot be written: what was printed is not whole");
}

}  // namespace polaris::cli
