#include "base/os/terminal.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

namespace polaris {

bool stderr_is_terminal() { return isatty(fileno(stderr)) == 1; }

void reserve_standard_files() {
  // The lowest free number is taken; opened for reading, so that lost output is noticed.
  int file = ::open("/dev/null", O_RDONLY);
  while (file >= 0 && file <= STDERR_FILENO) file = ::open("/dev/null", O_RDONLY);
  if (file > STDERR_FILENO) ::close(file);
}

}  // namespace polaris
