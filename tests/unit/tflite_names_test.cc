#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "load/tflite/names.h"
#include "test_paths.h"

// docs/tflite.md lists what load/tflite/names.inc has. POLARIS_UPDATE_DOCS=1 writes the list anew.
namespace polaris::test {
namespace {

/// Names in lines of at most 110 characters.
std::string wrapped(const std::string& title, const std::vector<std::string>& names) {
  std::string out = title;
  std::size_t column = out.size();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string word = names[i] + (i + 1 < names.size() ? "," : ".");
    if (column + 1 + word.size() > 110) {
      out += '\n';
      column = 0;
    } else {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out + "\n";
}

std::string operator_table() {
  std::vector<std::string> read;
  std::vector<std::string> refused;
  for (const tflite::OperatorRow& row : tflite::builtin_operators()) {
    (row.import != nullptr ? read : refused).emplace_back(row.name);
  }
  std::vector<std::string> custom;
  for (const tflite::OperatorRow& row : tflite::custom_operators()) custom.emplace_back(row.name);
  return "\n" + wrapped("Read, " + std::to_string(read.size()) + ":", read) + "\n" +
         wrapped("Custom operators, " + std::to_string(custom.size()) + ":", custom) + "\n" +
         wrapped("Refused by name, " + std::to_string(refused.size()) + ":", refused) + "\n";
}

}  // namespace

TEST_CASE("docs/tflite.md lists the operators that are read") {
  const std::string path = std::string(kSourceDir) + "/docs/tflite.md";
  auto read = read_file(path, 1 << 20);
  REQUIRE(read);
  const std::string begin = "<!-- operators -->\n";
  const std::size_t from = read->find(begin) + begin.size();
  const std::size_t to = read->find("<!-- end of operators -->");
  REQUIRE(to != std::string::npos);
  const std::string wanted = operator_table();
  if (std::getenv("POLARIS_UPDATE_DOCS") != nullptr) {
    REQUIRE(write_file(path, read->substr(0, from) + wanted + read->substr(to)));
    return;
  }
  CHECK(read->substr(from, to - from) == wanted);
}

}  // namespace polaris::test
