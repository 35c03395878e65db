#include "base/os/terminal.h"

#include <stdio.h>
#include <unistd.h>

namespace polaris {

bool stderr_is_terminal() { return isatty(fileno(stderr)) == 1; }

}  // namespace polaris
