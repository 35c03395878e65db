#include "support/shared_files.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "base/os/files.h"
#include "base/strings.h"
#include "support/skip.h"
#include "test_paths.h"

namespace polaris::test {

std::optional<std::string> shared_file(std::string_view name) {
  const char* set = std::getenv("POLARIS_SHARED");
  const std::string root = set != nullptr ? set : std::string(kSourceDir) + "/../shared";
  std::string path = root + "/" + std::string(name);
  if (path_kind(path) != PathKind::kMissing) return path;
  skip(path + " is not there");
  return std::nullopt;
}

std::vector<std::vector<std::string>> read_table(std::string_view name) {
  const auto text = read_file(std::string(kSourceDir) + "/tests/" + std::string(name), 16 << 20);
  REQUIRE_MESSAGE(text.ok(), "table " << name);
  std::vector<std::vector<std::string>> out;
  for (std::string_view line : split(*text, '\n')) {
    if (line.empty() || line.front() == '#') continue;
    std::vector<std::string> row;
    for (std::string_view cell : split(line, '\t')) row.emplace_back(cell);
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace polaris::test
