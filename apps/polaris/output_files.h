#pragma once
#include <span>
#include <string>
#include <vector>

namespace polaris::cli {

/// A file name for each output, to which an ending is added, no two alike: NAME with every
/// character outside [A-Za-z0-9._-] as `_`. Where that is taken, `_2`, `_3` ... are added, in the
/// order of the outputs; a name that needs no change always keeps its own. Names too long for a
/// file are cut.
std::vector<std::string> output_files(std::span<const std::string> names);

}  // namespace polaris::cli
