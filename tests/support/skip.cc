#include "support/skip.h"

#include <doctest/doctest.h>

#include <cstdio>

#include "test_paths.h"

namespace polaris::test {

void skip(const std::string& why) {
  MESSAGE("skipped: " << why);
  const std::string path = std::string(kBuildDir) + "/skipped.txt";
  std::FILE* file = std::fopen(path.c_str(), "a");
  if (file == nullptr) return;
  // One line a write, so that tests that run side by side do not mix.
  const std::string line = why + "\n";
  std::fwrite(line.data(), 1, line.size(), file);
  std::fclose(file);
}

}  // namespace polaris::test
