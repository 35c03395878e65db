#pragma once
#include <string_view>

#include "base/result.h"

namespace polaris::cli {

/// What commands print to stdout goes through these, each flushed at once.
void print_text(std::string_view text);
void print_line(std::string_view text);

/// Errors: io where something printed so far did not reach stdout (its disk is full, it is closed).
/// main asks at the end of every command; what prints for long asks in between.
Status output_status();

}  // namespace polaris::cli
