#pragma once
#include <string>

namespace polaris::test {

/// Says that the running test case is left out, and why, and notes it in `skipped.txt` of the build
/// folder, which `make test` counts.
void skip(const std::string& why);

}  // namespace polaris::test
