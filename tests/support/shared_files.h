#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace polaris::test {

/// A file of the shared folder of models and vectors: $POLARIS_SHARED, or `shared` beside the
/// checkout. Nothing, with a message that the test is skipped, where it is not there.
std::optional<std::string> shared_file(std::string_view name);

/// Rows of a tab-separated table under tests/; lines that begin with # are left out.
std::vector<std::vector<std::string>> read_table(std::string_view name);

}  // namespace polaris::test
