#pragma once

namespace polaris {

/// Whether standard error goes to a terminal that a person watches.
bool stderr_is_terminal();

}  // namespace polaris
