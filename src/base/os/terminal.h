#pragma once

namespace polaris {

/// Whether standard error goes to a terminal that a person watches.
bool stderr_is_terminal();

/// Fills the places of standard input, output and error that the process was started without, so
/// that no file opened later takes them for its own. Writing to such a place fails.
void reserve_standard_files();

}  // namespace polaris
